// Tells recorders of other processes what becomes of containers: the daemon's side.
//
// A recorder that wants to know binds a socket in <run-dir>/recorders (listener.h); there is nothing to switch on in
// the node, nothing to keep after the recorder, and a node without recorders pays one look into an empty folder a
// moment. The daemon itself may not call bpf(2) under its own filter, and need not.
//
// A created container is started when each recorder has answered, or after `patience`: a recorder that hangs cannot
// stop the node, and sees that it was too late. Sockets that nobody listens on any more are removed.
#pragma once

#include <chrono>
#include <string>

#include "insight/moments/moment.h"
#include "runtime/container/observer.h"

namespace portcullis::insight {

class MomentAnnouncer : public runtime::ContainerObserver {
 public:
  explicit MomentAnnouncer(std::string folder, std::chrono::milliseconds patience = std::chrono::seconds(2))
      : folder_(std::move(folder)), patience_(patience) {}

  void OnCreated(const runtime::ContainerCreatedEvent& event) override;
  void OnStopping(const runtime::ContainerStoppingEvent& event) override;
  void OnExit(const runtime::ContainerExitEvent& event) override;

 private:
  void Tell(const Moment& moment) const;

  std::string folder_;
  std::chrono::milliseconds patience_;
};

}  // namespace portcullis::insight
