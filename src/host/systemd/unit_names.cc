#include "host/systemd/unit_names.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"

namespace portcullis::host {
namespace {

constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";
constexpr size_t kMaxUnitName = 255;

}  // namespace

bool IsUnitNamePart(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == ':' || c == '-' || c == '_' || c == '.' || c == '\\';
  });
}

Result<std::string> CgroupOfSlice(std::string_view slice) {
  const auto invalid = [&] { return Fail(Code::kInvalidArgument, "invalid slice name {}", base::Quote(slice)); };
  if (!slice.ends_with(kSlice) || slice.size() > kMaxUnitName || !IsUnitNamePart(slice)) return invalid();
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  if (stem == "-") return std::string("/");
  std::string path;
  for (size_t end = 0; end != std::string_view::npos;) {
    const size_t begin = end == 0 ? 0 : end + 1;
    end = stem.find('-', begin);
    // No part is empty: no dash at either end, and no two together.
    if (end == begin || begin == stem.size()) return invalid();
    path += "/" + std::string(stem.substr(0, end)) + std::string(kSlice);
  }
  return path;
}

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

UnitsOfPath SplitUnits(std::string_view path) {
  UnitsOfPath units;
  size_t begin = 0;
  while (begin < path.size() && path[begin] == '/') {
    const size_t end = std::min(path.find('/', begin + 1), path.size());
    const std::string_view part = path.substr(begin + 1, end - begin - 1);
    if (part.ends_with(kSlice)) {
      units.slice = path.substr(0, end);
    } else {
      if (part.ends_with(kScope) && !units.slice.empty()) units.scope = path.substr(0, end);
      break;
    }
    begin = end;
  }
  return units;
}

bool IsSlicePath(std::string_view path) { return !path.empty() && SplitUnits(path).slice == path; }
bool IsScopePath(std::string_view path) { return !path.empty() && SplitUnits(path).scope == path; }

}  // namespace portcullis::host
