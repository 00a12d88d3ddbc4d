#include "cli/output/go_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/try.h"
#include "cli/output/go_print.h"
#include "cli/output/template_functions.h"
#include "cli/output/template_lexer.h"
#include "cli/output/template_parser.h"

namespace portcullis::cli {
namespace go_template {
namespace {

using Json = nlohmann::json;
// A value somewhere inside the data (kept alive by its owner) or made on the way. Never null: JSON null is Go's nil.
using Value = std::shared_ptr<const Json>;

constexpr int kMaxDepth = 1000;           // of {{template}} calling itself
constexpr size_t kMaxOutput = 64u << 20;  // a template that ranges over ranges must end too

Value Own(Json json) { return std::make_shared<const Json>(std::move(json)); }
Value Inside(const Value& owner, const Json& part) { return Value(owner, &part); }

enum class Flow { kNext, kBreak, kContinue };

struct Variable {
  std::string name;
  Value value;
};

class Executor {
 public:
  Executor(const Program& program, std::string& out) : program_(program), out_(out) {}

  Result<void> Run(const Value& data) {
    variables_ = {{"$", data}};
    ASSIGN_OR_RETURN(const Flow flow, Walk(program_.main, data));
    (void)flow;
    return {};
  }

 private:
  Result<Flow> Walk(const std::vector<Node>& nodes, const Value& dot) {
    for (const Node& node : nodes) {
      ASSIGN_OR_RETURN(const Flow flow, Step(node, dot));
      if (flow != Flow::kNext) return flow;
      if (out_.size() > kMaxOutput) return TemplateError(node.place, "the output is too large");
    }
    return Flow::kNext;
  }

  Result<Flow> Step(const Node& node, const Value& dot) {
    switch (node.kind) {
      case Node::Kind::kText:
        out_ += node.text;
        return Flow::kNext;
      case Node::Kind::kAction: {
        ASSIGN_OR_RETURN(const Value value, Evaluate(node.pipeline, dot));
        if (node.pipeline.variables.empty()) out_ += value->is_null() ? "<no value>" : GoPrint(*value);
        return Flow::kNext;
      }
      case Node::Kind::kIf:
      case Node::Kind::kWith:
        return Branch(node, dot);
      case Node::Kind::kRange:
        return Range(node, dot);
      case Node::Kind::kTemplate:
        return Call(node, dot);
      case Node::Kind::kBreak:
        return Flow::kBreak;
      case Node::Kind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kNext;
  }

  Result<Flow> Branch(const Node& node, const Value& dot) {
    const size_t scope = variables_.size();
    ASSIGN_OR_RETURN(const Value value, Evaluate(node.pipeline, dot));
    const bool chosen = Truth(*value);
    const bool moves_dot = chosen && node.kind == Node::Kind::kWith;
    auto flow = Walk(chosen ? node.body : node.otherwise, moves_dot ? value : dot);
    variables_.resize(scope);
    return flow;
  }

  Result<Flow> Range(const Node& node, const Value& dot) {
    const size_t scope = variables_.size();
    ASSIGN_OR_RETURN(const Value value, Evaluate(node.pipeline, dot));
    bool any = false;
    bool broken = false;
    const auto visit = [&](Json key, const Value& item) -> Result<void> {
      any = true;
      TRY(SetRangeVariables(node.pipeline, std::move(key), item));
      const size_t inner = variables_.size();
      ASSIGN_OR_RETURN(const Flow flow, Walk(node.body, item));
      variables_.resize(inner);
      broken = flow == Flow::kBreak;
      return {};
    };
    if (value->is_array()) {
      for (size_t i = 0; i < value->size() && !broken; ++i) TRY(visit(i, Inside(value, (*value)[i])));
    } else if (value->is_object()) {
      for (auto item = value->begin(); item != value->end() && !broken; ++item) {
        TRY(visit(item.key(), Inside(value, item.value())));
      }
    } else if (value->is_number_integer()) {
      for (int64_t i = 0; i < value->get<int64_t>() && !broken; ++i) TRY(visit(i, Own(i)));
    } else if (!value->is_null()) {
      return TemplateError(node.place, "range can't iterate over " + GoPrint(*value));
    }
    variables_.resize(scope);
    if (!any) return Walk(node.otherwise, dot);
    return Flow::kNext;
  }

  // One variable gets the element, two get index and element; Evaluate has declared them already.
  Result<void> SetRangeVariables(const Pipeline& pipeline, Json key, const Value& item) {
    if (pipeline.variables.size() == 1) return Set(pipeline.variables[0], item, pipeline.place);
    if (pipeline.variables.size() == 2) {
      TRY(Set(pipeline.variables[0], Own(std::move(key)), pipeline.place));
      return Set(pipeline.variables[1], item, pipeline.place);
    }
    return {};
  }

  Result<Flow> Call(const Node& node, const Value& dot) {
    const auto found = program_.named.find(node.text);
    if (found == program_.named.end()) return TemplateError(node.place, "template \"" + node.text + "\" not defined");
    if (depth_ >= kMaxDepth) return TemplateError(node.place, "exceeded maximum template depth");
    Value argument = Own(nullptr);
    if (!node.pipeline.commands.empty()) {
      ASSIGN_OR_RETURN(argument, Evaluate(node.pipeline, dot));
    }
    std::vector<Variable> outer = std::exchange(variables_, {{"$", argument}});
    ++depth_;
    auto flow = Walk(found->second, argument);
    --depth_;
    variables_ = std::move(outer);
    if (!flow) return flow;
    return Flow::kNext;
  }

  Result<Value> Evaluate(const Pipeline& pipeline, const Value& dot) {
    Value value;
    for (const Command& command : pipeline.commands) {
      ASSIGN_OR_RETURN(value, EvaluateCommand(command, dot, value));
    }
    for (const std::string& name : pipeline.variables) {
      if (pipeline.declares) {
        variables_.push_back({name, value});
      } else {
        TRY(Set(name, value, pipeline.place));
      }
    }
    return value;
  }

  // `last` is the value piped in, or nothing for the first command.
  Result<Value> EvaluateCommand(const Command& command, const Value& dot, const Value& last) {
    const Operand& first = command.operands.front();
    if (first.kind != Operand::Kind::kFunction) return EvaluateOperand(first, dot);
    if (!first.fields.empty()) return EvaluateOperand(first, dot);
    if (IsShortCircuit(first.name)) return ShortCircuit(command, dot, last);
    std::vector<Json> arguments;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      ASSIGN_OR_RETURN(const Value argument, EvaluateOperand(command.operands[i], dot));
      arguments.push_back(*argument);
    }
    if (last) arguments.push_back(*last);
    auto result = CallFunction(first.name, arguments);
    if (!result) return TemplateError(first.place, "at <" + first.text + ">: " + result.error().message);
    return Own(std::move(*result));
  }

