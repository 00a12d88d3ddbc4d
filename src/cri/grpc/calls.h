// One call of a client, seen by gRPC and by the thread that works on it.
//
// Either may be done with it first: the thread with a result; gRPC because the client has gone or the server stops. The
// first one ends the call, and it lives until both have let go. So neither a client nor the server ever waits for a
// thread that does not return.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/result.h"

namespace portcullis::cri {

inline grpc::Status ToStatus(const Error& error) {
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), error.message);
}

inline grpc::Status Cancelled() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the call was given up: its client has gone or the server stops");
}

// Both kinds: gRPC's share is released in OnDone, the thread's is the pointer that Make returns.
template <class Reactor>
class SharedCall : public Reactor {
 public:
  template <class Call>
  static std::shared_ptr<Call> Make() {
    auto call = std::make_shared<Call>();
    call->self_ = call;
    return call;
  }
  void OnDone() override { const std::shared_ptr<SharedCall> last = std::move(self_); }

  // True for the one who may end the call with Finish, and until then use what gRPC owns (the response).
  bool Claim() { return !ended_.exchange(true); }
  bool ended() const { return ended_; }

 private:
  std::shared_ptr<SharedCall> self_;
  std::atomic<bool> ended_ = false;
};

class UnaryCall : public SharedCall<grpc::ServerUnaryReactor> {
 public:
  void OnCancel() override {
    if (Claim()) Finish(Cancelled());
  }
};

template <class Message>
class StreamCall : public SharedCall<grpc::ServerWriteReactor<Message>> {
 public:
  // Called by the working thread: waits until gRPC has taken the message; false once the client has gone.
  bool Write(Message message) {
    {
      const std::lock_guard lock(mutex_);
      if (cancelled_) return false;
      message_ = std::move(message);
      writing_ = true;
    }
    this->StartWrite(&message_);
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return !writing_; });
    return ok_ && !cancelled_;
  }
  void End(const grpc::Status& status) {
    if (this->Claim()) this->Finish(status);
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      ok_ = ok;
      written_.notify_all();
      if (!cancelled_) return;
    }
    End(Cancelled());
  }
  // A message on its way ends first.
  void OnCancel() override {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (writing_) return;
    }
    End(Cancelled());
  }

 private:
  std::mutex mutex_;
  std::condition_variable written_;
  Message message_;
  bool writing_ = false;
  bool ok_ = true;
  bool cancelled_ = false;
};

}  // namespace portcullis::cri
