#include <limits>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::oci {
namespace {

using Json = nlohmann::json;

constexpr std::pair<NamespaceType, std::string_view> kNamespaceNames[] = {
    {NamespaceType::kPid, "pid"},       {NamespaceType::kNetwork, "network"}, {NamespaceType::kMount, "mount"},
    {NamespaceType::kIpc, "ipc"},       {NamespaceType::kUts, "uts"},         {NamespaceType::kUser, "user"},
    {NamespaceType::kCgroup, "cgroup"},
};

// --- writing: absent things stay absent ---

template <class T>
void Put(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}
template <class T>
void PutNonEmpty(Json& object, const char* key, const T& value) {
  if (!value.empty()) object[key] = value;
}

Json CapabilitiesJson(const Capabilities& capabilities) {
  Json out = Json::object();
  PutNonEmpty(out, "bounding", capabilities.bounding);
  PutNonEmpty(out, "effective", capabilities.effective);
  PutNonEmpty(out, "inheritable", capabilities.inheritable);
  PutNonEmpty(out, "permitted", capabilities.permitted);
  PutNonEmpty(out, "ambient", capabilities.ambient);
  return out;
}

Json MountJson(const Mount& mount) {
  Json out = Json::object();
  out["destination"] = mount.destination;
  PutNonEmpty(out, "type", mount.type);
  PutNonEmpty(out, "source", mount.source);
  PutNonEmpty(out, "options", mount.options);
  return out;
}

Json DeviceJson(const Device& device) {
  Json out = Json::object();
  out["path"] = device.path;
  out["type"] = device.type;
  if (device.type != "p") {
    out["major"] = device.major;
    out["minor"] = device.minor;
  }
  Put(out, "fileMode", device.file_mode);
  Put(out, "uid", device.uid);
  Put(out, "gid", device.gid);
  return out;
}

Json LinuxJson(const Linux& in) {
  Json out = Json::object();
  Json namespaces = Json::array();
  for (const Namespace& ns : in.namespaces) {
    Json entry = Json::object();
    entry["type"] = NamespaceTypeName(ns.type);
    PutNonEmpty(entry, "path", ns.path);
    namespaces.push_back(std::move(entry));
  }
  PutNonEmpty(out, "namespaces", namespaces);
  for (const Device& device : in.devices) out["devices"].push_back(DeviceJson(device));
  PutNonEmpty(out, "cgroupsPath", in.cgroups_path);
  if (in.resources) out["resources"] = ToJson(*in.resources);
  if (in.seccomp) out["seccomp"] = seccomp::ToJson(*in.seccomp);
  PutNonEmpty(out, "rootfsPropagation", in.rootfs_propagation);
  PutNonEmpty(out, "maskedPaths", in.masked_paths);
  PutNonEmpty(out, "readonlyPaths", in.readonly_paths);
  PutNonEmpty(out, "sysctl", in.sysctl);
  return out;
}

// --- reading: the first thing that is wrong is remembered, with its place ---

class Node {
 public:
  Node(const Json* value, std::string path, std::string& problem)
      : value_(value), path_(std::move(path)), problem_(&problem) {}

  bool present() const { return value_ != nullptr && !value_->is_null(); }

  Node operator[](const char* key) const {
    std::string path = path_ + "/" + key;
    if (!present()) return Node(nullptr, std::move(path), *problem_);
    if (!value_->is_object()) {
      Want("an object");
      return Node(nullptr, std::move(path), *problem_);
    }
    const auto found = value_->find(key);
    return Node(found == value_->end() ? nullptr : &*found, std::move(path), *problem_);
  }

  void Read(std::string& out) const {
    if (!present()) return;
    if (!value_->is_string()) return Want("a string");
    out = value_->get_ref<const std::string&>();
  }
  void Read(bool& out) const {
    if (!present()) return;
    if (!value_->is_boolean()) return Want("true or false");
    out = value_->get<bool>();
  }
  void Read(uint64_t& out) const { ReadUnsigned(out, "an unsigned 64-bit number"); }
  void Read(uint32_t& out) const { ReadUnsigned(out, "an unsigned 32-bit number"); }
  void Read(int64_t& out) const {
    if (!present()) return;
    constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!value_->is_number_integer() || (value_->is_number_unsigned() && value_->get<uint64_t>() > kMax)) {
      return Want("a signed 64-bit number");
    }
    out = value_->get<int64_t>();
  }
  template <class T>
  void Read(std::optional<T>& out) const {
    if (present()) Read(out.emplace());
  }
  template <class T>
  void Read(std::vector<T>& out) const {
    Each([&](const Node& node) { node.Read(out.emplace_back()); });
  }
  template <class T>
  void Read(std::map<std::string, T>& out) const {
    if (!present()) return;
    if (!value_->is_object()) return Want("an object");
    for (const auto& [key, value] : value_->items()) Node(&value, path_ + "/" + key, *problem_).Read(out[key]);
  }
  template <class F>
  void Each(F visit) const {
    if (!present()) return;
    if (!value_->is_array()) return Want("a list");
    for (size_t i = 0; i < value_->size(); ++i) visit(Node(&(*value_)[i], fmt::format("{}/{}", path_, i), *problem_));
  }

