#include <arpa/inet.h>

#include <array>

#include "base/strings.h"
#include "spec/k8s/validation.h"
#include "spec/k8s/validation_rules.h"

namespace portcullis::k8s {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerAlnum(char c) { return IsLower(c) || IsDigit(c); }
bool IsAlnum(char c) { return IsLowerAlnum(c) || IsUpper(c); }

// [edge]([edge or inner]*[edge])?
template <class Edge>
bool Shaped(std::string_view text, Edge edge, std::string_view inner) {
  if (text.empty() || !edge(text.front()) || !edge(text.back())) return false;
  for (char c : text) {
    if (!edge(c) && inner.find(c) == std::string_view::npos) return false;
  }
  return true;
}

std::string TooLong(size_t max) { return fmt::format("must be no more than {} characters", max); }

bool IsSubdomain(const std::string& text) {
  for (const std::string& part : base::Split(text, '.')) {
    if (!Shaped(part, IsLowerAlnum, "-")) return false;
  }
  return true;
}

}  // namespace

std::string CheckDns1123Label(const std::string& text) {
  if (text.size() > 63) return TooLong(63);
  if (Shaped(text, IsLowerAlnum, "-")) return "";
  return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
         "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
}

std::string CheckDns1123Subdomain(const std::string& text) {
  if (text.size() > 253) return TooLong(253);
  if (IsSubdomain(text)) return "";
  return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
         "start "
         "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
}

std::string CheckQualifiedName(const std::string& text) {
  const std::vector<std::string> parts = base::Split(text, '/');
  if (parts.size() > 2) {
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
           "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
           "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. "
           "'example.com/MyName')";
  }
  if (parts.size() == 2) {
    if (parts[0].empty()) return "prefix part must be non-empty";
    if (std::string explanation = CheckDns1123Subdomain(parts[0]); !explanation.empty()) {
      return "prefix part " + explanation;
    }
  }
  const std::string& name = parts.back();
  if (name.empty()) return "name part must be non-empty";
  if (name.size() > 63) return "name part " + TooLong(63);
  if (Shaped(name, IsAlnum, "-_.")) return "";
  return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
         "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
}

std::string CheckLabelValue(const std::string& text) {
  if (text.size() > 63) return TooLong(63);
  if (text.empty() || Shaped(text, IsAlnum, "-_.")) return "";
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
         "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
         "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

std::string CheckPortName(const std::string& text) {
  if (text.size() > 15) return TooLong(15);
  bool letter = false;
  for (char c : text) {
    if (!IsLowerAlnum(c) && c != '-') return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
    letter = letter || IsLower(c);
  }
  if (!letter) return "must contain at least one letter (a-z)";
  if (text.find("--") != std::string::npos) return "must not contain consecutive hyphens";
  if (text.front() == '-' || text.back() == '-') return "must not begin or end with a hyphen";
  return "";
}

std::string CheckEnvName(const std::string& text) {
  for (char c : text) {
    if (c < 0x20 || c > 0x7e || c == '=') {
      return "a valid environment variable name must consist only of printable ASCII characters other than '='";
    }
  }
  return "";
}

std::string CheckIp(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  for (int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), address.data()) == 1) return "";
  }
  return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

bool HasDotDot(std::string_view path) {
  for (const std::string& part : base::Split(path, '/')) {
    if (part == "..") return true;
  }
  return false;
}

}  // namespace portcullis::k8s
