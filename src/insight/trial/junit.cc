#include "insight/trial/junit.h"

#include <pugixml.hpp>

#include "base/strings.h"

namespace portcullis::insight {
namespace {

constexpr int kMaxDepth = 16;

std::string FirstLine(std::string_view text) {
  text = base::Trim(text);
  return std::string(base::Trim(text.substr(0, text.find('\n'))));
}

void TakeCase(const pugi::xml_node& node, SuiteReport& report) {
  ++report.tests;
  if (node.child("skipped")) ++report.skipped;
  for (const char* kind : {"failure", "error"}) {
    const pugi::xml_node failed = node.child(kind);
    if (!failed) continue;
    const std::string group = node.attribute("classname").value();
    SuiteFailure failure;
    failure.name = (group.empty() ? "" : group + ".") + node.attribute("name").value();
    failure.message = FirstLine(failed.attribute("message").value());
    if (failure.message.empty()) failure.message = FirstLine(failed.child_value());
    report.failures.push_back(std::move(failure));
    return;
  }
}

bool TakeSuite(const pugi::xml_node& suite, SuiteReport& report, int depth) {
  if (depth > kMaxDepth) return false;
  for (const pugi::xml_node& node : suite.children()) {
    const std::string_view name = node.name();
    if (name == "testcase") TakeCase(node, report);
    if (name == "testsuite" && !TakeSuite(node, report, depth + 1)) return false;
  }
  return true;
}

}  // namespace

Result<SuiteReport> ParseJUnit(std::string_view text, const std::string& name) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) {
    return Fail(Code::kInvalidArgument, "{}: byte {}: {}", name, parsed.offset, base::ToLower(parsed.description()));
  }
  const pugi::xml_node root = document.document_element();
  const std::string_view kind = root.name();
  if (kind != "testsuites" && kind != "testsuite") {
    return Fail(Code::kInvalidArgument, "{}: is no JUnit report: its root is <{}>, want <testsuites> or <testsuite>",
                name, kind);
  }
  SuiteReport report;
  if (!TakeSuite(root, report, 0)) {
    return Fail(Code::kInvalidArgument, "{}: suites are nested more than {} deep", name, kMaxDepth);
  }
  return report;
}

}  // namespace portcullis::insight
