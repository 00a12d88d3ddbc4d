#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/strings.h"

namespace portcullis::cli {

struct CommandLine::State {
  CLI::App app;
  std::set<std::string> booleans;
  std::string group = "Options";
  std::optional<std::string> fault;  // an error found by a callback, in Kubernetes' words

  State(const std::string& name, const std::string& description) : app(description, name) {}
};

namespace {

// Go's flag packages name the flag and the reason in this form.
std::string BadBool(const std::string& value, const std::string& flag) {
  return fmt::format("invalid argument {} for {} flag: strconv.ParseBool: parsing {}: invalid syntax",
                     base::Quote(value), base::Quote(flag), base::Quote(value));
}

CommandLine::Take TakeBool(const std::string& flag, std::function<void(bool)> set) {
  return [flag, set = std::move(set)](const std::string& value) -> Result<void> {
    const auto parsed = base::ParseGoBool(value);
    if (!parsed) return Fail(Code::kInvalidArgument, "{}", BadBool(value, flag));
    set(*parsed);
    return {};
  };
}

}  // namespace

CommandLine::CommandLine(const std::string& name, const std::string& description)
    : state_(std::make_unique<State>(name, description)) {
  state_->app.set_help_flag("-h,--help", "print this text and exit");
  state_->app.get_formatter()->column_width(38);
}
CommandLine::~CommandLine() = default;

void CommandLine::Text(const std::string& flag, std::string* target, const std::string& help) {
  auto* option = state_->app.add_option(flag, *target, help)->group(state_->group);
  if (!target->empty()) option->capture_default_str();
}

void CommandLine::Number(const std::string& flag, int* target, const std::string& help) {
  state_->app.add_option(flag, *target, help)->capture_default_str()->group(state_->group);
}

void CommandLine::Bool(const std::string& flag, bool* target, const std::string& help) {
  Each(flag, TakeBool(flag, [target](bool value) { *target = value; }), help, true);
}

void CommandLine::OptionalBool(const std::string& flag, std::optional<bool>* target, const std::string& help) {
  Each(flag, TakeBool(flag, [target](bool value) { *target = value; }), help, true);
}

void CommandLine::Each(const std::string& flag, Take take, const std::string& help, bool is_switch) {
  auto callback = [this, take = std::move(take)](const CLI::results_t& values) {
    for (const std::string& value : values) {
      if (auto taken = take(value); !taken) {
        if (!state_->fault) state_->fault = taken.error().message;
        return false;
      }
    }
    return true;
  };
  auto* option = state_->app.add_option(flag, std::move(callback), help);
  option->take_all()->allow_extra_args(false)->type_name(is_switch ? "" : "VALUE")->group(state_->group);
  if (is_switch) state_->booleans.insert(flag);
}

void CommandLine::Positional(const std::string& name, std::vector<std::string>* target, const std::string& help,
                             bool required) {
  auto* option = state_->app.add_option(name, *target, help);
  if (required) option->required();
  if (help.empty()) option->group("");  // only there to be refused
}

void CommandLine::Footer(const std::string& text) { state_->app.footer(text); }

namespace {

// What was meant by the first flag that there is none of: " (did you mean --format?)", "" when nothing is near.
std::string NearestFlag(const CLI::App& app, const std::vector<std::string>& args) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const std::string& arg : args) {
    const std::string flag = arg.substr(0, arg.find('='));
    if (!flag.starts_with("--") || std::ranges::find(known, flag) != known.end()) continue;
    const auto nearest = base::Nearest(flag, names);
    return nearest ? fmt::format(" (did you mean {}?)", *nearest) : "";
  }
  return "";
}

}  // namespace

std::optional<int> CommandLine::Parse(std::vector<std::string> args, const std::string& error_prefix) {
  for (std::string& arg : args) {
    if (!arg.starts_with("--")) continue;
    const size_t equals = std::min(arg.find('='), arg.size());
    std::replace(arg.begin(), arg.begin() + static_cast<std::ptrdiff_t>(equals), '_', '-');
    if (equals == arg.size() && state_->booleans.count(arg) > 0) arg += "=true";
  }
  // CLI11 would give "--x=" the next word as its value; an empty value is a value.
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with("--") || !args[i].ends_with('=')) continue;
    args[i].pop_back();
    args.insert(args.begin() + static_cast<std::ptrdiff_t>(i) + 1, "");
  }
  std::vector<std::string> stack(args.rbegin(), args.rend());  // as CLI11 takes it
  try {
    state_->app.parse(std::move(stack));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(state_->app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::string what = state_->fault.value_or(error.what());
    const bool is_unknown = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
    if (!state_->fault && is_unknown) what += NearestFlag(state_->app, args);
    std::fprintf(stderr, "%s: %s%s\n", state_->app.get_name().c_str(), error_prefix.c_str(), what.c_str());
    std::fprintf(stderr, "try: %s --help\n", state_->app.get_name().c_str());
    return 1;
  }
}

void CommandLine::Group(const std::string& name) { state_->group = name; }

std::vector<std::string> CommandLine::GivenIn(const std::string& group) const {
  std::vector<std::string> given;
  for (const CLI::Option* option : state_->app.get_options()) {
    if (option->get_group() == group && option->count() > 0) given.push_back(option->get_name());
  }
  return given;
}

DashedWords SplitAtDashes(const std::vector<std::string>& args) {
  const auto dashes = std::ranges::find(args, "--");
  if (dashes == args.end()) return {args, {}};
  return {{args.begin(), dashes}, {dashes + 1, args.end()}};
}

}  // namespace portcullis::cli
