#include "cli/output/go_template.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::cli {
namespace {

using nlohmann::json;

const json& Data() {
  static const json kData = json::parse(R"({
    "name": "web", "pid": 42, "ratio": 0.5, "on": true, "off": false, "nothing": null, "empty": [],
    "labels": {"app": "web", "a.b/c": "dotted"},
    "items": [{"id": "x1", "n": 1}, {"id": "x2", "n": 2}, {"id": "x3", "n": 3}],
    "names": ["b", "a"], "nested": [[1, 2], [3]]})");
  return kData;
}

std::string Render(const std::string& text) {
  const auto parsed = Template::Parse(text);
  if (!parsed) return "parse error: " + parsed.error().message;
  const auto out = parsed->Execute(Data());
  return out ? *out : "error: " + out.error().message;
}

struct Case {
  std::string text;
  std::string expected;
};

class GoTemplate : public testing::TestWithParam<Case> {};

TEST_P(GoTemplate, Renders) { EXPECT_EQ(Render(GetParam().text), GetParam().expected) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(
    Values, GoTemplate,
    testing::Values(Case{"plain", "plain"}, Case{"{{.name}}", "web"}, Case{"{{ .labels.app }}!", "web!"},
                    Case{"{{.pid}} {{.ratio}} {{.on}}", "42 0.5 true"}, Case{"{{.nothing}}", "<no value>"},
                    Case{"{{.labels}}", "map[a.b/c:dotted app:web]"}, Case{"{{.names}}", "[b a]"},
                    Case{"{{index .labels \"a.b/c\"}}", "dotted"}, Case{"{{index .nested 0 1}}", "2"},
                    Case{"{{(index .items 1).id}}", "x2"}, Case{"{{\"q\\n\\x41\"}}{{`r\\n`}}", "q\nAr\\n"},
                    Case{"{{'a'}} {{0x10}} {{1_000}} {{-2.5}}", "97 16 1000 -2.5"}, Case{"{{$.name}}", "web"},
                    Case{"{{/* comment */}}x", "x"}, Case{"a {{- /* c */ -}} b", "ab"},
                    Case{"a  {{- .name -}}  b", "awebb"}));

INSTANTIATE_TEST_SUITE_P(
    Control, GoTemplate,
    testing::Values(
        Case{"{{if .on}}y{{else}}n{{end}}{{if .off}}y{{else}}n{{end}}", "yn"},
        Case{"{{if .off}}1{{else if .empty}}2{{else if .pid}}3{{else}}4{{end}}", "3"},
        Case{"{{range .items}}{{.id}},{{end}}", "x1,x2,x3,"}, Case{"{{range .empty}}x{{else}}none{{end}}", "none"},
        Case{"{{range $i, $v := .names}}{{$i}}={{$v}} {{end}}", "0=b 1=a "},
        Case{"{{range $k, $v := .labels}}{{$k}}:{{$v}};{{end}}", "a.b/c:dotted;app:web;"},
        Case{"{{range $v := .names}}{{$v}}{{$.name}}{{end}}", "bwebaweb"}, Case{"{{range 3}}{{.}}{{end}}", "012"},
        Case{"{{range .items}}{{if eq .n 2}}{{continue}}{{end}}{{.n}}{{end}}", "13"},
        Case{"{{range .items}}{{if eq .n 2}}{{break}}{{end}}{{.n}}{{end}}", "1"},
        Case{"{{with .labels}}{{.app}}{{end}}{{with .empty}}x{{else}}none{{end}}", "webnone"},
        Case{"{{with .empty}}x{{else with .labels}}{{.app}}{{end}}", "web"},
        Case{"{{with $x := .pid}}{{$x}}{{end}}", "42"}, Case{"{{$x := 1}}{{if .on}}{{$x = 2}}{{end}}{{$x}}", "2"},
        Case{"{{$x := 1}}{{if .on}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"},
        Case{"{{define \"row\"}}<{{.id}}>{{end}}{{range .items}}{{template \"row\" .}}{{end}}", "<x1><x2><x3>"},
        Case{"{{block \"b\" .labels}}[{{.app}}]{{end}}", "[web]"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, GoTemplate,
    testing::Values(Case{"{{and .on .off}} {{or .off .name}} {{not .off}}", "false web true"},
                    Case{"{{or .on .labels.missing}}", "true"}, Case{"{{and .off .labels.missing}}", "false"},
                    Case{"{{eq .name \"x\" \"web\"}} {{ne .pid 42}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1.5 1}}",
                         "true false true true false true"},
                    Case{"{{lt \"a\" \"b\"}} {{eq .nothing nil}}", "true true"},
                    Case{"{{len .items}} {{len .name}}", "3 3"},
                    Case{"{{slice .name 1}} {{slice .name 0 1}} {{slice .names 1}}", "eb w [a]"},
                    Case{"{{print 1 2 \"x\" 3}}|{{println 1 \"x\"}}", "1 2x3|1 x\n"},
                    Case{"{{printf \"%-5s|%5d|%05d|%q|%v|%t|%x|%.2f|%%\" .name .pid .pid .name .names .on 255 .ratio}}",
                         "web  |   42|00042|\"web\"|[b a]|true|ff|0.50|%"},
                    Case{"{{printf \"%d %s\" \"x\"}} {{printf \"a\" 1}}",
                         "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"},
                    Case{"{{.name | printf \"%s-%s\" \"a\" | upper}}", "A-WEB"},
                    Case{"{{json .labels}}", "{\"a.b/c\":\"dotted\",\"app\":\"web\"}\n"},
                    Case{"{{html \"<a&'\"}} {{urlquery \"a b/c\"}}", "&lt;a&amp;&#39; a+b%2Fc"},
                    Case{"{{title \"two words\"}} {{lower \"ABC\"}}", "Two Words abc"}));

INSTANTIATE_TEST_SUITE_P(
    Errors, GoTemplate,
    testing::Values(
        Case{"{{.missing}}", "error: template: 1:3: at <.missing>: map has no entry for key \"missing\""},
        Case{"a\n  {{.nothing.x}}", "error: template: 2:5: at <.nothing.x>: nil data; no entry for key \"x\""},
        Case{"{{.name.x}}", "error: template: 1:3: at <.name.x>: can't evaluate field x in type string"},
        Case{"{{index .names 5}}",
             "error: template: 1:3: at <index>: error calling index: index out of range: 5 (length 2)"},
        Case{"{{eq .name 1}}", "error: template: 1:3: at <eq>: error calling eq: incompatible types for comparison"},
        Case{"{{len}}", "error: template: 1:3: at <len>: wrong number of args for len: want 1 got 0"},
        Case{"{{template \"x\"}}", "error: template: 1:1: template \"x\" not defined"},
        Case{"{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
             "error: template: 1:15: exceeded maximum template depth"},
        Case{"{{.name", "parse error: template: 1:1: unclosed action"},
        Case{"{{nope 1}}", "parse error: template: 1:3: function \"nope\" not defined"},
        Case{"{{if .on}}x", "parse error: template: 1:1: {{if}} has no {{end}}"},
        Case{"x{{end}}", "parse error: template: 1:2: unexpected {{end}}"},
        Case{"{{$x}}", "parse error: template: 1:3: undefined variable \"$x\""},
        Case{"{{break}}", "parse error: template: 1:1: {{break}} outside {{range}}"},
        Case{"{{.a | .b}}", "parse error: template: 1:8: non executable command in pipeline stage 2"},
        Case{"{{.a \"x\"}}", "parse error: template: 1:3: can't give argument to non-function .a"},
        Case{"{{\"open}}", "parse error: template: 1:3: unterminated quoted string"}));

TEST(GoTemplateLimits, DeepNestingIsAnError) {
  std::string text = "{{";
  text.append(10000, '(').append("}}");
  EXPECT_NE(Render(text).find("nested too deeply"), std::string::npos);
  std::string ifs;
  for (int i = 0; i < 10000; ++i) ifs += "{{if .on}}";
  EXPECT_NE(Render(ifs).find("nested too deeply"), std::string::npos);
  std::string elses = "{{if .off}}";
  for (int i = 0; i < 10000; ++i) elses += "{{else if .off}}";
  EXPECT_NE(Render(elses).find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::cli
