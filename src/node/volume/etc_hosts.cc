#include "node/volume/etc_hosts.h"

#include "base/strings.h"

namespace portcullis::node {

std::string EtcHostsText(const k8s::Pod& pod, const EtcHostsInput& input) {
  std::string out;
  if (pod.spec.host_network) {
    out = "# Kubernetes-managed hosts file (host network).\n" + input.node_hosts_text;
    if (!out.ends_with('\n')) out += '\n';
  } else {
    out =
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n";
    std::string names = input.host_name;
    if (!pod.spec.subdomain.empty() && !input.cluster_domain.empty()) {
      names = fmt::format("{}.{}.{}.svc.{}\t{}", input.host_name, pod.spec.subdomain, pod.metadata.namespace_,
                          input.cluster_domain, input.host_name);
    }
    for (const std::string& ip : input.pod_ips) out += ip + "\t" + names + "\n";
  }
  if (pod.spec.host_aliases.empty()) return out;
  out += "\n# Entries added by HostAliases.\n";
  for (const k8s::HostAlias& alias : pod.spec.host_aliases)
    out += alias.ip + "\t" + base::Join(alias.hostnames, "\t") + "\n";
  return out;
}

}  // namespace portcullis::node
