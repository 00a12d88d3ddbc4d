#include "spec/k8s/workloads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::k8s {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const WorkloadsLoad& load) {
  std::vector<std::string> names;
  for (const PodTemplate& pod : load.templates) {
    for (const TemplateContainer& one : pod.containers) {
      names.push_back(fmt::format("{} {}/{}/{} {} line {}", pod.kind, pod.name_space, pod.name, one.container.name,
                                  ContainerRoleName(one.role), one.line));
    }
  }
  return names;
}

TEST(LoadWorkloads, ReadsEveryKindThatMakesPods) {
  const WorkloadsLoad load = LoadWorkloads(R"(apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      securityContext: {seccompProfile: {type: Unconfined}}
      initContainers:
      - name: migrate
        image: a
      - name: proxy
        image: a
        restartPolicy: Always
      containers:
      - name: nginx
        image: a
        livenessProbe: {exec: {command: [true]}}
      volumes:
      - name: v
        persistentVolumeClaim: {claimName: x}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: dump, image: a, securityContext: {privileged: true}}]}}}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: canary}
spec: {template: {spec: {containers: [{name: c, image: a}]}}}
)",
                                           "app.yaml");
  EXPECT_TRUE(load.diagnostics.empty()) << FormatDiagnostic(load.diagnostics[0]);
  EXPECT_EQ(load.others, 1u);
  EXPECT_THAT(
      Names(load),
      ElementsAre("Deployment shop/web/migrate init container line 13", "Deployment shop/web/proxy sidecar line 15",
                  "Deployment shop/web/nginx container line 19", "CronJob default/backup/dump container line 29",
                  "Rollout default/canary/c container line 34"));
  EXPECT_EQ(load.templates[0].spec.security_context.seccomp_profile->type, "Unconfined");
  EXPECT_TRUE(load.templates[0].containers[2].runs_exec);
  EXPECT_FALSE(load.templates[0].containers[0].runs_exec);
  EXPECT_TRUE(load.templates[1].containers[0].container.privileged());
}

TEST(LoadWorkloads, ReadsWhatTheKubeletSays) {
  const WorkloadsLoad load = LoadWorkloads(
      R"({"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a-n1","uid":"u1"},
        "spec":{"containers":[{"name":"c","image":"i"}],"ephemeralContainers":[{"name":"debug","image":"i"}]},
        "status":{"containerStatuses":[{"name":"c","containerID":"containerd://abc"}]}}]})",
      "/pods");
  ASSERT_TRUE(load.diagnostics.empty()) << FormatDiagnostic(load.diagnostics[0]);
  ASSERT_EQ(load.templates.size(), 1u);
  EXPECT_EQ(load.templates[0].kind, "Pod");
  EXPECT_EQ(load.templates[0].uid, "u1");
  EXPECT_EQ(load.templates[0].containers[0].id, "abc");
  EXPECT_EQ(load.templates[0].containers[1].role, ContainerRole::kEphemeral);
}

TEST(LoadWorkloads, TellsWhatIsWrong) {
  const struct {
    const char* text;
    const char* problem;
  } kCases[] = {
      {"a: [", "f:"},
      {"- 1\n", "not an object of Kubernetes"},
      {"a: 1\n", "kind: Required value"},
      {"kind: Pod\nmetadata: {name: x}\n", "Pod \"x\": has no pod spec"},
      {"kind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n", "Pod \"x\": spec.containers: Required value"},
      {"kind: CronJob\nspec: {}\n", "has no pod spec"},
      {"kind: Pod\nspec: {securityContext: {seccompprofile: {type: Unconfined}}, containers: [{name: c, image: i}]}\n",
       "did you mean \"seccompProfile\"?"},
      {"kind: Pod\nspec: {containers: [{name: c, image: i, securityContext: {privileged: \"yes\"}}]}\n", "privileged"},
  };
  for (const auto& c : kCases) {
    const WorkloadsLoad load = LoadWorkloads(c.text, "f");
    ASSERT_FALSE(load.diagnostics.empty()) << c.text;
    EXPECT_THAT(FormatDiagnostic(load.diagnostics[0]), HasSubstr(c.problem)) << c.text;
  }
  EXPECT_TRUE(LoadWorkloads("", "f").templates.empty());
}

TEST(MayBePodOf, FollowsKubernetesNamePatterns) {
  const struct {
    const char* kind;
    const char* name;
    const char* pod;
    bool want;
  } kCases[] = {
      {"Pod", "web", "web", true},
      {"Pod", "web", "web-node1", true},
      {"Pod", "web", "website", false},
      {"Deployment", "web", "web-7d9f8b5c6d-x2x4z", true},
      {"Deployment", "web", "web-api-7d9f8b5c6d-x2x4z", false},
      {"Deployment", "web", "web", false},
      {"Deployment", "web", "web-7d9f8b5c6d", false},
      {"StatefulSet", "db", "db-12", true},
      {"StatefulSet", "db", "db-x", false},
      {"DaemonSet", "log", "log-abcde", true},
      {"DaemonSet", "log", "log-abcde-fghij", false},
      {"Job", "run", "run-0-abcde", true},
      {"Job", "run", "run-abcde", true},
      {"CronJob", "cron", "cron-29381230-abcde", true},
      {"CronJob", "cron", "cron-abcde", false},
      {"Rollout", "canary", "canary-x-y-z", true},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(MayBePodOf({.kind = c.kind, .name = c.name}, c.pod), c.want) << c.kind << " " << c.pod;
  }
}

}  // namespace
}  // namespace portcullis::k8s
