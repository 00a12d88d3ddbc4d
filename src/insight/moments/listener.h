// Hears of containers from the runtime: the recorder's side of announcer.h.
//
//   ASSIGN_OR_RETURN(MomentListener listener, MomentListener::Bind("/run/portcullis/recorders"));
//   ... poll(listener.fd()) ...
//   listener.Take([&](const Moment& moment) { /* arm for it */ }, [&](const Moment& moment) { /* too late */ });
//
// The socket goes with the object. Only root can reach the folder.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "insight/moments/moment.h"

namespace portcullis::insight {

class MomentListener {
 public:
  // Makes the last folder of the path when it is missing; kNotFound when its parent is: no runtime runs there.
  static Result<MomentListener> Bind(const std::string& folder);
  MomentListener(MomentListener&& other) noexcept;
  MomentListener& operator=(MomentListener&&) = delete;
  ~MomentListener();

  int fd() const { return socket_.get(); }

  // Takes all that waits. The runtime goes on when `take` returns; `late` follows for a moment that it did not wait
  // for: the container may have run unseen. Messages that make no sense are left unanswered.
  using Handler = std::function<void(const Moment&)>;
  void Take(const Handler& take, const Handler& late) const;

 private:
  MomentListener(std::string path, base::UniqueFd socket) : path_(std::move(path)), socket_(std::move(socket)) {}

  std::string path_;
  base::UniqueFd socket_;
};

}  // namespace portcullis::insight
