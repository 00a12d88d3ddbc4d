// The verbs of crictl, over any CRI runtime. Each prints what kubernetes-sigs/cri-tools' crictl prints for it.
//
//   Session session{.runtime = api, .out = std::cout, .err = std::cerr};
//   TRY(ListContainers(session, {.filter = {.name_pattern = "nginx"}, .quiet = true}));
//
// Errors are one line that begins with what was attempted ("get the status of container ab12: ..."). Ids may be
// shortened to any beginning that only one container (pod) has.
#pragma once

#include "base/result.h"
#include "cli/crictl/options.h"
#include "cli/crictl/session.h"

namespace portcullis::cli {

Result<void> ShowVersion(Session& session, const OutputOptions& output);           // version
Result<void> ShowInfo(Session& session, bool quiet, const OutputOptions& output);  // info
Result<void> ShowRuntimeConfig(Session& session, const OutputOptions& output);     // runtime-config
Result<void> UpdatePodCidr(Session& session, const std::string& pod_cidr);         // update-runtime-config
Result<void> ShowEvents(Session& session, const OutputOptions& output);            // events

Result<void> ListContainers(Session& session, const ListContainersOptions& options);        // ps
Result<void> InspectContainers(Session& session, const InspectContainersOptions& options);  // inspect
Result<void> ListPods(Session& session, const ListPodsOptions& options);                    // pods
Result<void> InspectPods(Session& session, const InspectPodsOptions& options);              // inspectp

Result<void> ListImages(Session& session, const ListImagesOptions& options);        // images
Result<void> InspectImages(Session& session, const InspectImagesOptions& options);  // inspecti
Result<void> RemoveImages(Session& session, const RemoveImagesOptions& options);    // rmi
Result<void> PullImage(Session& session, const PullOptions& options);               // pull
Result<void> ShowImageFsInfo(Session& session, const OutputOptions& output);        // imagefsinfo

Result<void> RunPod(Session& session, const RunPodOptions& options);                    // runp
Result<void> StopPods(Session& session, const std::vector<std::string>& ids);           // stopp
Result<void> RemovePods(Session& session, const RemoveOptions& options);                // rmp
Result<void> CreateContainer(Session& session, const CreateOptions& options);           // create
Result<void> StartContainers(Session& session, const std::vector<std::string>& ids);    // start
Result<void> RunContainer(Session& session, const RunOptions& options);                 // run
Result<void> StopContainers(Session& session, const StopContainersOptions& options);    // stop
Result<void> RemoveContainers(Session& session, const RemoveOptions& options);          // rm
Result<void> UpdateContainers(Session& session, const UpdateOptions& options);          // update
Result<void> CheckpointContainers(Session& session, const CheckpointOptions& options);  // checkpoint

Result<void> ShowLogs(Session& session, const LogsOptions& options);  // logs
// exec: with --sync the command's exit code; otherwise its failure is an error
Result<int> Exec(Session& session, const ExecOptions& options);
Result<void> Attach(Session& session, const AttachOptions& options);                     // attach
Result<void> ForwardPorts(Session& session, const PortForwardOptions& options);          // port-forward
Result<void> ShowContainerStats(Session& session, const StatsOptions& options);          // stats
Result<void> ShowPodStats(Session& session, const StatsOptions& options);                // statsp
Result<void> ShowMetricDescriptors(Session& session, const OutputOptions& output);       // metricdescs
Result<void> ShowPodMetrics(Session& session, bool watch, const OutputOptions& output);  // metricsp

}  // namespace portcullis::cli
