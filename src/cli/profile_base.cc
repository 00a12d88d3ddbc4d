#include "cli/profile_base.h"

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::cli {
namespace {

// Profiles are JSON objects; deltas may be, but are mostly written as YAML.
bool LooksLikeJson(const std::string& text) { return base::Trim(text).starts_with('{'); }

}  // namespace

Result<ProfileBase> ReadProfileBase(const std::string& word, const ResolveWords& words) {
  ProfileBase base;
  auto operand = ReadOperand(word);
  if (!operand && word != "-" && base::Exists(word)) {
    ASSIGN_OR_RETURN(base.delta_text, ReadOperandText(word));
    auto delta = algebra::ParseDelta(base.delta_text, word);
    if (!delta) return Failure(LooksLikeJson(base.delta_text) ? operand.error() : delta.error());
    if (delta->base.empty()) {
      return Fail(Code::kInvalidArgument, "{} names no base: add a line such as base: RuntimeDefault@containerd-2.2",
                  word);
    }
    base.delta = *std::move(delta);
    operand = ReadOperand(base.delta->base);
  }
  if (!operand) return Failure(operand.error());
  base.name = base.delta ? word : operand->name;
  base.operand = *std::move(operand);
  ASSIGN_OR_RETURN(base.context, ToContext(words, base.operand));
  ASSIGN_OR_RETURN(base.resolved, ResolveOperand(base.operand, base.context));
  if (!base.delta) return base;
  auto applied = algebra::Apply(base.resolved, *base.delta, base.context.host);
  if (!applied) return Wrap(applied.error(), "{} on {}", word, base.operand.name);
  base.resolved = *std::move(applied);
  return base;
}

}  // namespace portcullis::cli
