#include "node/pod/network_gate.h"

#include "base/clock.h"

namespace portcullis::node {
namespace {

constexpr std::chrono::seconds kGoodFor{1};

}  // namespace

std::string NetworkProblem(const cri::StatusResponse& response) {
  if (!response.status) return "";
  for (const cri::RuntimeCondition& condition : response.status->conditions) {
    if (condition.type != "NetworkReady" || condition.status) continue;
    return fmt::format(
        "network is not ready: container runtime network not ready: NetworkReady=false reason:{} message:{}",
        condition.reason, condition.message);
  }
  return "";
}

std::string NetworkGate::WhyClosed() {
  const std::lock_guard lock(mutex_);
  if (asked_ && base::Now() - *asked_ < kGoodFor) return why_;
  const auto status = runtime_.Status({});
  why_ = status ? NetworkProblem(*status) : "";
  asked_ = base::Now();
  return why_;
}

}  // namespace portcullis::node
