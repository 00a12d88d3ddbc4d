// Names of systemd's slices and scopes, and where their cgroups are. Pure.
//
// A slice's name says where it is: "a-b.slice" lies in "a.slice", so its cgroup is "/a.slice/a-b.slice"
// (systemd.slice(5)). A path of cgroups is "of units" as far as its parts are slices, and a scope after them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::host {

// "kubepods-burstable.slice" -> "/kubepods.slice/kubepods-burstable.slice"; "-.slice" -> "/". kInvalidArgument for what
// is no name of a slice.
Result<std::string> CgroupOfSlice(std::string_view slice);

// Characters that a unit's name may have as they are: letters, digits, and :-_.\ (systemd.unit(5)).
bool IsUnitNamePart(std::string_view text);

// The last part of a path: "/a.slice/a-b.slice" -> "a-b.slice".
std::string_view LastPart(std::string_view path);

struct UnitsOfPath {
  std::string slice;  // path of the innermost slice, "" when the path does not begin with one
  std::string scope;  // path of the scope in it, "" when there is none
};
// "/a.slice/a-b.slice/x.scope/exec" -> {"/a.slice/a-b.slice", "/a.slice/a-b.slice/x.scope"}.
UnitsOfPath SplitUnits(std::string_view path);

// Whether the path itself is that of a slice, or of a scope in one.
bool IsSlicePath(std::string_view path);
bool IsScopePath(std::string_view path);

}  // namespace portcullis::host
