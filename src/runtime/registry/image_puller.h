// Pulls images into the image store: where from, as whom, once per name at a time, resumed after an interruption.
//
//   ImagePuller puller(*store, {});
//   ASSIGN_OR_RETURN(Image image, puller.Pull("nginx:1.21", {}, {}));
//
// <state>/pulls/<sha256 of the name>/ holds what has been fetched until the store has it; its flock(2) makes pulls of
// one name wait for each other, over all processes. What a broken pull left is taken up by the next one, or removed
// after a day; nothing of it is an image. A full disk and damaged content leave nothing.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "runtime/image/image_store.h"
#include "runtime/registry/credentials.h"

namespace portcullis::runtime {

inline constexpr char kDefaultRegistriesFile[] = "/etc/portcullis/registries.yaml";

struct PullerOptions {
  // Both are read for every pull, so that a change needs no restart. The default file of registries may be absent; ""
  // for the credentials means <state>/config.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json, the first
  // there.
  std::string registries_file = kDefaultRegistriesFile;  // endpoints.h
  std::string auth_file;
};

class ImagePuller {
 public:
  ImagePuller(ImageStore& store, PullerOptions options) : store_(store), options_(std::move(options)) {}

  // Asks the registry what `name` is now, and fetches what is missing. A name with a digest that is here already needs
  // no registry. `given`, when not empty, is used at the registry itself, never at its mirrors. The error names every
  // endpoint that was tried; its code is that of the last.
  Result<Image> Pull(const std::string& name, const Credentials& given,
                     const std::function<void(const std::string&)>& progress);

 private:
  ImageStore& store_;
  PullerOptions options_;
};

}  // namespace portcullis::runtime
