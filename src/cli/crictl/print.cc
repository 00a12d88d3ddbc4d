#include "cli/crictl/print.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/clock.h"
#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/output/go_template.h"
#include "cli/output/yaml.h"

namespace portcullis::cli {

Result<Format> ChooseFormat(const OutputOptions& output, Format fallback) {
  if (output.format.empty()) return fallback;
  if (output.format == "table") return Format::kTable;
  if (output.format == "json") return Format::kJson;
  if (output.format == "yaml") return Format::kYaml;
  if (output.format == "go-template") {
    if (output.template_text.empty()) {
      return Fail(Code::kInvalidArgument, "template string is empty, give one with --template '{{{{...}}}}'");
    }
    TRY(Template::Parse(output.template_text));
    return Format::kGoTemplate;
  }
  return Fail(Code::kInvalidArgument, "unsupported output format {}, use one of table, json, yaml, go-template",
              base::Quote(output.format));
}

Result<void> PrintDocument(Session& session, const nlohmann::json& document, Format format,
                           const OutputOptions& output) {
  if (format == Format::kYaml) {
    session.out << ToYaml(document);
  } else if (format == Format::kGoTemplate) {
    ASSIGN_OR_RETURN(const Template parsed, Template::Parse(output.template_text));
    ASSIGN_OR_RETURN(const std::string text, parsed.Execute(document));
    session.out << text << '\n';
  } else {
    session.out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  return {};
}

Result<nlohmann::json> StatusDocument(nlohmann::json status, const std::map<std::string, std::string>& info) {
  nlohmann::json document = {{"status", std::move(status)}};
  for (const auto& [key, value] : info) {
    if (value.starts_with('{')) {
      ASSIGN_OR_RETURN(document[key], base::ParseJson(value, "info of the runtime, key " + key));
      continue;
    }
    std::string_view text = value;
    while (text.starts_with('"')) text.remove_prefix(1);
    while (text.ends_with('"')) text.remove_suffix(1);
    document[key] = std::string(text);
  }
  return document;
}

nlohmann::json OneOrMany(std::vector<nlohmann::json> documents) {
  if (documents.size() == 1) return std::move(documents.front());
  return nlohmann::json(std::move(documents));
}

std::string Timestamp(int64_t unix_nanoseconds) { return base::FormatRfc3339Nano(unix_nanoseconds); }

void PrintMap(Session& session, std::string_view title, const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  session.out << title << ":\n";
  for (const auto& [key, value] : map) session.out << '\t' << key << " -> " << value << '\n';
}

}  // namespace portcullis::cli
