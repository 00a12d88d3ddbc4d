#include "runtime/container/observer.h"

namespace portcullis::runtime {

void ObserverList::Add(std::shared_ptr<ContainerObserver> observer) {
  const std::lock_guard lock(mutex_);
  observers_.push_back(std::move(observer));
}

std::vector<std::shared_ptr<ContainerObserver>> ObserverList::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return observers_;
}

void ObserverList::Created(const ContainerCreatedEvent& event) const {
  for (const auto& observer : Snapshot()) observer->OnCreated(event);
}

void ObserverList::Exec(const ContainerExecEvent& event) const {
  for (const auto& observer : Snapshot()) observer->OnExec(event);
}

void ObserverList::Stopping(const ContainerStoppingEvent& event) const {
  for (const auto& observer : Snapshot()) observer->OnStopping(event);
}

void ObserverList::Exit(const ContainerExitEvent& event) const {
  for (const auto& observer : Snapshot()) observer->OnExit(event);
}

}  // namespace portcullis::runtime
