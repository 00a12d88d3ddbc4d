#include "base/json_pointer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::base {
namespace {

TEST(JsonPointer, NamesWhatIsThere) {
  for (const char* key : {"", "a", "a/b", "~", "~1", "/", "a b", "\xc3\xa9"}) {
    const nlohmann::json json = {{"x", {{key, 7}}}};
    EXPECT_EQ(json.at(nlohmann::json::json_pointer(ChildPointer("/x", key))), 7) << key;
  }
  EXPECT_EQ(ChildPointer("", "a"), "/a");
  EXPECT_EQ(ChildPointer("/metadata/annotations", "a/b~c"), "/metadata/annotations/a~1b~0c");
}

}  // namespace
}  // namespace portcullis::base