  void Want(std::string_view what) const {
    if (problem_->empty()) *problem_ = fmt::format("{}: want {}", path_, what);
  }
  const Json* value() const { return value_; }

 private:
  template <class T>
  void ReadUnsigned(T& out, std::string_view what) const {
    if (!present()) return;
    if (!value_->is_number_unsigned() || value_->get<uint64_t>() > std::numeric_limits<T>::max()) return Want(what);
    out = static_cast<T>(value_->get<uint64_t>());
  }

  const Json* value_;
  std::string path_;
  std::string* problem_;
};

void ReadProcess(const Node& node, Process& out) {
  node["terminal"].Read(out.terminal);
  node["user"]["uid"].Read(out.user.uid);
  node["user"]["gid"].Read(out.user.gid);
  node["user"]["additionalGids"].Read(out.user.additional_gids);
  node["args"].Read(out.args);
  node["env"].Read(out.env);
  node["cwd"].Read(out.cwd);
  if (const Node capabilities = node["capabilities"]; capabilities.present()) {
    Capabilities& set = out.capabilities.emplace();
    capabilities["bounding"].Read(set.bounding);
    capabilities["effective"].Read(set.effective);
    capabilities["inheritable"].Read(set.inheritable);
    capabilities["permitted"].Read(set.permitted);
    capabilities["ambient"].Read(set.ambient);
  }
  node["rlimits"].Each([&](const Node& entry) {
    Rlimit& limit = out.rlimits.emplace_back();
    entry["type"].Read(limit.type);
    entry["hard"].Read(limit.hard);
    entry["soft"].Read(limit.soft);
  });
  node["noNewPrivileges"].Read(out.no_new_privileges);
  node["oomScoreAdj"].Read(out.oom_score_adj);
  node["apparmorProfile"].Read(out.apparmor_profile);
  node["selinuxLabel"].Read(out.selinux_label);
}

void ReadResources(const Node& node, Resources& out) {
  node["devices"].Each([&](const Node& entry) {
    DeviceRule& rule = out.devices.emplace_back();
    entry["allow"].Read(rule.allow);
    entry["type"].Read(rule.type);
    entry["major"].Read(rule.major);
    entry["minor"].Read(rule.minor);
    entry["access"].Read(rule.access);
  });
  node["cpu"]["shares"].Read(out.cpu_shares);
  node["cpu"]["quota"].Read(out.cpu_quota);
  node["cpu"]["period"].Read(out.cpu_period);
  node["cpu"]["cpus"].Read(out.cpuset_cpus);
  node["cpu"]["mems"].Read(out.cpuset_mems);
  node["memory"]["limit"].Read(out.memory_limit);
  node["memory"]["reservation"].Read(out.memory_reservation);
  node["memory"]["swap"].Read(out.memory_swap);
  node["pids"]["limit"].Read(out.pids_limit);
  node["hugepageLimits"].Each([&](const Node& entry) {
    std::string size;
    entry["pageSize"].Read(size);
    entry["limit"].Read(out.hugepage_limits[size]);
  });
  node["unified"].Read(out.unified);
}

Result<void> ReadLinux(const Node& node, Linux& out, const std::string& name) {
  node["namespaces"].Each([&](const Node& entry) {
    Namespace& ns = out.namespaces.emplace_back();
    std::string type;
    entry["type"].Read(type);
    if (const auto parsed = ParseNamespaceType(type)) {
      ns.type = *parsed;
    } else {
      entry["type"].Want("pid, network, mount, ipc, uts, user or cgroup");
    }
    entry["path"].Read(ns.path);
  });
  node["devices"].Each([&](const Node& entry) {
    Device& device = out.devices.emplace_back();
    entry["path"].Read(device.path);
    entry["type"].Read(device.type);
    entry["major"].Read(device.major);
    entry["minor"].Read(device.minor);
    entry["fileMode"].Read(device.file_mode);
    entry["uid"].Read(device.uid);
    entry["gid"].Read(device.gid);
  });
  node["cgroupsPath"].Read(out.cgroups_path);
  if (const Node resources = node["resources"]; resources.present()) ReadResources(resources, out.resources.emplace());
  if (const Node filter = node["seccomp"]; filter.present()) {
    ASSIGN_OR_RETURN(out.seccomp,
                     seccomp::FromJson(*filter.value(), fmt::format("runtime spec {}: /linux/seccomp", name)));
  }
  node["rootfsPropagation"].Read(out.rootfs_propagation);
  node["maskedPaths"].Read(out.masked_paths);
  node["readonlyPaths"].Read(out.readonly_paths);
  node["sysctl"].Read(out.sysctl);
  return {};
}

}  // namespace

