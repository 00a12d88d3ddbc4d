#include "insight/recorder/symbol.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/files.h"
#include "base/unique_fd.h"

namespace portcullis::insight {
namespace {

using testing::StartsWith;

// A file that is gone when its descriptor is.
base::UniqueFd FileWith(std::string_view content) {
  base::UniqueFd file(::memfd_create("symbol_test", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  return file;
}

struct Code {
  std::string path;
  uint64_t offset = 0;
};

// Where a function of the C library is in its file; its code's segment begins at a file offset equal to its address.
Code CodeOf(const char* function) {
  void* address = ::dlsym(RTLD_NEXT, function);
  Dl_info info = {};
  EXPECT_NE(address, nullptr);
  EXPECT_NE(::dladdr(address, &info), 0);
  return {info.dli_fname, reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(info.dli_fbase)};
}

TEST(Symbol, FindsTheFunctionAround) {
  const Code code = CodeOf("mount");
  const base::UniqueFd file(::open(code.path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  EXPECT_EQ(SymbolAt(file.get(), code.offset + 0xb), "mount+0xb");
  EXPECT_EQ(SymbolAt(file.get(), 1u << 30), "");
}

TEST(Symbol, FilesThatAreNoElfHaveNone) {
  EXPECT_EQ(SymbolAt(-1, 0), "");
  EXPECT_EQ(SymbolAt(FileWith("").get(), 0), "");
  EXPECT_EQ(SymbolAt(FileWith("#!/bin/sh\n").get(), 2), "");
  EXPECT_EQ(SymbolAt(FileWith("\177ELF").get(), 2), "");
  const base::UniqueFd folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(SymbolAt(folder.get(), 0), "");
}

// Every byte of the headers damaged in turn, and the file cut at many places: an answer or none, never a crash.
TEST(Symbol, SurvivesDamage) {
  const auto whole = base::ReadFile("/usr/bin/true", 1u << 20);
  ASSERT_TRUE(whole);
  const std::string& text = *whole;
  const auto try_it = [](const std::string& content) {
    const base::UniqueFd file = FileWith(content);
    for (const uint64_t offset : {uint64_t{0}, uint64_t{0x2000}, UINT64_MAX}) SymbolAt(file.get(), offset);
  };
  for (size_t at = 0; at < 64 + 56 * 8 && at < text.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string damaged = text;
      damaged[at] = value;
      try_it(damaged);
    }
  }
  ElfW(Ehdr) header = {};
  ASSERT_GE(text.size(), sizeof(header));
  std::memcpy(&header, text.data(), sizeof(header));
  for (size_t at = header.e_shoff; at < text.size(); at += 3) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    try_it(damaged);
  }
  for (size_t length = 0; length < text.size(); length += 997) try_it(text.substr(0, length));
}

}  // namespace
}  // namespace portcullis::insight
