#include "insight/recorder/audit_witness.h"

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "insight/evidence/audit_merge.h"
#include "insight/live/audit_control.h"

namespace portcullis::insight {
namespace {

constexpr char kActionsLogged[] = "/proc/sys/kernel/seccomp/actions_logged";

// "" when the kernel writes records of all kills.
std::string WhyKillsAreHidden() {
  const auto text = base::ReadFile(kActionsLogged);
  if (!text) return "";  // before 4.14 nothing can be left out
  const auto words = base::Split(base::Trim(*text), ' ');
  for (const char* word : {"kill_process", "kill_thread"}) {
    if (std::ranges::find(words, word) == words.end()) {
      return fmt::format("kernel.seccomp.actions_logged has no {}", word);
    }
  }
  return "";
}

}  // namespace

AuditWitness::AuditWitness(const EbpfRecorder& recorder) : recorder_(recorder) {
  const BlindSpots blind = recorder.blind_spots();
  if (!blind.kills && !blind.logged) return;
  if (auto opened = Open(); !opened) {
    audit_.reset();
    why_not_ = opened.error().message;
  }
  kills_are_hidden_ = WhyKillsAreHidden();
}

Result<void> AuditWitness::Open() {
  ASSIGN_OR_RETURN(LiveAudit audit, LiveAudit::Open(AuditSource::kMulticast));
  ASSIGN_OR_RETURN(const auto rules, ReadExcludeRules());
  if (!rules.empty()) return Fail(Code::kFailedPrecondition, "an audit rule hides records: {}", rules.front().text);
  audit_ = std::move(audit);
  return {};
}

void AuditWitness::Take(const AuditRecord& record) {
  const auto writer = recorder_.WriterOf(record.pid, record.time_unix_nanos);
  if (!writer) return;
  records_.Add({.workload = records_.AddWorkload(recorder_.workloads()[writer->workload]),
                .executable = DecodeAuditString(record.exe),
                .comm = DecodeAuditString(record.comm),
                .phase = writer->phase,
                .audit_arch = record.arch,
                .number = record.number,
                .result = ResultOfCode(record.code)},
               {.count = 1, .first = record.time_unix_nanos, .last = record.time_unix_nanos, .address = record.ip});
}

void AuditWitness::Read() {
  if (!audit_) return;
  if (auto read = audit_->Receive(std::chrono::milliseconds(0), [this](const auto& record) { Take(record); }); !read) {
    audit_.reset();
    why_not_ = read.error().message;
  }
}

void AuditWitness::Testify(Evidence& evidence) {
  const BlindSpots blind = recorder_.blind_spots();
  if (audit_) {
    const auto all = audit_->ReceiveAllSoFar([this](const auto& record) { Take(record); });
    if (!all) evidence.completeness.AddLoss({"audit", 0, "the last records: " + all.error().message});
    for (Loss& loss : audit_->Losses()) evidence.completeness.AddLoss(std::move(loss));
    for (const Loss& loss : records_.completeness.losses) evidence.completeness.AddLoss(loss);
    audit_.reset();
  }
  MergeAuditRecords(records_, {.logged = blind.logged, .kills = blind.kills}, evidence);
  // What can still not be seen, and why.
  const auto settle = [&](std::string_view what, const std::string& why) {
    if (evidence.completeness.unseen.erase(std::string(what)) == 0 || why.empty()) return;
    evidence.completeness.unseen.insert(fmt::format("{}: {}", what, why));
  };
  settle(unseen::kOnlyLogged, why_not_);
  settle(unseen::kKills, why_not_.empty() ? kills_are_hidden_ : why_not_);
}

}  // namespace portcullis::insight
