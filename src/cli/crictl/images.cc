// images, inspecti, rmi, pull and imagefsinfo.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/config_files.h"
#include "cli/crictl/for_each.h"
#include "cli/crictl/image_filter.h"
#include "cli/crictl/login.h"
#include "cli/crictl/print.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"
#include "cli/output/human.h"
#include "cli/output/table.h"
#include "cri/json.h"

namespace portcullis::cli {
namespace {

constexpr char kNone[] = "<none>";

Result<std::optional<cri::Image>> FindImage(Session& session, const std::string& name) {
  cri::ImageStatusRequest request;
  request.image.emplace().image = name;
  auto status = session.runtime.ImageStatus(request);
  if (!status) return Wrap(std::move(status).error(), "get the status of image {}", base::Quote(name));
  return std::move(status->image);
}

Result<std::vector<cri::Image>> AllImages(Session& session, const std::string& name) {
  cri::ListImagesRequest request;
  if (!name.empty()) request.filter.emplace().image.emplace().image = name;
  auto list = session.runtime.ListImages(request);
  if (!list) return Wrap(std::move(list).error(), "list images");
  return std::move(list->images);
}

// "host:5000/a/b:tag" -> {"host:5000/a/b", "tag"}; a colon before the last slash belongs to the host.
std::pair<std::string, std::string> SplitTag(const std::string& reference) {
  const size_t colon = reference.rfind(':');
  const size_t slash = reference.rfind('/');
  if (colon == std::string::npos || (slash != std::string::npos && colon < slash)) return {reference, kNone};
  return {reference.substr(0, colon), reference.substr(colon + 1)};
}

// Repository name and short digest of the first digest reference.
std::pair<std::string, std::string> DigestOf(const cri::Image& image) {
  if (image.repo_digests.empty()) return {kNone, kNone};
  const std::string& reference = image.repo_digests.front();
  const size_t at = reference.find('@');
  if (at == std::string::npos) return {reference, kNone};
  return {reference.substr(0, at), reference.substr(at + 1)};
}

// One row per tag; an image without tags has one under the name of its digest.
std::vector<std::pair<std::string, std::string>> NamesOf(const cri::Image& image) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const std::string& tag : image.repo_tags) names.push_back(SplitTag(tag));
  if (names.empty()) names.emplace_back(DigestOf(image).first, kNone);
  return names;
}

void PrintTable(Session& session, const std::vector<cri::Image>& images, const ListImagesOptions& options) {
  std::vector<std::string> header = {"IMAGE", "TAG"};
  if (options.digests) header.push_back("DIGEST");
  header.insert(header.end(), {"IMAGE ID", "SIZE"});
  if (options.pinned) header.push_back("PINNED");
  Table table(std::move(header));
  for (const cri::Image& image : images) {
    const std::string digest = DigestOf(image).second;
    for (const auto& [name, tag] : NamesOf(image)) {
      std::vector<std::string> row = {name, tag};
      if (options.digests) row.push_back(options.no_truncate || digest == kNone ? digest : TruncateId(digest));
      row.push_back(options.no_truncate ? image.id : TruncateId(image.id));
      row.push_back(HumanSize(static_cast<double>(image.size), 3));
      if (options.pinned) row.push_back(image.pinned ? "true" : "false");
      table.AddRow(std::move(row));
    }
  }
  session.out << table.Text();
}

// Sorted as the table is.
Result<std::vector<cri::Image>> SelectImages(Session& session, const std::string& name,
                                             const std::vector<std::string>& filters) {
  ASSIGN_OR_RETURN(std::vector<cri::Image> images, AllImages(session, name));
  std::stable_sort(images.begin(), images.end(),
                   [](const cri::Image& a, const cri::Image& b) { return NamesOf(a) < NamesOf(b); });
  return FilterImages(std::move(images), filters);
}

void PrintVerbose(Session& session, const cri::Image& image) {
  session.out << "ID: " << image.id << '\n';
  for (const std::string& tag : image.repo_tags) session.out << "RepoTags: " << tag << '\n';
  for (const std::string& digest : image.repo_digests) session.out << "RepoDigests: " << digest << '\n';
  if (image.size != 0) session.out << "Size: " << image.size << '\n';
  if (image.uid) session.out << "Uid: " << image.uid->value << '\n';
  if (!image.username.empty()) session.out << "Username: " << image.username << '\n';
  if (image.pinned) session.out << "Pinned: true\n";
  session.out << '\n';
}

void PrintStatusTable(Session& session, const cri::Image& image) {
  session.out << "ID: " << image.id << '\n';
  for (const std::string& tag : image.repo_tags) session.out << "Tag: " << tag << '\n';
  for (const std::string& digest : image.repo_digests) session.out << "Digest: " << digest << '\n';
  session.out << "Size: " << HumanSize(static_cast<double>(image.size), 3) << '\n';
}

// Ids of the images that some container, running or not, was made from.
Result<std::set<std::string>> ImagesInUse(Session& session) {
  auto list = session.runtime.ListContainers({});
  if (!list) return Wrap(std::move(list).error(), "list containers");
  std::set<std::string> used;
  for (const cri::Container& container : list->containers) {
    used.insert(container.image_ref);
    used.insert(container.image_id);
    if (!container.image) continue;
    ASSIGN_OR_RETURN(const auto image, FindImage(session, container.image->image));
    if (image) used.insert(image->id);
  }
  return used;
}

Result<void> RemoveOne(Session& session, const cri::Image& image) {
  cri::RemoveImageRequest request;
  request.image.emplace().image = image.id;
  auto removed = session.runtime.RemoveImage(request);
  if (!removed) return Wrap(std::move(removed).error(), "remove image {}", base::Quote(image.id));
  const std::vector<std::string>& names = image.repo_tags.empty() ? image.repo_digests : image.repo_tags;
  for (const std::string& name : names) session.out << "Deleted: " << name << '\n';
  return {};
}

}  // namespace

