#include "host/systemd/units.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstring>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"

namespace portcullis::host {
namespace {

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kPath[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr std::chrono::seconds kJobTimeout(30);
constexpr uint64_t kCallTimeoutMicros = 30'000'000;

struct BusCloser {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct MessageFree {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
struct SlotFree {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using Bus = std::unique_ptr<sd_bus, BusCloser>;
using Message = std::unique_ptr<sd_bus_message, MessageFree>;
using Slot = std::unique_ptr<sd_bus_slot, SlotFree>;

class BusError {
 public:
  BusError() = default;
  ~BusError() { sd_bus_error_free(&error_); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  sd_bus_error* get() { return &error_; }
  bool Is(const char* name) const { return sd_bus_error_has_name(&error_, name) != 0; }
  std::string Text(int code) const { return error_.message != nullptr ? error_.message : ErrnoText(-code); }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

// A call to the manager, and, when it starts a job, the wait for its end.
class Manager {
 public:
  static Result<Manager> Connect() {
    sd_bus* raw = nullptr;
    if (const int code = sd_bus_open_system(&raw); code < 0) {
      return FailErrno(-code, "connect to the system bus (Debian: apt-get install dbus)");
    }
    Manager manager{Bus(raw)};
    sd_bus_set_method_call_timeout(raw, kCallTimeoutMicros);
    return manager;
  }

  Result<Message> NewCall(const char* method) const {
    sd_bus_message* raw = nullptr;
    const int code = sd_bus_message_new_method_call(bus_.get(), &raw, kService, kPath, kManager, method);
    if (code < 0) return FailErrno(-code, "make a call of systemd's {}", method);
    return Message(raw);
  }

  // Jobs of before the call are told only to those who listen.
  Result<void> Listen() {
    sd_bus_slot* raw = nullptr;
    int code =
        sd_bus_match_signal(bus_.get(), &raw, kService, kPath, kManager, "JobRemoved", OnJobRemoved, ended_.get());
    slot_.reset(raw);
    BusError error;
    if (code >= 0)
      code = sd_bus_call_method(bus_.get(), kService, kPath, kManager, "Subscribe", error.get(), nullptr, "");
    if (code < 0) return Fail(CodeOfErrno(-code), "listen to systemd: {}", error.Text(code));
    return {};
  }

  // The result of the job that `reply` names: "done" is success.
  Result<void> WaitJob(sd_bus_message* reply) {
    const char* job = nullptr;
    if (const int code = sd_bus_message_read(reply, "o", &job); code < 0)
      return FailErrno(-code, "read systemd's answer");
    const std::string path = job;
    const auto deadline = base::Now() + kJobTimeout;
    while (true) {
      for (const Ended& ended : *ended_) {
        if (ended.job != path) continue;
        if (ended.result == "done") return {};
        return Fail(Code::kUnknown, "systemd's job ended with {}", base::Quote(ended.result));
      }
      int code = sd_bus_process(bus_.get(), nullptr);
      if (code == 0) {
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - base::Now()).count();
        if (left <= 0) return Fail(Code::kDeadlineExceeded, "systemd did not do it within {} s", kJobTimeout.count());
        code = sd_bus_wait(bus_.get(), static_cast<uint64_t>(left));
      }
      if (code < 0 && code != -EINTR) return FailErrno(-code, "wait for systemd");
    }
  }

  sd_bus* bus() const { return bus_.get(); }

 private:
  struct Ended {
    std::string job;
    std::string result;
  };

  explicit Manager(Bus bus) : bus_(std::move(bus)) {}

  static int OnJobRemoved(sd_bus_message* message, void* data, sd_bus_error*) {
    uint32_t id = 0;
    const char* job = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) >= 0) {
      static_cast<std::vector<Ended>*>(data)->push_back({job, result});
    }
    return 0;
  }

  std::unique_ptr<std::vector<Ended>> ended_ = std::make_unique<std::vector<Ended>>();
  Bus bus_;
  Slot slot_;  // before the bus
};

int AppendValue(sd_bus_message* message, const bool value) {
  return sd_bus_message_append(message, "v", "b", static_cast<int>(value));
}
int AppendValue(sd_bus_message* message, const uint64_t value) {
  return sd_bus_message_append(message, "v", "t", value);
}
int AppendValue(sd_bus_message* message, const std::string& value) {
  return sd_bus_message_append(message, "v", "s", value.c_str());
}
int AppendValue(sd_bus_message* message, const std::vector<uint32_t>& value) {
  int code = sd_bus_message_open_container(message, 'v', "au");
  if (code >= 0) code = sd_bus_message_append_array(message, 'u', value.data(), value.size() * sizeof(uint32_t));
  return code >= 0 ? sd_bus_message_close_container(message) : code;
}

Result<void> AppendProperties(sd_bus_message* message, const UnitProperties& properties) {
  int code = sd_bus_message_open_container(message, 'a', "(sv)");
  for (const UnitProperty& property : properties) {
    if (code >= 0) code = sd_bus_message_open_container(message, 'r', "sv");
    if (code >= 0) code = sd_bus_message_append(message, "s", property.name.c_str());
    if (code >= 0) code = std::visit([&](const auto& value) { return AppendValue(message, value); }, property.value);
    if (code >= 0) code = sd_bus_message_close_container(message);
    if (code < 0) return FailErrno(-code, "write the property {}", property.name);
  }
  if (code >= 0) code = sd_bus_message_close_container(message);
  if (code < 0) return FailErrno(-code, "write properties");
  return {};
}

// False when a unit of that name exists.
Result<bool> StartTransient(const std::string& name, const UnitProperties& properties) {
  ASSIGN_OR_RETURN(Manager manager, Manager::Connect());
  TRY(manager.Listen());
  ASSIGN_OR_RETURN(const Message call, manager.NewCall("StartTransientUnit"));
  int code = sd_bus_message_append(call.get(), "ss", name.c_str(), "replace");
  if (code < 0) return FailErrno(-code, "write the unit's name");
  TRY(AppendProperties(call.get(), properties));
  code = sd_bus_message_append(call.get(), "a(sa(sv))", 0);  // no further units
  if (code < 0) return FailErrno(-code, "write the call");
  BusError error;
  sd_bus_message* raw = nullptr;
  code = sd_bus_call(manager.bus(), call.get(), 0, error.get(), &raw);
  const Message reply(raw);
  if (code < 0 && error.Is("org.freedesktop.systemd1.UnitExists")) return false;
  if (code < 0) return Fail(CodeOfErrno(-code), "{}", error.Text(code));
  TRY(manager.WaitJob(reply.get()));
  return true;
}

// A unit that failed stays on record until this.
void ResetFailed(const Manager& manager, const std::string& name) {
  BusError error;
  static_cast<void>(sd_bus_call_method(manager.bus(), kService, kPath, kManager, "ResetFailedUnit", error.get(),
                                       nullptr, "s", name.c_str()));
}

Result<void> StopUnit(const std::string& name) {
  ASSIGN_OR_RETURN(Manager manager, Manager::Connect());
  TRY(manager.Listen());
  BusError error;
  sd_bus_message* raw = nullptr;
  const int code = sd_bus_call_method(manager.bus(), kService, kPath, kManager, "StopUnit", error.get(), &raw, "ss",
                                      name.c_str(), "replace");
  const Message reply(raw);
  if (code < 0 && error.Is("org.freedesktop.systemd1.NoSuchUnit")) return {};
  if (code < 0) return Fail(CodeOfErrno(-code), "{}", error.Text(code));
  TRY(manager.WaitJob(reply.get()));
  ResetFailed(manager, name);
  return {};
}

Result<void> SetUnitProperties(const std::string& name, const UnitProperties& properties) {
  ASSIGN_OR_RETURN(const Manager manager, Manager::Connect());
  ASSIGN_OR_RETURN(const Message call, manager.NewCall("SetUnitProperties"));
  const int runtime_only = 1;
  int code = sd_bus_message_append(call.get(), "sb", name.c_str(), runtime_only);
  if (code < 0) return FailErrno(-code, "write the unit's name");
  TRY(AppendProperties(call.get(), properties));
  BusError error;
  code = sd_bus_call(manager.bus(), call.get(), 0, error.get(), nullptr);
  if (code < 0) return Fail(CodeOfErrno(-code), "{}", error.Text(code));
  return {};
}

class BusUnits : public Units {
 public:
  Result<void> StartSlice(const std::string& name) const override {
    auto started = StartTransient(name, NewSliceProperties(name));
    if (!started) return Wrap(std::move(started).error(), "start slice {}", name);
    return {};
  }

  Result<void> StartScope(const std::string& name, const std::string& slice, pid_t pid) const override {
    auto started = StartTransient(name, NewScopeProperties(name, slice, pid));
    if (!started) return Wrap(std::move(started).error(), "start scope {}", name);
    if (!*started) return Fail(Code::kAlreadyExists, "start scope {}: it exists", name);
    return {};
  }

  Result<void> SetProperties(const std::string& name, const UnitProperties& properties) const override {
    if (properties.empty()) return {};
    auto set = SetUnitProperties(name, properties);
    if (!set) return Wrap(std::move(set).error(), "set properties of unit {}", name);
    return {};
  }

  Result<void> Stop(const std::string& name) const override {
    auto stopped = StopUnit(name);
    if (!stopped) return Wrap(std::move(stopped).error(), "stop unit {}", name);
    return {};
  }
};

}  // namespace

UnitProperties NewSliceProperties(const std::string& name) {
  return {{"Description", "Portcullis slice " + name},
          {"DefaultDependencies", false},
          {"CPUAccounting", true},
          {"MemoryAccounting", true},
          {"TasksAccounting", true}};
}

UnitProperties NewScopeProperties(const std::string& name, const std::string& slice, pid_t pid) {
  return {{"Description", "Portcullis scope " + name},
          {"Slice", slice},
          {"PIDs", std::vector<uint32_t>{static_cast<uint32_t>(pid)}},
          {"Delegate", true},
          {"DefaultDependencies", false},
          {"CollectMode", std::string("inactive-or-failed")}};
}

Result<void> CheckSystemdRuns() {
  if (sd_booted() > 0) return {};
  const std::string comm = ReadComm(1);
  return Fail(Code::kFailedPrecondition,
              "cgroup driver \"systemd\" needs systemd as PID 1, and that is {} here: use cgroup driver \"cgroupfs\"",
              base::Quote(comm.empty() ? "another program" : comm));
}

std::shared_ptr<const Units> SystemdUnits() { return std::make_shared<BusUnits>(); }

}  // namespace portcullis::host
