#include "insight/recorder/kernel_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace portcullis::insight {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kX86_64 = 0xc000003e;
constexpr uint32_t kI386 = 0x40000003;
constexpr int64_t kOffset = 1'700'000'000'000'000'000;

rec_file FileOf(std::string_view raw) {
  rec_file file = {};
  file.length = static_cast<u16>(raw.size());
  std::memcpy(file.path, raw.data(), raw.size());
  return file;
}

rec_key KeyOf(uint32_t number, u8 result = REC_ALLOWED) {
  rec_key key = {};
  key.workload = 1;
  key.number = number;
  key.phase = REC_INIT;
  key.result = result;
  return key;
}

KernelCounts CountsOf(const std::vector<std::pair<rec_key, rec_value>>& calls) {
  KernelCounts counts;
  counts.calls = calls;
  counts.monotonic_to_unix_nanos = kOffset;
  return counts;
}

Evidence EvidenceOf(const KernelCounts& counts, const FindSymbol& find_symbol = {}) {
  const std::vector<Workload> workloads = {{.pod = "web", .container = "nginx"}};
  return ToEvidence(counts, workloads, find_symbol);
}

TEST(PathOf, TurnsTheComponentsRound) {
  EXPECT_EQ(PathOf(FileOf(std::string_view("redis-server\0bin\0usr\0", 21))), "/usr/bin/redis-server");
  EXPECT_EQ(PathOf(FileOf(std::string_view("sh\0", 3))), "/sh");
  EXPECT_EQ(PathOf(FileOf("")), "");
}

TEST(PathOf, SaysWhatIsNoPathOrNotAllOfOne) {
  rec_file file = FileOf(std::string_view("memfd:runc\0", 11));
  file.detached = 1;
  EXPECT_EQ(PathOf(file), "memfd:runc");
  file = FileOf(std::string_view("c\0b\0", 4));
  file.truncated = 1;
  EXPECT_EQ(PathOf(file), ".../b/c");
}

TEST(PathOf, StaysInTheBuffer) {
  rec_file file = {};
  std::memset(file.path, 'x', sizeof(file.path));  // no NUL at all
  file.length = UINT16_MAX;
  EXPECT_EQ(PathOf(file).size(), sizeof(file.path) + 1);
}

TEST(SumOf, AddsProcessorsUp) {
  const std::vector<rec_value> parts = {
      {.count = 3, .first = 50, .last = 60, .ip = 7},
      {},
      {.count = -1, .first = 40, .last = 45, .ip = 8, .module_offset = 0x10, .module = 2},
  };
  const rec_value sum = SumOf(parts);
  EXPECT_EQ(sum.count, 2);
  EXPECT_EQ(sum.first, 40u);
  EXPECT_EQ(sum.last, 60u);
  EXPECT_EQ(sum.ip, 8u);  // where the module is known
  EXPECT_EQ(sum.module, 2u);
}

TEST(ToEvidence, NamesCallsByTheirAbi) {
  rec_key compat = KeyOf(359);
  compat.abi = 1;
  const Evidence evidence =
      EvidenceOf(CountsOf({{KeyOf(41), {.count = 2, .first = 10, .last = 20, .ip = 5}}, {compat, {.count = 1}}}));
  ASSERT_EQ(evidence.calls().size(), 2u);
  EXPECT_EQ(evidence.calls().begin()->first.audit_arch, kI386);
  const auto& [call, facts] = *evidence.calls().rbegin();
  EXPECT_EQ(call.audit_arch, kX86_64);
  EXPECT_EQ(call.number, 41u);
  EXPECT_EQ(call.phase, Phase::kInit);
  EXPECT_EQ(call.result, CallResult::kAllowed);
  EXPECT_EQ(facts.first, kOffset + 10);
  EXPECT_EQ(facts.last, kOffset + 20);
  EXPECT_EQ(facts.address, 5u);
  EXPECT_EQ(evidence.workloads().front().pod, "web");
  EXPECT_TRUE(evidence.IsComplete());
}