std::string_view NamespaceTypeName(NamespaceType type) {
  for (const auto& [value, name] : kNamespaceNames) {
    if (value == type) return name;
  }
  return "";
}

std::optional<NamespaceType> ParseNamespaceType(std::string_view name) {
  for (const auto& [value, known] : kNamespaceNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Json ToJson(const Process& process) {
  Json out = Json::object();
  if (process.terminal) out["terminal"] = true;
  Json& user = out["user"];
  user["uid"] = process.user.uid;
  user["gid"] = process.user.gid;
  PutNonEmpty(user, "additionalGids", process.user.additional_gids);
  PutNonEmpty(out, "args", process.args);
  PutNonEmpty(out, "env", process.env);
  out["cwd"] = process.cwd;
  if (process.capabilities) out["capabilities"] = CapabilitiesJson(*process.capabilities);
  for (const Rlimit& limit : process.rlimits) {
    Json entry = Json::object();
    entry["type"] = limit.type;
    entry["hard"] = limit.hard;
    entry["soft"] = limit.soft;
    out["rlimits"].push_back(std::move(entry));
  }
  if (process.no_new_privileges) out["noNewPrivileges"] = true;
  Put(out, "oomScoreAdj", process.oom_score_adj);
  PutNonEmpty(out, "apparmorProfile", process.apparmor_profile);
  PutNonEmpty(out, "selinuxLabel", process.selinux_label);
  return out;
}

Json ToJson(const Resources& resources) {
  Json out = Json::object();
  for (const DeviceRule& rule : resources.devices) {
    Json entry = Json::object();
    entry["allow"] = rule.allow;
    PutNonEmpty(entry, "type", rule.type);
    Put(entry, "major", rule.major);
    Put(entry, "minor", rule.minor);
    PutNonEmpty(entry, "access", rule.access);
    out["devices"].push_back(std::move(entry));
  }
  Json cpu = Json::object();
  Put(cpu, "shares", resources.cpu_shares);
  Put(cpu, "quota", resources.cpu_quota);
  Put(cpu, "period", resources.cpu_period);
  PutNonEmpty(cpu, "cpus", resources.cpuset_cpus);
  PutNonEmpty(cpu, "mems", resources.cpuset_mems);
  PutNonEmpty(out, "cpu", cpu);
  Json memory = Json::object();
  Put(memory, "limit", resources.memory_limit);
  Put(memory, "reservation", resources.memory_reservation);
  Put(memory, "swap", resources.memory_swap);
  PutNonEmpty(out, "memory", memory);
  if (resources.pids_limit) out["pids"]["limit"] = *resources.pids_limit;
  for (const auto& [size, limit] : resources.hugepage_limits) {
    Json entry = Json::object();
    entry["pageSize"] = size;
    entry["limit"] = limit;
    out["hugepageLimits"].push_back(std::move(entry));
  }
  PutNonEmpty(out, "unified", resources.unified);
  return out;
}

Json ToJson(const Spec& spec) {
  Json out = Json::object();
  out["ociVersion"] = spec.oci_version;
  out["process"] = ToJson(spec.process);
  out["root"]["path"] = spec.root.path;
  if (spec.root.readonly) out["root"]["readonly"] = true;
  PutNonEmpty(out, "hostname", spec.hostname);
  for (const Mount& mount : spec.mounts) out["mounts"].push_back(MountJson(mount));
  PutNonEmpty(out, "annotations", spec.annotations);
  out["linux"] = LinuxJson(spec.linux_);
  return out;
}

Result<Spec> SpecFromJson(const Json& json, const std::string& name) {
  if (!json.is_object()) return Fail(Code::kInvalidArgument, "runtime spec {}: want an object", name);
  std::string problem;
  const Node root(&json, "", problem);
  Spec spec;
  root["ociVersion"].Read(spec.oci_version);
  ReadProcess(root["process"], spec.process);
  root["root"]["path"].Read(spec.root.path);
  root["root"]["readonly"].Read(spec.root.readonly);
  root["hostname"].Read(spec.hostname);
  root["mounts"].Each([&](const Node& entry) {
    Mount& mount = spec.mounts.emplace_back();
    entry["destination"].Read(mount.destination);
    entry["type"].Read(mount.type);
    entry["source"].Read(mount.source);
    entry["options"].Read(mount.options);
  });
  root["annotations"].Read(spec.annotations);
  TRY(ReadLinux(root["linux"], spec.linux_, name));
  if (!problem.empty()) return Fail(Code::kInvalidArgument, "runtime spec {}: {}", name, problem);
  return spec;
}

}  // namespace portcullis::oci
