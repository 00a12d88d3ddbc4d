#include "insight/evidence/strace_mode.h"

namespace portcullis::insight {

using syscalls::Arch;

Arch NarrowArchOf(Arch native) {
  switch (native) {
    case Arch::kX86_64:
      return Arch::kX86;
    case Arch::kAarch64:
      return Arch::kArm;
    case Arch::kS390x:
      return Arch::kS390;
    case Arch::kPpc64:
      return Arch::kPpc;
    case Arch::kMips64:
      return Arch::kMips;
    case Arch::kMipsel64:
      return Arch::kMipsel;
    default:
      return native;
  }
}

std::optional<Arch> ArchOfStraceMode(Arch native, std::string_view mode) {
  if (mode == "64 bit") return native;
  if (mode == "32 bit") return NarrowArchOf(native);
  if (mode == "x32") return Arch::kX32;
  if (mode == "n32") return native == Arch::kMipsel64 ? Arch::kMipsel64n32 : Arch::kMips64n32;
  return std::nullopt;
}

}  // namespace portcullis::insight