TEST(ToEvidence, ArgumentsKeepTheirPlaces) {
  rec_key key = KeyOf(41, REC_ERRNO);
  key.args = 0b101;
  key.arg[0] = 38;
  key.arg[1] = 7;
  key.error = 97;
  const Evidence evidence = EvidenceOf(CountsOf({{key, {.count = 1}}}));
  const Call& call = evidence.calls().begin()->first;
  EXPECT_THAT(call.arguments, ElementsAre(CallArgument{0, 38}, CallArgument{2, 7}));
  EXPECT_EQ(call.result, CallResult::kErrno);
  EXPECT_EQ(call.error, 97);
}

TEST(ToEvidence, CallsThatAllFailedAreNoSuccess) {
  // Counted at the entry, moved at the exit.
  rec_key failed = KeyOf(2);
  failed.error = 2;
  const Evidence evidence = EvidenceOf(CountsOf({{KeyOf(2), {.count = 0, .first = 1}}, {failed, {.count = 4}}}));
  ASSERT_EQ(evidence.calls().size(), 1u);
  EXPECT_EQ(evidence.calls().begin()->first.error, 2);
  EXPECT_EQ(evidence.calls().begin()->second.count, 4u);
}

TEST(ToEvidence, TellsWhereACallCameFrom) {
  KernelCounts counts =
      CountsOf({{KeyOf(165, REC_ERRNO), {.count = 1, .ip = 9, .module_offset = 0x11e88d, .module = 2}}});
  counts.calls[0].first.executable = 1;
  counts.files[1] = {"/bin/mount", "mount"};
  counts.files[2] = {"/usr/lib/libc.so.6", ""};
  const Evidence evidence = EvidenceOf(counts, [](size_t workload, const std::string& path, uint64_t offset) {
    return fmt::format("{} {} {:x}", workload, path, offset);
  });
  const auto& [call, facts] = *evidence.calls().begin();
  EXPECT_EQ(call.executable, "/bin/mount");
  EXPECT_EQ(call.comm, "mount");
  EXPECT_EQ(facts.location, "/usr/lib/libc.so.6+0x11e88d");
  EXPECT_EQ(facts.symbol, "0 /usr/lib/libc.so.6 11e88d");
}

TEST(ToEvidence, EveryLossMakesItIncomplete) {
  const auto losses_of = [](const auto& change) {
    KernelCounts counts;
    change(counts);
    return EvidenceOf(counts).completeness.losses;
  };
  EXPECT_THAT(losses_of([](KernelCounts&) {}), IsEmpty());
  EXPECT_EQ(losses_of([](KernelCounts& counts) { counts.losses.calls = 3; }).at(0).count, 3u);
  EXPECT_EQ(losses_of([](KernelCounts& counts) { counts.losses.tasks = 4; }).at(0).count, 4u);
  EXPECT_EQ(losses_of([](KernelCounts& counts) { counts.missed_runs = 5; }).at(0).count, 5u);
  EXPECT_EQ(losses_of([](KernelCounts& counts) { counts.dropped_workloads = 6; }).at(0).count, 6u);
  KernelCounts counts;
  counts.losses.files = 7;  // calls are there, their executables are not
  const Evidence evidence = EvidenceOf(counts);
  EXPECT_TRUE(evidence.IsComplete());
  EXPECT_EQ(evidence.completeness.unseen.size(), 1u);
}

TEST(ToEvidence, IgnoresWorkloadsThatDoNotExist) {
  rec_key key = KeyOf(1);
  key.workload = 2;
  EXPECT_TRUE(EvidenceOf(CountsOf({{key, {.count = 1}}})).calls().empty());
  key.workload = 0;
  EXPECT_TRUE(EvidenceOf(CountsOf({{key, {.count = 1}}})).calls().empty());
}

}  // namespace
}  // namespace portcullis::insight