Result<void> ListImages(Session& session, const ListImagesOptions& options) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(options.output, Format::kTable));
  ASSIGN_OR_RETURN(std::vector<cri::Image> images, SelectImages(session, options.image, options.filters));
  if (options.quiet) {
    for (const cri::Image& image : images) session.out << image.id << '\n';
    return {};
  }
  if (format != Format::kTable) {
    const cri::ListImagesResponse list{.images = std::move(images)};
    return PrintDocument(session, cri::ToProtoJson(list), format, options.output);
  }
  if (!options.verbose) {
    PrintTable(session, images, options);
    return {};
  }
  for (const cri::Image& image : images) PrintVerbose(session, image);
  return {};
}

Result<void> InspectImages(Session& session, const InspectImagesOptions& options) {
  const InspectOptions& inspect = options.inspect;
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(inspect.output, Format::kJson));
  std::vector<std::string> names = inspect.ids;
  if (names.empty()) {
    ASSIGN_OR_RETURN(const auto images, SelectImages(session, options.name, options.filters));
    for (const cri::Image& image : images) names.push_back(image.id);
    if (names.empty()) {
      return Fail(Code::kNotFound, "no image given and none fits the filter; `crictl images` lists all");
    }
  }
  std::vector<nlohmann::json> documents;
  for (const std::string& name : names) {
    cri::ImageStatusRequest request{.verbose = !inspect.quiet};
    request.image.emplace().image = name;
    auto response = session.runtime.ImageStatus(request);
    if (!response) return Wrap(std::move(response).error(), "get the status of image {}", base::Quote(name));
    if (!response->image) return Fail(Code::kNotFound, "no such image {} present", base::Quote(name));
    if (format == Format::kTable) {
      PrintStatusTable(session, *response->image);
      if (!inspect.quiet) PrintMap(session, "Info", response->info);
      continue;
    }
    ASSIGN_OR_RETURN(documents.emplace_back(), StatusDocument(cri::ToProtoJson(*response->image), response->info));
  }
  if (format == Format::kTable) return {};
  return PrintDocument(session, OneOrMany(std::move(documents)), format, inspect.output);
}

Result<void> RemoveImages(Session& session, const RemoveImagesOptions& options) {
  const bool selects = options.all || options.prune;
  if (selects && !options.images.empty()) {
    return Fail(Code::kInvalidArgument, "give either images or --all / --prune, not both");
  }
  if (!selects && options.images.empty()) {
    return Fail(Code::kInvalidArgument, "no image given; `crictl images` lists all");
  }
  std::vector<cri::Image> images;
  if (selects) {
    ASSIGN_OR_RETURN(images, AllImages(session, ""));
    std::set<std::string> used;
    if (options.prune) {
      ASSIGN_OR_RETURN(used, ImagesInUse(session));
    }
    std::erase_if(images,
                  [&](const cri::Image& image) { return options.prune && (image.pinned || used.contains(image.id)); });
  }
  if (selects) return ForEach(images, [&](const cri::Image& image) { return RemoveOne(session, image); });
  return ForEach(options.images, [&](const std::string& name) -> Result<void> {
    ASSIGN_OR_RETURN(const auto image, FindImage(session, name));
    if (!image) return Fail(Code::kNotFound, "no such image {}", name);
    return RemoveOne(session, *image);
  });
}

Result<void> PullImage(Session& session, const PullOptions& options) {
  if (options.image.empty()) return Fail(Code::kInvalidArgument, "image name cannot be empty");
  cri::PullImageRequest request;
  cri::ImageSpec& image = request.image.emplace();
  image.image = options.image;
  ASSIGN_OR_RETURN(image.annotations, ParseLabels(options.annotations));
  ASSIGN_OR_RETURN(request.auth, AuthOf(options.login));
  if (!options.pod_config.empty()) {
    ASSIGN_OR_RETURN(request.sandbox_config, LoadPodConfig(options.pod_config));
  }
  auto pulled = session.runtime.PullImage(request);
  if (!pulled) return Wrap(std::move(pulled).error(), "pull image {}", base::Quote(options.image));
  session.out << "Image is up to date for " << pulled->image_ref << '\n';
  return {};
}

Result<void> ShowImageFsInfo(Session& session, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(output, Format::kJson));
  auto info = session.runtime.ImageFsInfo({});
  if (!info) return Wrap(std::move(info).error(), "get the file systems of images");
  if (format != Format::kTable) {
    return PrintDocument(session, {{"status", cri::ToProtoJson(*info)}}, format, output);
  }
  for (const auto* list : {&info->container_filesystems, &info->image_filesystems}) {
    session.out << (list == &info->image_filesystems ? "Image Filesystem \n" : "Container Filesystem \n");
    for (size_t i = 0; i < list->size(); ++i) {
      const cri::FilesystemUsage& usage = (*list)[i];
      const uint64_t used = usage.used_bytes ? usage.used_bytes->value : 0;
      session.out << "TimeStamp[" << i << "]: " << usage.timestamp << '\n';
      session.out << "Disk[" << i << "]: " << HumanSize(static_cast<double>(used)) << '\n';
      session.out << "Inodes[" << i << "]: " << (usage.inodes_used ? usage.inodes_used->value : 0) << '\n';
      session.out << "Mountpoint[" << i << "]: " << (usage.fs_id ? usage.fs_id->mountpoint : "") << '\n';
    }
  }
  return {};
}

}  // namespace portcullis::cli
