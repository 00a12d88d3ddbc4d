// The filters of CRI's list calls: every condition that is set must hold. Pure.
#pragma once

#include <optional>
#include <vector>

#include "cri/types.h"
#include "runtime/store/store.h"

namespace portcullis::runtime {

// Steps as CRI sees them. Half-made and half-removed things are hidden from lists.
bool IsVisible(SandboxStep step);
bool IsVisible(ContainerStep step);
cri::PodSandboxState StateOf(const SandboxRow& row);
cri::ContainerState StateOf(const ContainerRow& row);

// Ids match whole or as a prefix, as in containerd and CRI-O.
bool Matches(const SandboxRow& row, const std::optional<cri::PodSandboxFilter>& filter);
bool Matches(const ContainerRow& row, const std::optional<cri::ContainerFilter>& filter);
bool Matches(const SandboxRow& row, const std::optional<cri::PodSandboxStatsFilter>& filter);
bool Matches(const ContainerRow& row, const std::optional<cri::ContainerStatsFilter>& filter);

}  // namespace portcullis::runtime
