#include "insight/recorder/symbol.h"

#include <fmt/core.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>

#include <memory>
#include <optional>

namespace portcullis::insight {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;
constexpr size_t kMaxTableBytes = size_t{64} << 20;
constexpr size_t kMaxSegments = 512;
constexpr size_t kMaxSections = 1u << 16;
constexpr size_t kMaxNameBytes = 512;

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};

// The address that a file offset is loaded at, relative to the file's own addresses.
std::optional<uint64_t> AddressOf(Elf* elf, uint64_t offset) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0 || count > kMaxSegments) return std::nullopt;
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) return std::nullopt;
    if (segment.p_type != PT_LOAD || offset < segment.p_offset || offset - segment.p_offset >= segment.p_filesz)
      continue;
    return segment.p_vaddr + (offset - segment.p_offset);
  }
  return std::nullopt;
}

std::string FindIn(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, uint64_t address) {
  if (header.sh_size > kMaxTableBytes || header.sh_entsize == 0) return "";
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr) return "";
  const size_t count = header.sh_size / header.sh_entsize;
  for (size_t i = 0; i < count && i < INT32_MAX; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) return "";
    if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (address < symbol.st_value || address - symbol.st_value >= symbol.st_size) continue;
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name == nullptr || *name == '\0') continue;
    const std::string_view text(name);
    return fmt::format("{}+0x{:x}", text.substr(0, kMaxNameBytes), address - symbol.st_value);
  }
  return "";
}

}  // namespace

std::string SymbolAt(int fd, uint64_t offset) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > kMaxFileBytes) return "";
  if (elf_version(EV_CURRENT) == EV_NONE) return "";
  const std::unique_ptr<Elf, ElfEnd> elf(elf_begin(fd, ELF_C_READ, nullptr));  // not mapped: it may be cut meanwhile
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return "";
  const auto address = AddressOf(elf.get(), offset);
  if (!address) return "";
  size_t sections = 0;
  if (elf_getshdrnum(elf.get(), &sections) != 0 || sections > kMaxSections) return "";
  std::string dynamic;
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) return dynamic;
    if (header.sh_type == SHT_SYMTAB) {
      if (std::string name = FindIn(elf.get(), section, header, *address); !name.empty()) return name;
    } else if (header.sh_type == SHT_DYNSYM && dynamic.empty()) {
      dynamic = FindIn(elf.get(), section, header, *address);
    }
  }
  return dynamic;
}

}  // namespace portcullis::insight