  // and: the first false value or the last; or: the first true value or the last. Nothing behind it is evaluated.
  Result<Value> ShortCircuit(const Command& command, const Value& dot, const Value& last) {
    const bool stops_on = command.operands.front().name == "or";
    Value value;
    for (size_t i = 1; i < command.operands.size(); ++i) {
      ASSIGN_OR_RETURN(value, EvaluateOperand(command.operands[i], dot));
      if (Truth(*value) == stops_on) return value;
    }
    if (last) return last;
    if (value) return value;
    const Operand& name = command.operands.front();
    return TemplateError(name.place,
                         "at <" + name.text + ">: wrong number of args for " + name.name + ": want at least 1 got 0");
  }

  Result<Value> EvaluateOperand(const Operand& operand, const Value& dot) {
    Value value;
    switch (operand.kind) {
      case Operand::Kind::kDot:
        value = dot;
        break;
      case Operand::Kind::kVariable: {
        const auto found = Find(operand.name);
        if (found == variables_.rend()) return TemplateError(operand.place, "undefined variable: " + operand.name);
        value = found->value;
        break;
      }
      case Operand::Kind::kLiteral:
        value = Own(operand.literal);
        break;
      case Operand::Kind::kNil:
        value = Own(nullptr);
        break;
      case Operand::Kind::kFunction: {
        Operand bare = operand;
        bare.fields.clear();
        Command call;
        call.operands.push_back(std::move(bare));
        ASSIGN_OR_RETURN(value, EvaluateCommand(call, dot, nullptr));
        break;
      }
      case Operand::Kind::kPipeline: {
        const size_t scope = variables_.size();
        ASSIGN_OR_RETURN(value, Evaluate(*operand.pipeline, dot));
        variables_.resize(scope);
        break;
      }
    }
    for (const std::string& field : operand.fields) {
      ASSIGN_OR_RETURN(value, Field(operand, value, field));
    }
    return value;
  }

  Result<Value> Field(const Operand& operand, const Value& value, const std::string& field) {
    const std::string at = "at <" + operand.text + ">: ";
    if (value->is_null()) return TemplateError(operand.place, at + "nil data; no entry for key \"" + field + "\"");
    if (!value->is_object()) {
      return TemplateError(operand.place,
                           at + "can't evaluate field " + field + " in type " + std::string(value->type_name()));
    }
    const auto found = value->find(field);
    if (found == value->end()) {
      return TemplateError(operand.place, at + "map has no entry for key \"" + field + "\"");
    }
    return Inside(value, *found);
  }

  std::vector<Variable>::reverse_iterator Find(const std::string& name) {
    return std::find_if(variables_.rbegin(), variables_.rend(), [&](const Variable& v) { return v.name == name; });
  }

  Result<void> Set(const std::string& name, Value value, const Place& place) {
    const auto found = Find(name);
    if (found == variables_.rend()) return TemplateError(place, "undefined variable: " + name);
    found->value = std::move(value);
    return {};
  }

  const Program& program_;
  std::string& out_;
  std::vector<Variable> variables_;
  int depth_ = 0;
};

}  // namespace
}  // namespace go_template

Result<Template> Template::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(go_template::Program program, go_template::ParseProgram(text));
  return Template(std::make_shared<const go_template::Program>(std::move(program)));
}

Result<std::string> Template::Execute(const nlohmann::json& data) const {
  std::string out;
  const std::shared_ptr<const nlohmann::json> root(std::shared_ptr<const nlohmann::json>(), &data);
  TRY(go_template::Executor(*program_, out).Run(root));
  return out;
}

}  // namespace portcullis::cli
