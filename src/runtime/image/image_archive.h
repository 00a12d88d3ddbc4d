// The files of an image archive (tar, plain or compressed) or of a layout folder, by their path in it.
//
// A tar is read once, in its own order; its files go to numbered files in a scratch folder, so no name in it ever
// becomes a path here.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/image/store_files.h"

namespace portcullis::runtime {

class ImageArchive {
 public:
  // `max_bytes` bounds what a tar may unpack to.
  static Result<ImageArchive> Open(const std::string& path, const std::string& scratch_dir, int64_t max_bytes);

  bool Has(const std::string& path) const;
  // A small document.
  Result<std::string> Read(const std::string& path, size_t max_bytes) const;
  // A file of its own in the scratch folder, ready to become a blob.
  Result<StagedFile> Stage(const std::string& path);
  const std::string& name() const { return name_; }
  // From now on Stage moves the files of a folder, which nobody else may be writing, instead of copying them.
  void Consume() { consume_ = true; }

 private:
  ImageArchive(std::string name, std::string scratch_dir)
      : name_(std::move(name)), scratch_dir_(std::move(scratch_dir)) {}

  Result<void> ReadTar(int64_t max_bytes);
  Result<std::string> Follow(std::string path) const;
  std::string NextScratchPath() { return scratch_dir_ + "/file-" + std::to_string(next_++); }

  std::string name_;  // as the user gave it
  std::string scratch_dir_;
  base::UniqueFd folder_;  // valid when the archive is a folder
  std::map<std::string, StagedFile> files_;
  std::map<std::string, std::string> links_;  // docker-archive shares equal layers through links
  int next_ = 0;
  bool consume_ = false;
};

}  // namespace portcullis::runtime
