// The function at an offset of an ELF file, from its symbol tables (.symtab, else .dynsym).
//
//   ASSIGN_OR_RETURN(const base::UniqueFd file, base::OpenInRoot(root, "/usr/lib/x86_64-linux-gnu/libc.so.6",
//   O_RDONLY)); SymbolAt(file.get(), 0x11e88d)   -> "mount+0xb"
//
// The file is the container's, so it may be anything: it is read, not mapped, within limits, by libelf.
#pragma once

#include <cstdint>
#include <string>

namespace portcullis::insight {

// `offset` is a file offset of code. "" when the file is no ELF file of a sane size, or has no function there.
std::string SymbolAt(int fd, uint64_t offset);

}  // namespace portcullis::insight
