#include "node/source/url_pods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/source/source_set.h"
#include "spec/k8s/static_pod.h"

namespace portcullis::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Pod(const std::string& name, const std::string& image = "i:1") {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
         R"("},"spec":{"containers":[{"name":"c","image":")" + image + "\"}]}}";
}

std::string List(const std::string& items) { return R"({"apiVersion":"v1","kind":"PodList","items":[)" + items + "]}"; }

class UrlPodsTest : public testing::Test {
 protected:
  bool Take(long status, std::string body) {
    return pods_.Take(http::ClientResponse{.status = status, .body = std::move(body)}, ++now_);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> out;
    for (const SourcePod& item : pods_.update().pods)
      out.push_back(item.pod->metadata.name + ":" + item.pod->spec.containers[0].image);
    return out;
  }
  std::string Problem() const { return pods_.update().problems.empty() ? "" : pods_.update().problems.front().error; }
  std::string Annotation(size_t i, std::string_view key) const {
    return pods_.update().pods[i].pod->metadata.annotations.at(std::string(key));
  }

  UrlPods pods_{"http://config/pods", "n1"};
  int64_t now_ = 1'000'000'000;
};

TEST_F(UrlPodsTest, APodIsMadeOfTheSourceHttp) {
  EXPECT_FALSE(pods_.update().known);
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_TRUE(pods_.update().known);
  EXPECT_THAT(Names(), ElementsAre("web-n1:i:1"));
  EXPECT_EQ(Annotation(0, k8s::kConfigSourceAnnotation), "http");
  EXPECT_EQ(Annotation(0, k8s::kConfigHashAnnotation), pods_.update().pods[0].pod->metadata.uid);
  EXPECT_EQ(pods_.update().pods[0].pod->metadata.uid.size(), 32u);
  EXPECT_EQ(pods_.update().pods[0].file, "http://config/pods");
  EXPECT_FALSE(Take(200, Pod("web"))) << "equal bytes are no news";
}

TEST_F(UrlPodsTest, ListsInJsonAndYaml) {
  EXPECT_TRUE(Take(200, List(Pod("a") + "," + Pod("b"))));
  EXPECT_THAT(Names(), ElementsAre("a-n1:i:1", "b-n1:i:1"));
  EXPECT_TRUE(Take(200,
                   "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: yaml}\n  spec:\n    containers:\n"
                   "    - {name: c, image: 'i:2'}\n"));
  EXPECT_THAT(Names(), ElementsAre("yaml-n1:i:2")) << "a PodList's items need no kind";
  EXPECT_TRUE(Take(200, R"({"apiVersion":"v1","kind":"List","items":[)" + Pod("l") + "]}"));
  EXPECT_THAT(Names(), ElementsAre("l-n1:i:1"));
  EXPECT_TRUE(Take(200, List("")));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(Problem(), "");
}

TEST_F(UrlPodsTest, TheLastGoodStateStaysWhileTheUrlFails) {
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_TRUE(Take(500, "oops"));
  EXPECT_THAT(Names(), ElementsAre("web-n1:i:1"));
  EXPECT_EQ(Problem(), "http://config/pods: status 500");
  EXPECT_TRUE(pods_.update().problems[0].kept);
  EXPECT_FALSE(Take(500, "oops")) << "the same again";
  EXPECT_TRUE(pods_.Take(Fail(Code::kUnavailable, "connection refused"), ++now_));
  EXPECT_EQ(Problem(), "connection refused");
  EXPECT_TRUE(Take(200, "garbage: ["));
  EXPECT_THAT(Problem(), HasSubstr("couldn't parse as single or multiple pods"));
  EXPECT_FALSE(Take(200, "garbage: [")) << "read once, and still bad";
  EXPECT_TRUE(Take(404, ""));
  EXPECT_TRUE(Take(200, "garbage: ["));
  EXPECT_THAT(Problem(), HasSubstr("couldn't parse as single or multiple pods"));
  EXPECT_THAT(Names(), ElementsAre("web-n1:i:1"));
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_EQ(Problem(), "");
}

TEST_F(UrlPodsTest, OneBadPodSpoilsTheList) {
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_TRUE(Take(200, List(Pod("a") + R"(,{"metadata":{"name":"b"},"spec":{"containers":[]}})")));
  EXPECT_THAT(Names(), ElementsAre("web-n1:i:1"));
  EXPECT_EQ(Problem(), "items[1]: invalid pod: [spec.containers: Required value]");
  ASSERT_FALSE(pods_.update().problems[0].diagnostics.empty());
  EXPECT_EQ(pods_.update().problems[0].diagnostics[0].field, "items[1].spec.containers");
}

TEST_F(UrlPodsTest, RefusesWhatIsNoListOfPods) {
  EXPECT_TRUE(Take(200, Pod("web")));
  for (const std::string& body :
       {std::string("7"), std::string("null"), List("7"), List("null"),
        std::string(R"({"apiVersion":"v1","kind":"PodList","items":{}})"),
        std::string(R"({"apiVersion":"v1","kind":"List","items":[{"metadata":{"name":"x"}}]})"),
        std::string(R"({"apiVersion":"v1","kind":"PodList","itmes":[]})"),
        std::string(R"({"apiVersion":"apps/v1","kind":"Deployment"})"), Pod("a") + "\n---\n" + Pod("b"),
        std::string(k8s::kMaxManifestBytes + 1, ' ')}) {
    Take(200, body);
    EXPECT_NE(Problem(), "") << body.substr(0, 80);
    EXPECT_THAT(Names(), ElementsAre("web-n1:i:1")) << body.substr(0, 80);
  }
}

TEST_F(UrlPodsTest, AnEmptyAnswerMeansNoPodsAndIsComplainedAbout) {
  EXPECT_TRUE(Take(200, ""));
  EXPECT_TRUE(pods_.update().known) << "the source counts as seen";
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_TRUE(Take(200, ""));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(Problem(), "zero-length data received from http://config/pods");
  EXPECT_FALSE(Take(200, ""));
  EXPECT_TRUE(Take(200, Pod("web")));
  EXPECT_THAT(Names(), ElementsAre("web-n1:i:1")) << "although these bytes were read before";
}

TEST_F(UrlPodsTest, WhatStaysInTheListIsTheSamePod) {
  EXPECT_TRUE(Take(200, List(Pod("a") + "," + Pod("b"))));
  const auto a = pods_.update().pods[0].pod;
  const auto b = pods_.update().pods[1].pod;
  EXPECT_TRUE(Take(200, List(Pod("b", "i:2") + "," + Pod("a"))));
  EXPECT_THAT(Names(), ElementsAre("b-n1:i:2", "a-n1:i:1"));
  EXPECT_EQ(pods_.update().pods[1].pod, a);
  EXPECT_NE(pods_.update().pods[0].pod->metadata.uid, b->metadata.uid) << "other content is another pod";
}

TEST(SourceSet, IsKnownWhenEverySourceIsAndTheFirstSourceWins) {
  SourceSet sources({"file", "http"});
  EXPECT_FALSE(sources.Joined().known);
  UrlPods url("http://config/pods", "n1");
  url.Take(http::ClientResponse{.status = 200, .body = List(Pod("web") + "," + Pod("more"))}, 1);
  sources.Take("http", url.update());
  EXPECT_FALSE(sources.Joined().known);
  EXPECT_EQ(sources.Joined().pods.size(), 2u);
  k8s::PodLoad file = k8s::LoadStaticPod(Pod("web"), {.file = "/m/web.json", .node_name = "n1"});
  ASSERT_TRUE(file.pod);
  sources.Take("file", {.pods = {{std::make_shared<const k8s::Pod>(*file.pod), "/m/web.json"}}});
  const SourceUpdate all = sources.Joined();
  EXPECT_TRUE(all.known);
  ASSERT_EQ(all.pods.size(), 2u);
  EXPECT_EQ(all.pods[0].file, "/m/web.json");
  EXPECT_EQ(all.pods[1].pod->metadata.name, "more-n1");
  ASSERT_EQ(all.problems.size(), 1u);
  EXPECT_EQ(all.problems[0].error, "pod default/web-n1 is ignored: /m/web.json has a pod with the same name");
}

}  // namespace
}  // namespace portcullis::node
