#include "runtime/trial/ending_program.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace portcullis::runtime {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
// mov eax, 231 (exit_group); xor edi, edi; syscall; hlt
constexpr uint8_t kCode[] = {0xb8, 0xe7, 0x00, 0x00, 0x00, 0x31, 0xff, 0x0f, 0x05, 0xf4};
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
// mov x8, #94 (exit_group); mov x0, #0; svc #0; udf #0
constexpr uint8_t kCode[] = {0xc8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2,
                             0x01, 0x00, 0x00, 0xd4, 0x00, 0x00, 0x00, 0x00};
#else
constexpr uint16_t kMachine = EM_NONE;
constexpr uint8_t kCode[] = {0};
#endif

constexpr uint64_t kAddress = 0x400000;

}  // namespace

std::string EndingProgram() {
  if (kMachine == EM_NONE) return "";
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = kMachine;
  header.e_version = EV_CURRENT;
  header.e_entry = kAddress + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = kAddress;
  segment.p_filesz = segment.p_memsz = sizeof header + sizeof segment + sizeof kCode;
  segment.p_align = 0x1000;
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return file.append(reinterpret_cast<const char*>(kCode), sizeof kCode);
}

}  // namespace portcullis::runtime
