// portcullis image: the node's images, from registries and archives.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "cli/command_line.h"
#include "cli/output/transfer.h"
#include "cli/verbs.h"
#include "runtime/image/image_store.h"
#include "runtime/registry/image_puller.h"

namespace portcullis::cli {
namespace {

constexpr const char* kUsage =
    "usage: portcullis image pull NAME...      from its registry or a mirror of it\n"
    "       portcullis image load ARCHIVE...   import OCI layouts (folder or tar) and docker-archives\n"
    "       portcullis image list              what there is\n"
    "       portcullis image remove NAME...    by name, id or a unique prefix of it\n"
    "Flags: --state-dir (default /var/lib/portcullis), --name NAME with load; --creds, --registries-file,\n"
    "--registry-auth-file and --connect-timeout with pull.\n"
    "A running node or runtime sees the change at once.\n";

int Report(const Error& error) {
  std::fprintf(stderr, "portcullis image: %s\n", error.message.c_str());
  return 1;
}

int Load(runtime::ImageStore& store, const std::vector<std::string>& archives, const std::string& name) {
  for (const std::string& archive : archives) {
    const auto loaded = store.Load(archive, {.name = name, .progress = [](const std::string& step) {
                                               std::printf("%s\n", step.c_str());
                                               std::fflush(stdout);
                                             }});
    if (!loaded) return Report(loaded.error());
    for (const runtime::Image& image : *loaded) {
      for (const std::string& tag : image.repo_tags) std::printf("loaded %s (%s)\n", tag.c_str(), image.id.c_str());
    }
  }
  return 0;
}

int Pull(runtime::ImageStore& store, const std::vector<std::string>& names, const runtime::PullerOptions& options,
         const std::string& creds) {
  runtime::Credentials credentials;
  if (const size_t colon = creds.find(':'); colon != std::string::npos) {
    credentials.username = creds.substr(0, colon);
    credentials.password = creds.substr(colon + 1);
  } else if (!creds.empty()) {
    std::fputs("portcullis image: --creds must be USER:PASSWORD\n", stderr);
    return 2;
  }
  runtime::ImagePuller puller(store, options);
  TransferView view(stdout, ::isatty(STDOUT_FILENO) == 1);
  const auto short_name = [](const std::string& digest) { return digest.substr(7, 12); };
  for (const std::string& name : names) {
    const runtime::PullProgress progress{
        .step = [&view](const std::string& text) { view.Step(text); },
        .expects =
            [&](const std::vector<runtime::BlobSize>& blobs) {
              std::vector<Transfer> transfers;
              transfers.reserve(blobs.size());
              for (const runtime::BlobSize& blob : blobs) transfers.push_back({short_name(blob.digest), blob.bytes, 0});
              view.Expect(std::move(transfers));
            },
        .has = [&](const std::string& digest, int64_t bytes) { view.At(short_name(digest), bytes); },
    };
    const auto image = puller.Pull({.name = name, .credentials = credentials, .progress = progress});
    if (!image) return Report(image.error());
    view.Step(fmt::format("pulled {} ({})", name, image->id));
    view.Expect({});
  }
  return 0;
}

int List(const runtime::ImageStore& store) {
  const auto images = store.List();
  if (!images) return Report(images.error());
  for (const runtime::Image& image : *images) {
    for (const std::string& tag : image.repo_tags) {
      std::printf("%s  %s  %lld bytes\n", image.id.substr(7, 13).c_str(), tag.c_str(),
                  static_cast<long long>(image.size));
    }
  }
  return 0;
}

int Remove(runtime::ImageStore& store, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto removed = store.Remove(name);
    if (!removed) return Report(removed.error());
    for (const std::string& reference : removed->references) std::printf("removed %s\n", reference.c_str());
  }
  return 0;
}

}  // namespace

int ImageMain(const std::vector<std::string>& args) {
  runtime::ImageStoreOptions options;
  runtime::PullerOptions registry;
  int connect_seconds = 30;
  std::string creds;
  std::string name;
  std::vector<std::string> words;
  CommandLine line("portcullis image", "Pulls, loads, lists and removes images.");
  line.Text("--state-dir", &options.state_dir, "where images and layers are kept");
  line.Text("--name", &name, "load: name for the image instead of those in the archive");
  line.Text("--creds", &creds, "pull: USER:PASSWORD for the registry");
  line.Text("--registries-file", &registry.registries_file, "pull: mirrors, TLS and logins of registries");
  line.Text("--registry-auth-file", &registry.auth_file, "pull: logins as `docker login` writes them");
  line.Number("--connect-timeout", &connect_seconds, "pull: seconds to wait for one connection");
  line.Positional("verb", &words, "pull NAME... | load ARCHIVE... | list | remove NAME...", false);
  line.Footer(kUsage);
  if (const auto exit_code = line.Parse(args)) return *exit_code;
  const std::string verb = words.empty() ? "" : words[0];
  const std::vector<std::string> operands(words.begin() + (words.empty() ? 0 : 1), words.end());
  if ((verb != "pull" && verb != "load" && verb != "list" && verb != "remove") ||
      (verb == "list") != operands.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  auto store = runtime::ImageStore::Open(options);
  if (!store) return Report(store.error());
  if (verb == "load") return Load(**store, operands, name);
  registry.connect_timeout = std::chrono::seconds(std::max(connect_seconds, 1));
  if (verb == "pull") return Pull(**store, operands, registry, creds);
  if (verb == "list") return List(**store);
  return Remove(**store, operands);
}

}  // namespace portcullis::cli
