#include "insight/recorder/ebpf_recorder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "engine/seccomp/profile.h"
#include "insight/recorder/call_table.h"
#include "insight/recorder/kernel_counts.h"
#include "insight/recorder/symbol.h"

// Generated C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "insight/recorder/record.skel.h"
#pragma GCC diagnostic pop

namespace portcullis::insight {
namespace {

constexpr std::string_view kKernelTypes = "/sys/kernel/btf/vmlinux";
// More processes than pids, where kernel.pid_max is what it mostly is.
constexpr uint32_t kMaxProcesses = 1u << 16;
constexpr int64_t kClockSlackNanos = 50'000'000;  // an audit record's stamp is of a coarse clock
constexpr size_t kMaxSaid = 4u << 20;             // a verifier's log, whole

// What libbpf said of the failure at hand.
std::string& Said() {
  static std::string said;
  return said;
}

int Listen(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || Said().size() >= kMaxSaid) return 0;
  char* text = nullptr;
  const int size = ::vasprintf(&text, format, arguments);
  if (size < 0) return size;
  Said().append(text, std::min(static_cast<size_t>(size), kMaxSaid - Said().size()));
  std::free(text);  // NOLINT(cppcoreguidelines-no-malloc): vasprintf's
  return size;
}

// What failed, and why the verifier refused it: libbpf's first line, and the last of the log before its summary.
std::string WhatWasSaid() {
  const std::vector<std::string> lines = base::Split(Said(), '\n');
  std::string text(base::Trim(lines.front()));
  std::string reason;
  bool in_log = false;
  for (const std::string& line : lines) {
    if (line.find("BEGIN PROG LOAD LOG") != std::string::npos)
      in_log = true;
    else if (line.starts_with("processed "))
      break;
    else if (in_log && !base::Trim(line).empty())
      reason = base::Trim(line);
  }
  if (!reason.empty()) text += ": " + reason;
  return text;
}

Code CodeOf(int error) { return error == EPERM || error == EACCES ? Code::kPermissionDenied : Code::kUnimplemented; }

int64_t ClockNanos(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// SECCOMP_MODE_DEAD came with Linux 5.16.
bool KernelTellsKills() {
  utsname name = {};
  if (::uname(&name) != 0) return false;
  const auto release = seccomp::ParseKernelRelease(name.release);
  return release && *release >= seccomp::KernelVersion{5, 16};
}

struct SkeletonEnd {
  void operator()(record* skeleton) const { record::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<record, SkeletonEnd>;

struct LinkEnd {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

Result<Skeleton> LoadProgram(const RecorderOptions& options, bool with_verdicts) {
  Said().clear();
  Skeleton skeleton(record::open());
  if (skeleton == nullptr) return FailErrno(errno, "recorder: read the kernel program");
  skeleton->rodata->v1_controller = static_cast<uint32_t>(options.v1_controller);
  skeleton->rodata->init_limit = static_cast<uint64_t>(options.init_limit.count());
  const bool tells_kills = options.tell_kills && KernelTellsKills();
  skeleton->rodata->tells_kills = tells_kills ? 1 : 0;
  if (!tells_kills || !with_verdicts) {
    skeleton->rodata->keeps_processes = 1;
    bpf_map__set_max_entries(skeleton->maps.processes, kMaxProcesses);
  }
  const syscalls::Arch native = syscalls::NativeArch();
  // Written before loading, read-only afterwards.
  const auto table = [&](int abi) {
    return std::span(const_cast<rec_call_info*>(&skeleton->rodata->calls_known[abi][0]), REC_MAX_NUMBERS);
  };
  TRY(FillCallTable(native, table(0)));
  if (const auto compat = CompatOf(native)) TRY(FillCallTable(*compat, table(1)));
  bpf_map__set_max_entries(skeleton->maps.calls, static_cast<uint32_t>(options.max_calls));
  bpf_program__set_autoload(skeleton->progs.audited, with_verdicts);
  bpf_program__set_autoattach(skeleton->progs.audited, false);
  if (const int failed = record::load(skeleton.get()); failed != 0) {
    return Fail(CodeOf(-failed), "recorder: the kernel does not take the program: {}: {}", ErrnoText(-failed),
                WhatWasSaid());
  }
  return skeleton;
}

uint64_t MissedRuns(const record& skeleton) {
  uint64_t missed = 0;
  for (const bpf_program* program : {skeleton.progs.sys_enter, skeleton.progs.sys_exit, skeleton.progs.forked,
                                     skeleton.progs.execed, skeleton.progs.exited, skeleton.progs.signalled}) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) missed += info.recursion_misses;
  }
  return missed;
}

template <class Key, class Take>
void EachKey(int map, const Take& take) {
  Key key = {};
  for (bool found = bpf_map_get_next_key(map, nullptr, &key) == 0; found;) {
    Key next = {};
    found = bpf_map_get_next_key(map, &key, &next) == 0;
    take(key);
    key = next;
  }
}

}  // namespace

std::string_view NameOf(V1Controller controller) {
  switch (controller) {
    case V1Controller::kPids:
      return "pids";
    case V1Controller::kMemory:
      return "memory";
    case V1Controller::kDevices:
      return "devices";
    case V1Controller::kFreezer:
      return "freezer";
    case V1Controller::kCpu:
      return "cpu";
    case V1Controller::kNone:
      break;
  }
  return "";
}

struct EbpfRecorder::State {
  Skeleton skeleton;
  std::unique_ptr<bpf_link, LinkEnd> verdicts;  // null: this kernel cannot tell which calls a filter only logs
  bool tells_kills = false;
  bool tells_logged = false;
  int processors = 1;
  std::vector<Workload> workloads;
  std::vector<base::UniqueFd> roots;  // a process's root folder, for symbols; may be invalid
  uint64_t dropped_workloads = 0;
  std::vector<Loss> losses;

  rec_workload& At(size_t workload) { return skeleton->bss->workloads[workload]; }
};

EbpfRecorder::EbpfRecorder(std::unique_ptr<State> state) : state_(std::move(state)) {}
EbpfRecorder::~EbpfRecorder() = default;

Result<std::unique_ptr<EbpfRecorder>> EbpfRecorder::Open(const RecorderOptions& options) {
  if (options.max_calls < 1) return Fail(Code::kInvalidArgument, "recorder: max_calls must be at least 1");
  if (!base::Exists(std::string(kKernelTypes))) {
    return Fail(Code::kUnimplemented, "recorder: this kernel has no {} (CONFIG_DEBUG_INFO_BTF)", kKernelTypes);
  }
  libbpf_set_print(Listen);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  auto state = std::make_unique<State>();
  // Whether logged calls can be told decides what the program must keep, so it is tried first.
  auto loaded = options.tell_logged ? LoadProgram(options, true) : LoadProgram(options, false);
  if (options.tell_logged) {
    bpf_link* link = loaded ? bpf_program__attach((*loaded)->progs.audited) : nullptr;
    if (link != nullptr && libbpf_get_error(link) == 0) {
      state->verdicts.reset(link);
    } else {
      loaded = LoadProgram(options, false);
    }
  }
  if (!loaded) return Failure(std::move(loaded).error());
  state->skeleton = std::move(*loaded);
  if (const int failed = record::attach(state->skeleton.get()); failed != 0) {
    return Fail(CodeOf(-failed), "recorder: attach to the kernel's events: {}: {}", ErrnoText(-failed), WhatWasSaid());
  }
  state->tells_kills = state->skeleton->rodata->tells_kills != 0;
  state->tells_logged = state->verdicts != nullptr;
  state->processors = libbpf_num_possible_cpus();
  return std::unique_ptr<EbpfRecorder>(new EbpfRecorder(std::move(state)));
}

Result<size_t> EbpfRecorder::Add(const Workload& workload, const WorkloadStart& start) {
  State& state = *state_;
  if (state.workloads.size() >= REC_MAX_WORKLOADS) {
    ++state.dropped_workloads;
    return Fail(Code::kResourceExhausted, "recorder: more than {} containers", static_cast<int>(REC_MAX_WORKLOADS));
  }
  const size_t index = state.workloads.size();
  state.workloads.push_back(workload);
  rec_workload& shared = state.At(index);
  shared.armed_boot = static_cast<uint64_t>(ClockNanos(CLOCK_BOOTTIME));
  shared.announced_tgid = static_cast<uint32_t>(start.announced);
  shared.init_tgid = static_cast<uint32_t>(start.first_process);
  for (const int signal : start.stop_signals) AddStopSignal(index, signal);
  if (start.serving) __atomic_store_n(&shared.serving, 1, __ATOMIC_RELEASE);
  if (start.serving || start.first_process != 0) {
    __atomic_store_n(&shared.started, static_cast<uint64_t>(ClockNanos(CLOCK_MONOTONIC)), __ATOMIC_RELEASE);
  }
  const pid_t process = start.announced != 0 ? start.announced : start.first_process;
  std::string root = workload.command.empty() ? "" : "/";
  if (process != 0) root = fmt::format("/proc/{}/root", process);
  state.roots.emplace_back(root.empty() ? -1 : ::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return index;
}

Result<void> EbpfRecorder::WatchCgroup(size_t workload, const CgroupIds& ids) {
  const auto value = static_cast<uint32_t>(workload + 1);
  const auto add = [&](uint64_t id, uint32_t hierarchy) -> Result<void> {
    if (id == 0) return {};
    const rec_cgroup_key key{.id = id, .hierarchy = hierarchy, .unused = 0};
    if (bpf_map_update_elem(bpf_map__fd(state_->skeleton->maps.cgroups), &key, &value, BPF_ANY) != 0) {
      return FailErrno(errno, "recorder: watch cgroup {} of hierarchy {}", id, hierarchy);
    }
    return {};
  };
  TRY(add(ids.unified, 2));
  TRY(add(ids.v1, 1));
  __atomic_add_fetch(&state_->skeleton->bss->generation, 1, __ATOMIC_SEQ_CST);
  // The cache keeps some bits of the generation only.
  auto& cache = state_->skeleton->bss->cgroup_cache;
  for (auto& hierarchy : cache) {
    for (auto& entry : hierarchy) __atomic_store_n(&entry, 0, __ATOMIC_RELAXED);
  }
  return {};
}

Result<void> EbpfRecorder::FollowProcess(size_t workload, int pidfd) {
  rec_task task = {};
  task.workload = static_cast<uint32_t>(workload + 1);
  task.where = REC_JOINING;
  task.fresh = 1;
  if (bpf_map_update_elem(bpf_map__fd(state_->skeleton->maps.tasks), &pidfd, &task, BPF_ANY) != 0) {
    return FailErrno(errno, "recorder: follow a process");
  }
  __atomic_add_fetch(&state_->At(workload).live, 1, __ATOMIC_SEQ_CST);
  return {};
}

void EbpfRecorder::BeginShutdown(size_t workload) {
  __atomic_store_n(&state_->At(workload).stopping, 1, __ATOMIC_RELEASE);
}

void EbpfRecorder::AddStopSignal(size_t workload, int signal) {
  if (signal < 1 || signal > 64) return;
  __atomic_or_fetch(&state_->At(workload).stop_signals, uint64_t{1} << (signal - 1), __ATOMIC_SEQ_CST);
}

void EbpfRecorder::AddLoss(const Loss& loss) { state_->losses.push_back(loss); }

uint32_t EbpfRecorder::LiveTasks(size_t workload) const {
  return __atomic_load_n(&state_->At(workload).live, __ATOMIC_ACQUIRE);
}

BlindSpots EbpfRecorder::blind_spots() const {
  return {.kills = !state_->tells_kills, .logged = !state_->tells_logged};
}

const std::vector<Workload>& EbpfRecorder::workloads() const { return state_->workloads; }

std::optional<Writer> EbpfRecorder::WriterOf(uint32_t pid, int64_t unix_nanos) const {
  rec_process process = {};
  if (bpf_map_lookup_elem(bpf_map__fd(state_->skeleton->maps.processes), &pid, &process) != 0) return std::nullopt;
  const int64_t now = ClockNanos(CLOCK_MONOTONIC);
  const int64_t ended = static_cast<int64_t>(process.ended) + ClockNanos(CLOCK_REALTIME) - now;
  if (process.ended != 0 && unix_nanos > ended + kClockSlackNanos) return std::nullopt;  // the id is another's by now
  if (process.workload == 0 || process.workload > state_->workloads.size()) return std::nullopt;
  Writer writer{.workload = process.workload - 1, .phase = Phase::kInit};
  const rec_workload& workload = state_->At(writer.workload);
  const auto started = static_cast<int64_t>(__atomic_load_n(&workload.started, __ATOMIC_ACQUIRE));
  if (process.where == REC_JOINING) {
    writer.phase = Phase::kRuntimeStart;
  } else if (process.where == REC_EXECED) {
    writer.phase = Phase::kExec;
  } else if (__atomic_load_n(&workload.stopping, __ATOMIC_ACQUIRE) != 0) {
    writer.phase = Phase::kShutdown;
  } else if (__atomic_load_n(&workload.serving, __ATOMIC_ACQUIRE) != 0 ||
             now - started > static_cast<int64_t>(state_->skeleton->rodata->init_limit)) {
    writer.phase = Phase::kServing;
  }
  return writer;
}

Result<Evidence> EbpfRecorder::Collect() const {
  const State& state = *state_;
  KernelCounts counts;
  counts.native = syscalls::NativeArch();
  counts.monotonic_to_unix_nanos = ClockNanos(CLOCK_REALTIME) - ClockNanos(CLOCK_MONOTONIC);
  const int calls = bpf_map__fd(state.skeleton->maps.calls);
  std::vector<rec_value> parts(static_cast<size_t>(state.processors));
  EachKey<rec_key>(calls, [&](const rec_key& key) {
    if (bpf_map_lookup_elem(calls, &key, parts.data()) == 0) counts.calls.emplace_back(key, SumOf(parts));
  });
  const int files = bpf_map__fd(state.skeleton->maps.files);
  EachKey<rec_file_key>(files, [&](const rec_file_key& key) {
    rec_file file = {};
    if (bpf_map_lookup_elem(files, &key, &file) != 0) return;
    counts.files[file.id] = {PathOf(file), std::string(key.comm, ::strnlen(key.comm, sizeof(key.comm)))};
  });
  counts.losses = state.skeleton->bss->losses;
  counts.missed_runs = MissedRuns(*state.skeleton);
  counts.dropped_workloads = state.dropped_workloads;

  std::map<std::tuple<size_t, std::string, uint64_t>, std::string> symbols;
  const auto find_symbol = [&](size_t workload, const std::string& path, uint64_t offset) -> std::string {
    const auto [known, is_new] = symbols.try_emplace({workload, path, offset});
    if (!is_new) return known->second;
    base::UniqueFd first;
    const auto tgid = __atomic_load_n(&state.skeleton->bss->workloads[workload].init_tgid, __ATOMIC_ACQUIRE);
    if (tgid != 0) {
      first.Reset(::open(fmt::format("/proc/{}/root", tgid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    const int root = first.valid() ? first.get() : state.roots[workload].get();
    if (root < 0) return "";
    const auto file = base::OpenInRoot(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (file) known->second = SymbolAt(file->get(), offset);
    return known->second;
  };
  Evidence evidence = ToEvidence(counts, state.workloads, find_symbol);
  evidence.completeness.losses.insert(evidence.completeness.losses.end(), state.losses.begin(), state.losses.end());
  if (!state.tells_logged) evidence.completeness.unseen.insert(std::string(unseen::kOnlyLogged));
  if (!state.tells_kills) evidence.completeness.unseen.insert(std::string(unseen::kKills));
  return evidence;
}

}  // namespace portcullis::insight
