// Go's text/template over JSON data, for `-o go-template --template '{{range .containers}}{{.id}}{{"\n"}}{{end}}'`.
//
// Has: text, {{- trim -}}, comments, fields and chains (.a.b, $x.y, (pipeline).z), variables ($x := 1, $x = 2),
// pipelines, if / else if / else, range (over lists, maps in key order and whole numbers; $i, $v; else; break,
// continue), with / else with / else, define, block, template, and the functions and or not eq ne lt le gt ge len index
// slice print printf println html urlquery json lower upper title (the last four are crictl's own). Differs from Go on
// purpose: numbers are numbers (Go's crictl has them as text), so {{if eq .info.pid 1}} works. As in crictl, a key that
// a map lacks is an error, not "<no value>".
//
//   ASSIGN_OR_RETURN(Template t, Template::Parse("{{.status.id}}"));
//   ASSIGN_OR_RETURN(std::string text, t.Execute(json));
//
// Errors say where: `template: 1:7: function "foo" not defined`, `template: 1:2: at <.x>: map has no entry for key
// "x"`.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::cli {

namespace go_template {
struct Program;
}

class Template {
 public:
  static Result<Template> Parse(std::string_view text);

  Result<std::string> Execute(const nlohmann::json& data) const;

 private:
  explicit Template(std::shared_ptr<const go_template::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const go_template::Program> program_;
};

}  // namespace portcullis::cli
