#include "runtime/container/runtime_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

TEST(CleanRuntimeMessageTest, Table) {
  const struct {
    const char* text;
    const char* want;
  } kCases[] = {
      {"time=\"2026-11-23T23:34:26Z\" level=error msg=\"runc create failed: unable to start container process: exec: "
       "\\\"/nope\\\": stat "
       "/nope: no such file or directory\"\n",
       "exec: \"/nope\": stat /nope: no such file or directory"},
      {"time=\"2026-11-30T15:38:13Z\" level=error msg=\"runc create failed: unable to start container process: error "
       "during "
       "container init: exec: \\\"/nope\\\": stat /nope: no such file or directory\"\n",  // 1.3.6
       "exec: \"/nope\": stat /nope: no such file or directory"},
      {"time=\"x\" level=warning msg=\"cgroup is odd\"\ntime=\"x\" level=error msg=\"exec failed: gone\"\n", "gone"},
      {"time=\"x\" level=warning msg=only\n", "only"},
      {"2026-11-23T20:02:42.000000Z: executable file `/nope` not found in $PATH: No such file or directory\n",
       "executable file `/nope` not found in $PATH: No such file or directory"},
      {"error: first\nsecond\n", "first; second"},
      {"time=\"x\" level=error msg=\"open quote \\\"", "open quote \""},
      {"bell \x07 rings", "bell   rings"},
      {"", "no reason given"},
      {"\n \n", "no reason given"},
  };
  for (const auto& c : kCases) EXPECT_EQ(CleanRuntimeMessage(c.text), c.want) << c.text;
  EXPECT_EQ(CleanRuntimeMessage(std::string(5000, 'x')).size(), 2003u);
}

TEST(CleanRuntimeMessageTest, IsAlwaysUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  const struct {
    std::string text;
    std::string want;
  } kCases[] = {
      {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\xB3", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\xB3"},
      {"a\xFFz", "a" + bad + "z"},
      {"a\xC3", "a" + bad},
      {"a\xC3z", "a" + bad + "z"},
      {"\xC0\xAF.", bad + bad + "."},                      // too long a form
      {"\xED\xA0\x80.", bad + bad + bad + "."},            // surrogate
      {"\xF4\x90\x80\x80.", bad + bad + bad + bad + "."},  // beyond Unicode
  };
  for (const auto& c : kCases) EXPECT_EQ(CleanRuntimeMessage(c.text), c.want);

  // 3 bytes each do not divide 2000: the limit falls within one.
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "\xE2\x82\xAC";
  EXPECT_EQ(CleanRuntimeMessage(euros), euros.substr(0, 1998) + "...");
}

TEST(SyncMessageTest, Table) {
  EXPECT_EQ(ParseSyncMessage("{\"pid\": 11261}")->pid, 11261);
  EXPECT_EQ(ParseSyncMessage("{\"exit_code\": 9}")->exit_code, 9);
  const auto failed = ParseSyncMessage("{\"pid\": -1, \"message\": \"no\\n\"}");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->pid, -1);
  EXPECT_EQ(failed->message, "no\n");
  for (const char* bad : {"", "12", "[]", "{}", "{\"pid\": \"12\"}", "{\"pid\": 1"}) {
    EXPECT_FALSE(ParseSyncMessage(bad)) << bad;
  }
}

}  // namespace
}  // namespace portcullis::runtime
