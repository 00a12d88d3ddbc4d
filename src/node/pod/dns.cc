#include "node/pod/dns.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace portcullis::node {
namespace {

constexpr size_t kMaxServers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxSearchCharacters = 2048;

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (char c : line) {
    if (c != ' ' && c != '\t' && c != '\r') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

void AddUnique(std::vector<std::string>& to, const std::vector<std::string>& more) {
  for (const std::string& item : more) {
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
  }
}

// Later options of the same name replace earlier ones.
void MergeOptions(std::vector<std::string>& options, const std::vector<k8s::DnsOption>& more) {
  for (const k8s::DnsOption& option : more) {
    std::erase_if(options, [&](const std::string& have) { return have.substr(0, have.find(':')) == option.name; });
    options.push_back(option.value ? option.name + ":" + *option.value : option.name);
  }
}

void Limit(cri::DNSConfig& dns, std::vector<std::string>* warnings) {
  if (dns.servers.size() > kMaxServers) {
    dns.servers.resize(kMaxServers);
    warnings->push_back(
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: " +
        base::Join(dns.servers, " "));
  }
  bool cut = dns.searches.size() > kMaxSearches;
  if (cut) dns.searches.resize(kMaxSearches);
  size_t length = 0;
  for (size_t i = 0; i < dns.searches.size(); ++i) {
    length += dns.searches[i].size() + (i > 0 ? 1 : 0);
    if (length <= kMaxSearchCharacters) continue;
    dns.searches.resize(i);
    cut = true;
    break;
  }
  if (cut) {
    warnings->push_back(
        "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: " +
        base::Join(dns.searches, " "));
  }
}

}  // namespace

cri::DNSConfig ParseResolvConf(std::string_view text) {
  cri::DNSConfig dns;
  for (const std::string& line : base::Split(text, '\n')) {
    std::string_view content = std::string_view(line).substr(0, line.find_first_of("#;"));
    std::vector<std::string> words = Words(content);
    if (words.size() < 2) continue;
    std::string keyword = words.front();
    words.erase(words.begin());
    if (keyword == "nameserver") dns.servers.push_back(words.front());
    if (keyword == "search" || keyword == "domain") {
      dns.searches = words;  // the last such line counts
      std::erase(dns.searches, ".");
    }
    if (keyword == "options") AddUnique(dns.options, words);
  }
  return dns;
}

cri::DNSConfig PodDns(const k8s::Pod& pod, const cri::DNSConfig& node, const PodSettings& settings,
                      std::vector<std::string>* warnings) {
  const k8s::PodSpec& spec = pod.spec;
  cri::DNSConfig dns;
  bool cluster =
      spec.dns_policy == "ClusterFirstWithHostNet" || (spec.dns_policy == "ClusterFirst" && !spec.host_network);
  if (cluster && settings.cluster_dns.empty()) {
    // A node alone has no cluster DNS; that is its normal state, so it is no warning.
    dns = node;
  } else if (cluster) {
    dns.servers = settings.cluster_dns;
    if (!settings.cluster_domain.empty()) {
      const std::string& domain = settings.cluster_domain;
      dns.searches = {pod.metadata.namespace_ + ".svc." + domain, "svc." + domain, domain};
    }
    AddUnique(dns.searches, node.searches);
    dns.options = {"ndots:5"};
  } else if (spec.dns_policy != "None") {
    dns = node;
  }
  if (spec.dns_config) {
    AddUnique(dns.servers, spec.dns_config->nameservers);
    AddUnique(dns.searches, spec.dns_config->searches);
    MergeOptions(dns.options, spec.dns_config->options);
  }
  Limit(dns, warnings);
  return dns;
}

}  // namespace portcullis::node
