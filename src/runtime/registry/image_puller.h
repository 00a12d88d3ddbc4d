// Pulls images into the image store: where from, as whom, once per name at a time, resumed after an interruption.
//
//   ImagePuller puller(*store, {});
//   ASSIGN_OR_RETURN(Image image, puller.Pull({.name = "nginx:1.21"}));
//
// <state>/pulls/<sha256 of the name>/ holds what has been fetched until the store has it; its flock(2) makes pulls of
// one name wait for each other, over all processes, and <state>/pulls/<digest>.lock those of one layer. What a broken
// pull left is taken up by the next one, or removed after a day; nothing of it is an image. A full disk and damaged
// content leave nothing. Thread-safe.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "runtime/image/image_store.h"
#include "runtime/registry/credentials.h"
#include "runtime/registry/pull_progress.h"
#include "runtime/registry/token_cache.h"

namespace portcullis::runtime {

inline constexpr char kDefaultRegistriesFile[] = "/etc/portcullis/registries.yaml";

struct PullerOptions {
  // Both are read for every pull, so that a change needs no restart. The default file of registries may be absent; ""
  // for the logins means the first there of <state>/config.json, <kubelet_dir>/config.json, $DOCKER_CONFIG/config.json
  // and ~/.docker/config.json.
  std::string registries_file = kDefaultRegistriesFile;  // endpoints.h
  std::string auth_file;
  std::string kubelet_dir = "/var/lib/kubelet";
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(30)};  // of one connection
};

struct PullRequest {
  std::string name;
  // When not empty, used at the registry itself, never at its mirrors.
  Credentials credentials;
  PullProgress progress;
};

class ImagePuller {
 public:
  // `store` must outlive the puller.
  ImagePuller(ImageStore& store, PullerOptions options) : store_(store), options_(std::move(options)) {}

  // Asks the registry what the name is now, and fetches what is missing. A name with a digest that is here already
  // needs no registry. The error names every endpoint that was tried; its code is that of the last.
  Result<Image> Pull(const PullRequest& request);

  // Pulls at work and later ones end soon with kCancelled.
  void Stop() { stop_.request_stop(); }

 private:
  ImageStore& store_;
  const PullerOptions options_;
  TokenCache tokens_;
  std::stop_source stop_;
};

// This host's login for an image by its config.json (PullerOptions); empty when there is none. `state_dir` "": of no
// store.
Result<Credentials> ConfiguredLogin(const PullerOptions& options, const std::string& state_dir,
                                    const std::string& image);

// Removes what pulls left that nobody took up for a day.
void RemoveAbandonedPulls(const std::string& state_dir);

}  // namespace portcullis::runtime
