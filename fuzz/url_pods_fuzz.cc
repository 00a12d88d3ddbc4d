// Answers of a URL with static pods, from whoever serves it: reading one must not crash or hang, must leave the last
// good list as it is when it is bad, and must give the same again for the same bytes.
#include <cstdint>
#include <string>

#include "node/source/url_pods.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portcullis;
  http::ClientResponse answer;
  answer.status = 200;
  answer.body.assign(reinterpret_cast<const char*>(data), size);
  http::ClientResponse good = answer;
  good.body = "apiVersion: v1\nkind: Pod\nmetadata: {name: before}\nspec: {containers: [{name: c, image: i}]}\n";

  node::UrlPods pods("http://config/pods", "n1");
  Require(pods.Take(good, 1) && pods.update().known && pods.update().pods.size() == 1);
  const std::string uid = pods.update().pods[0].pod->metadata.uid;
  pods.Take(answer, 2);
  Require(pods.update().known);
  if (!pods.update().problems.empty()) {
    // An empty answer is complained about, and means no pods.
    Require(pods.update().pods.empty() || pods.update().pods[0].pod->metadata.uid == uid);
  }
  const size_t count = pods.update().pods.size();
  Require(!pods.Take(answer, 3) || !pods.update().problems.empty());
  Require(pods.update().pods.size() == count);

  node::UrlPods fresh("http://config/pods", "n1");
  fresh.Take(answer, 2);
  for (const auto& item : fresh.update().pods) {
    Require(item.pod != nullptr && !item.pod->metadata.uid.empty() && item.pod->metadata.name.ends_with("-n1"));
  }
  return 0;
}
