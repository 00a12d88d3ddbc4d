// What is on this machine under our folders and belongs to no row: a process was killed after making it and before, or
// while, writing it down. (Rows come first, so this is what a removal left, or what a lost database forgot.)
#include <set>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "host/systemd/unit_names.h"
#include "runtime/service/bundle.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/shm.h"

namespace portcullis::runtime {
namespace {

void Report(std::string_view kind, const std::string& id, const Result<void>& removed) {
  if (removed) {
    base::LogInfo("leftover removed", {{"kind", std::string(kind)}, {"id", id}});
  } else {
    base::LogWarning("leftover not removed",
                     {{"kind", std::string(kind)}, {"id", id}, {"error", removed.error().message}});
  }
}

// Where its cgroup is, from its own config.json: "/parent/<id>" -> "/parent", "a-b.slice:portcullis:<id>" -> that of
// the slice.
std::string CgroupParentOf(const std::string& bundle, const std::string& id, const std::string& fallback) {
  auto spec = ReadSpec(bundle);
  if (const std::string suffix = ":portcullis:" + id; spec && spec->linux_.cgroups_path.ends_with(suffix)) {
    const std::string& path = spec->linux_.cgroups_path;
    return host::CgroupOfSlice(path.substr(0, path.size() - suffix.size())).value_or(fallback);
  }
  const std::string suffix = "/" + id;
  if (!spec || !spec->linux_.cgroups_path.ends_with(suffix)) return fallback;
  return spec->linux_.cgroups_path.substr(0, spec->linux_.cgroups_path.size() - suffix.size());
}

// Of a sandbox that a lost database has forgotten. A container may bear any annotation that its pod names.
std::vector<std::string> OwnCgroupsOf(const std::string& bundle, const std::string& id) {
  auto spec = ReadSpec(bundle);
  if (!spec || spec->annotations["io.kubernetes.cri.container-type"] != "sandbox") return {};
  const std::string parent = CgroupParentOf(bundle, id, "");
  std::vector<std::string> noted = base::Split(spec->annotations[kOwnCgroupsAnnotation], '\n');
  std::erase_if(noted, [&](const std::string& path) {
    return path.size() < 2 || (parent != path && !parent.starts_with(path + "/"));
  });
  return noted;
}

}  // namespace

void RuntimeService::RemoveLeftovers() {
  std::set<std::string> known;
  for (const SandboxRow& row : registry_->Sandboxes()) known.insert(row.id);
  for (const ContainerRow& row : registry_->Containers()) known.insert(row.id);
  const auto for_unknown = [&](const Result<std::vector<std::string>>& ids, std::string_view kind, const auto& remove) {
    if (!ids) {
      if (ids.error().code != Code::kNotFound) Report(kind, "", Failure(ids.error()));
      return;
    }
    for (const std::string& id : *ids) {
      if (!known.contains(id)) Report(kind, id, remove(id));
    }
  };
  // Before the bundles that tell of them go; ReleaseCgroups removes those that nobody needs.
  if (const auto bundles = base::ListDir(paths_.Bundles())) {
    for (const std::string& id : *bundles) {
      if (known.contains(id)) continue;
      for (const std::string& cgroup : OwnCgroupsOf(paths_.Bundle(id), id)) {
        if (auto noted = registry_->store().AddCgroup(cgroup); !noted) Report("cgroup", cgroup, noted);
      }
    }
  }
  // Containers first: what they hold cannot be unmounted before.
  const auto delete_container = [&](const std::string& id) {
    const std::string bundle = paths_.Bundle(id);
    return oci_->Delete(
        {.id = id, .bundle = bundle, .cgroup_parent = CgroupParentOf(bundle, id, options_.default_cgroup_parent)},
        /*force=*/true);
  };
  for_unknown(oci_->List(), "container", delete_container);
  // Of pause processes of our own the OCI runtime knows nothing; their cgroups are in their bundles too.
  for_unknown(base::ListDir(paths_.Bundles()), "processes of a bundle", delete_container);
  for_unknown(cni_->Attached(), "network", [&](const std::string& id) { return cni_->DelOrForget(id); });
  for_unknown(netns_->List(), "network namespace", [&](const std::string& id) { return netns_->Delete(id); });
  for_unknown(base::ListDir(paths_.Shm()), "shared memory",
              [&](const std::string& id) { return UnmountShm(paths_.Shm(id)); });
  Result<std::vector<std::string>> snapshots = std::vector<std::string>();
  if (auto all = snapshots_->List()) {
    for (const Snapshot& snapshot : *all) snapshots->push_back(snapshot.id);
  } else {
    snapshots = Failure(std::move(all).error());
  }
  for_unknown(snapshots, "snapshot", [&](const std::string& id) { return snapshots_->Remove(id); });
  for_unknown(base::ListDir(paths_.Bundles()), "bundle",
              [&](const std::string& id) { return base::RemoveTree(paths_.Bundle(id)); });
  for_unknown(base::ListDir(paths_.SandboxFiles()), "sandbox files",
              [&](const std::string& id) { return base::RemoveTree(paths_.SandboxFiles(id)); });
  for_unknown(base::ListDir(oci_->ExitDir()), "exit file",
              [&](const std::string& id) { return base::RemoveTree(oci_->ExitDir() + "/" + id); });
  if (auto collected = cni_->Gc(); !collected) Report("network garbage", "", collected);
  for (const std::string& folder : {paths_.CniCache(), paths_.Filters()}) {
    if (auto removed = base::RemoveHalfWritten(folder); !removed) Report("half-written file", folder, removed);
  }
}

}  // namespace portcullis::runtime
