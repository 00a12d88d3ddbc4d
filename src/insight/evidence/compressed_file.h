// Files as streams of bytes, compressed (gzip, zstd, xz, bzip2) or not: told by content when read, by name when
// written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::insight {

// Gives the uncompressed content to `take` in pieces; its error ends the reading and is returned. "-" is standard
// input. `progress` is told now and then how many bytes of the file, as stored, have been read; may be empty.
Result<void> ReadCompressed(const std::string& path, const std::function<Result<void>(std::string_view)>& take,
                            const std::function<void(uint64_t)>& progress = {});

// Writes what `make` gives to its sink: compressed when the name ends in ".gz", beside the name and then renamed, so
// that a file is whole or not there. "-" is standard output.
using TextSink = std::function<void(std::string_view)>;
Result<void> WriteCompressed(const std::string& path, const std::function<void(const TextSink&)>& make);

// Removes what WriteCompressed leaves beside `path` when its process is killed. Only where nobody else writes that
// file.
void RemoveHalfWritten(const std::string& path);

}  // namespace portcullis::insight
