// PullImage: with the credentials of the request, else with those of this host.
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/registry/image_puller.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {
namespace {

Result<Credentials> CredentialsOf(const std::optional<cri::AuthConfig>& auth, const std::string& image) {
  Credentials out;
  if (!auth) return out;
  out = {.username = auth->username,
         .password = auth->password,
         .identity_token = auth->identity_token,
         .registry_token = auth->registry_token};
  if (!auth->auth.empty()) TRY(DecodeAuth(auth->auth, out));
  // Given for another registry: then this host's own count.
  if (!auth->server_address.empty()) {
    ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(image));
    const std::string server = RegistryOfServerName(auth->server_address);
    if (server.substr(0, server.find('/')) != reference.registry) return Credentials();
  }
  return out;
}

}  // namespace

Result<cri::PullImageResponse> RuntimeService::PullImage(const cri::PullImageRequest& request) {
  const std::string name = NameOf(request.image);
  if (name.empty()) return Fail(Code::kInvalidArgument, "image name must be set");
  ASSIGN_OR_RETURN(const Credentials credentials, CredentialsOf(request.auth, name));
  ASSIGN_OR_RETURN(const Image image, puller_->Pull({.name = name, .credentials = credentials}));
  return cri::PullImageResponse{.image_ref = image.id};
}

Result<Image> RuntimeService::SandboxImage() {
  auto present = images_->Get(options_.sandbox_image);
  if (present || present.error().code != Code::kNotFound) return present;
  base::LogInfo("pulling the sandbox image", {{"image", options_.sandbox_image}});
  auto pulled = puller_->Pull({.name = options_.sandbox_image});
  if (pulled) return pulled;
  return Fail(pulled.error().code,
              "failed to get sandbox image {}: it is not on this node, and {}; without a registry, load it with "
              "`portcullis image load`",
              base::Quote(options_.sandbox_image), pulled.error().message);
}

void RuntimeService::StopPulls() { puller_->Stop(); }

}  // namespace portcullis::runtime
