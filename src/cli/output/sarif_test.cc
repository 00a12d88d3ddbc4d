#include "cli/output/sarif.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::cli {
namespace {

TEST(SarifLocation, NamesAFileByAReferenceOfRfc3986) {
  const struct {
    const char* file;
    const char* uri;
  } kCases[] = {
      {"app/web.yaml", "app/web.yaml"},
      {"/etc/pods/my web#1.yaml", "/etc/pods/my%20web%231.yaml"},
      {"100%.yaml", "100%25.yaml"},
      {"a:b.yaml", "./a:b.yaml"},
      {"x/a:b.yaml", "x/a:b.yaml"},
      {"gr\xc3\xb6\xc3\x9f"
       "e.yaml",
       "gr%C3%B6%C3%9Fe.yaml"},
      {"http://127.0.0.1:10248/pods", "http://127.0.0.1:10248/pods"},
  };
  for (const auto& c : kCases) {
    const nlohmann::json location = SarifLocation(c.file, 3, "field");
    EXPECT_EQ(location["physicalLocation"]["artifactLocation"]["uri"], c.uri);
    EXPECT_EQ(location["physicalLocation"]["region"]["startLine"], 3);
    EXPECT_EQ(location["logicalLocations"][0]["fullyQualifiedName"], "field");
  }
  EXPECT_EQ(SarifLocation("x", 0, "")["physicalLocation"]["region"]["startLine"], 1);
}

}  // namespace
}  // namespace portcullis::cli
