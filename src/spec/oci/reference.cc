#include "spec/oci/reference.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "base/try.h"
#include "spec/oci/digest.h"

namespace portcullis::oci {
namespace {

constexpr size_t kMaxNameLength = 255;
constexpr size_t kMaxTagLength = 128;
constexpr size_t kMaxReferenceLength = 1024;
constexpr std::string_view kDefaultRegistry = "docker.io";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsWord(char c) { return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '_'; }

template <class... Args>
Failure Malformed(std::string_view text, fmt::format_string<Args...> why, Args&&... args) {
  return Fail(Code::kInvalidArgument, "couldn't parse image name {}: invalid reference format: {}",
              base::Quote(text.substr(0, kMaxReferenceLength)), fmt::format(why, std::forward<Args>(args)...));
}

bool IsHostLabel(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '-'; });
}

bool IsHost(std::string_view host) {
  const size_t close = host.rfind(']');
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && (close == std::string_view::npos || colon > close)) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, IsDigit)) return false;
    host = host.substr(0, colon);
  }
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return std::ranges::all_of(base::Split(host, '.'), IsHostLabel);
}

// Runs of [a-z0-9] joined by one of: ".", "_", "__", any number of "-".
bool IsPathComponent(std::string_view component) {
  size_t i = 0;
  const auto run = [&] {
    const size_t start = i;
    while (i < component.size() && (IsDigit(component[i]) || IsLower(component[i]))) ++i;
    return i > start;
  };
  if (!run()) return false;
  while (i < component.size()) {
    const size_t start = i;
    while (i < component.size() && component[i] == component[start] && !IsDigit(component[i]) &&
           !IsLower(component[i])) {
      ++i;
    }
    const std::string_view separator = component.substr(start, i - start);
    if (separator != "." && separator != "_" && separator != "__" && !separator.starts_with('-')) return false;
    if (!run()) return false;
  }
  return true;
}

bool IsTag(std::string_view tag) {
  if (tag.empty() || tag.size() > kMaxTagLength || !IsWord(tag.front())) return false;
  return std::ranges::all_of(tag, [](char c) { return IsWord(c) || c == '.' || c == '-'; });
}

bool LooksLikeHost(std::string_view first_component) {
  return first_component == "localhost" || first_component.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(first_component, IsUpper);
}

// Cuts "@digest" and ":tag" off the end; what stays in `rest` is [host/]name.
Result<void> TakeTagAndDigest(std::string_view text, std::string_view& rest, Reference& reference) {
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    if (!IsDigest(reference.digest)) return Malformed(text, "the digest is not sha256 in lower-case hexadecimal");
    rest = rest.substr(0, at);
  }
  const size_t colon = rest.rfind(':');
  const size_t slash = rest.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag = rest.substr(colon + 1);
    if (!IsTag(reference.tag)) {
      return Malformed(text, "the tag is not 1 to {} of letters, digits, \"_\", \".\" and \"-\"", kMaxTagLength);
    }
    rest = rest.substr(0, colon);
  }
  return {};
}

}  // namespace

std::string Reference::Name() const { return registry + "/" + repository; }

std::string Reference::String() const {
  std::string text = Name();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest;
  return text;
}

std::string Reference::TagString() const { return tag.empty() ? "" : Name() + ":" + tag; }

std::string Reference::WithDigest(std::string_view manifest_digest) const {
  return Name() + "@" + std::string(manifest_digest);
}

Result<Reference> ParseReference(std::string_view text) {
  if (text.empty()) return Malformed(text, "it is empty");
  if (text.size() > kMaxReferenceLength) return Malformed(text, "it is longer than {} bytes", kMaxReferenceLength);
  Reference reference;
  std::string_view rest = text;
  TRY(TakeTagAndDigest(text, rest, reference));
  if (IsDigest(std::string(kSha256Prefix) + std::string(rest))) {
    return Malformed(text, "64 hexadecimal digits are an image id, not a name");
  }

  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos && LooksLikeHost(rest.substr(0, slash))) {
    reference.registry = rest.substr(0, slash);
    reference.repository = rest.substr(slash + 1);
    if (reference.registry == "index.docker.io") reference.registry = kDefaultRegistry;
    if (!IsHost(reference.registry)) return Malformed(text, "{} is not a host name", base::Quote(reference.registry));
  } else {
    reference.registry = kDefaultRegistry;
    reference.repository = rest;
  }
  if (reference.repository.empty()) return Malformed(text, "the repository name is empty");
  if (std::ranges::any_of(reference.repository, IsUpper)) {
    return Malformed(text, "repository name ({}) must be lowercase", reference.repository);
  }
  if (reference.registry == kDefaultRegistry && reference.repository.find('/') == std::string::npos) {
    reference.repository = "library/" + reference.repository;
  }
  if (!std::ranges::all_of(base::Split(reference.repository, '/'), IsPathComponent)) {
    return Malformed(text, "repository name ({}) has a malformed component", reference.repository);
  }
  if (reference.repository.size() > kMaxNameLength) {
    return Malformed(text, "repository name must not be more than {} characters", kMaxNameLength);
  }
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

}  // namespace portcullis::oci
