// PullImage: with the credentials of the request, else with those of this host.
#include "base/try.h"
#include "runtime/registry/image_puller.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

Result<Credentials> CredentialsOf(const std::optional<cri::AuthConfig>& auth) {
  Credentials out;
  if (!auth) return out;
  out = {.username = auth->username,
         .password = auth->password,
         .identity_token = auth->identity_token,
         .registry_token = auth->registry_token};
  if (!auth->auth.empty()) TRY(DecodeAuth(auth->auth, out));
  return out;
}

}  // namespace

Result<cri::PullImageResponse> RuntimeService::PullImage(const cri::PullImageRequest& request) {
  const std::string name = NameOf(request.image);
  if (name.empty()) return Fail(Code::kInvalidArgument, "image name must be set");
  ASSIGN_OR_RETURN(const Credentials credentials, CredentialsOf(request.auth));
  ASSIGN_OR_RETURN(const Image image, ImagePuller(*images_, options_.registry).Pull(name, credentials, {}));
  return cri::PullImageResponse{.image_ref = image.id};
}

}  // namespace portcullis::runtime
