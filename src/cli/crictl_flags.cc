#include "cli/crictl_flags.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {
namespace {

// One verb while it is declared: its subcommand and the invocation that it fills when the user chose it.
struct Verb {
  CLI::App* app;
  CrictlInvocation* invocation;

  void Flag(const std::string& names, bool* target, const std::string& help) { app->add_flag(names, *target, help); }
  template <class T>
  CLI::Option* Value(const std::string& names, T* target, const std::string& help) {
    return app->add_option(names, *target, help);
  }
  void Repeated(const std::string& names, std::vector<std::string>* target, const std::string& help) {
    app->add_option(names, *target, help)->allow_extra_args(false);  // one value per occurrence
  }
  void Rest(const std::string& name, std::vector<std::string>* target, const std::string& help) {
    app->add_option(name, *target, help);
  }
  void Output(OutputOptions* output, const std::string& fallback) {
    Value("-o,--output", &output->format, "table, json, yaml or go-template (default " + fallback + ")");
    Value("--template", &output->template_text, "Go template for -o go-template");
  }
  void Stream(StreamOptions* stream) {
    Value("-r,--transport", &stream->transport, "spdy (default) or websocket");
    Value("--tls-sni,--tls-server-name", &stream->tls_server_name,
          "name that the streaming server's certificate must have (default localhost)");
    Value("--tls-ca", &stream->tls_ca, "file with the authorities of the streaming server's certificate");
    Value("--tls-cert", &stream->tls_cert, "file with the certificate to show to the streaming server");
    Value("--tls-key", &stream->tls_key, "file with the key of --tls-cert");
  }

  // What to do: `action(session)` or `action(session, config)`, with a Result<void> or a Result<int>.
  template <class Action>
  void Runs(Action action) {
    app->callback([invocation = invocation, action] {
      invocation->run = [action](Session& session, const ClientConfig& config) -> Result<int> {
        if constexpr (std::is_invocable_v<Action, Session&, const ClientConfig&>) {
          TRY(action(session, config));
          return 0;
        } else if constexpr (std::is_same_v<std::invoke_result_t<Action, Session&>, Result<int>>) {
          return action(session);
        } else {
          TRY(action(session));
          return 0;
        }
      };
    });
  }
};

// `state` names the flag: exec has another -s.
void AddContainerSelection(Verb& verb, ContainerFilterOptions* filter, const std::string& state) {
  verb.Value("--name", &filter->name_pattern, "only names that this regular expression finds");
  verb.Value("-p,--pod", &filter->pod, "only containers of this pod");
  verb.Value("--image", &filter->image, "only containers of this image");
  verb.Value(state, &filter->state, "only this state: created, running, exited or unknown");
  verb.Repeated("--label", &filter->labels, "only with this key=value label (may be repeated)");
  verb.Flag("-l,--latest", &filter->latest, "only the newest container, in any state");
  verb.Value("-n,--last", &filter->last, "only the n newest containers, in any state");
}

void AddContainerFilter(Verb& verb, ContainerFilterOptions* filter) {
  AddContainerSelection(verb, filter, "-s,--state");
  verb.Value("--namespace", &filter->namespace_pattern, "only pod namespaces that this regular expression finds");
  verb.Flag("-a,--all", &filter->all, "not only running containers");
}

bool IsSet(const ContainerFilterOptions& filter) {
  return filter.latest || filter.last != 0 || !filter.labels.empty() || !filter.name_pattern.empty() ||
         !filter.pod.empty() || !filter.image.empty() || !filter.state.empty();
}

void AddLogin(Verb& verb, LoginOptions* login) {
  verb.Value("--creds", &login->credentials, "USERNAME[:PASSWORD] for the registry")->envname("CRICTL_CREDS");
  verb.Value("--auth", &login->auth, "the same in base64")->envname("CRICTL_AUTH");
}

constexpr char kImageFilterHelp[] =
    "only what dangling=true|false, reference=PATTERN, before=IMAGE or since=IMAGE says (may be repeated)";

void AddPodFilter(Verb& verb, PodFilterOptions* filter) {
  verb.Value("--id", &filter->id, "only the pod with this id");
  verb.Value("--name", &filter->name_pattern, "only names that this regular expression finds");
  verb.Value("--namespace", &filter->namespace_pattern, "only namespaces that this regular expression finds");
  verb.Value("-s,--state", &filter->state, "only this state: ready or notready");
  verb.Repeated("--label", &filter->labels, "only with this key=value label (may be repeated)");
  verb.Flag("-l,--latest", &filter->latest, "only the newest pod");
  verb.Value("-n,--last", &filter->last, "only the n newest pods");
}

void AddInspect(Verb& verb, InspectOptions* options, const std::string& what) {
  verb.Rest("ids", &options->ids, what);
  verb.Flag("-q,--quiet", &options->quiet, "without the runtime's own information");
  verb.Output(&options->output, "json");
}

class Commands {
 public:
  Commands(CLI::App& root, CrictlInvocation& invocation) : root_(root), invocation_(invocation) {
    AddRuntimeVerbs();
    AddContainerLists();
    AddPodLists();
    AddImageVerbs();
    AddPodVerbs();
    AddContainerVerbs();
    AddRemoveVerbs();
    AddLogsAndExec();
    AddStats();
    AddConfig();
    AddAttachAndForward();
  }

 private:
  Verb Add(const std::string& name, const std::string& help) {
    return {root_.add_subcommand(name, help), &invocation_};
  }

  void AddRuntimeVerbs() {
    auto version_output = std::make_shared<OutputOptions>();
    Verb version = Add("version", "Display the version of the runtime");
    version.Output(version_output.get(), "table");
    version.Runs([version_output](Session& s) { return ShowVersion(s, *version_output); });

    auto info_output = std::make_shared<OutputOptions>();
    auto quiet = std::make_shared<bool>(false);
    Verb info = Add("info", "Display information about the runtime");
    info.Flag("-q,--quiet", quiet.get(), "without the runtime's own information");
    info.Output(info_output.get(), "json");
    info.Runs([info_output, quiet](Session& s) { return ShowInfo(s, *quiet, *info_output); });

    auto config_output = std::make_shared<OutputOptions>();
    Verb config = Add("runtime-config", "Display the runtime's configuration: its cgroup driver");
    config.Output(config_output.get(), "table");
    config.Runs([config_output](Session& s) { return ShowRuntimeConfig(s, *config_output); });

    auto pod_cidr = std::make_shared<std::string>();
    Verb update = Add("update-runtime-config", "Tell the runtime the addresses of pods");
    update.Value("-p,--pod-cidr", pod_cidr.get(), "addresses of pods, as ADDRESS/BITS")->required();
    update.Runs([pod_cidr](Session& s) { return UpdatePodCidr(s, *pod_cidr); });

    auto events_output = std::make_shared<OutputOptions>();
    Verb events = Add("events", "Stream the events of containers");
    events.app->alias("event");
    events.Output(events_output.get(), "json");
    events.Runs([events_output](Session& s) { return ShowEvents(s, *events_output); });
  }

  void AddContainerLists() {
    auto list = std::make_shared<ListContainersOptions>();
    Verb ps = Add("ps", "List containers");
    AddContainerFilter(ps, &list->filter);
    ps.Value("--id", &list->filter.id, "only the container with this id");
    ps.Flag("-q,--quiet", &list->quiet, "only ids");
    ps.Flag("-v,--verbose", &list->verbose, "all that is known, one field a line");
    ps.Flag("--no-trunc", &list->no_truncate, "ids in full");
    ps.Flag("-r,--resolve-image-path", &list->resolve_image, "the image's name instead of its id");
    ps.Output(&list->output, "table");
    ps.Runs([list](Session& s) { return ListContainers(s, *list); });

    auto inspected = std::make_shared<InspectContainersOptions>();
    Verb inspect = Add("inspect", "Display the status of one or more containers");
    AddInspect(inspect, &inspected->inspect, "container ids; without, those that the filter selects");
    AddContainerFilter(inspect, &inspected->filter);
    inspect.Value("--id", &inspected->filter.id, "only the container with this id");
    inspect.Runs([inspected](Session& s) { return InspectContainers(s, *inspected); });
  }

  void AddPodLists() {
    auto list = std::make_shared<ListPodsOptions>();
    Verb pods = Add("pods", "List pods");
    AddPodFilter(pods, &list->filter);
    pods.Flag("-q,--quiet", &list->quiet, "only ids");
    pods.Flag("-v,--verbose", &list->verbose, "all that is known, one field a line");
    pods.Flag("--no-trunc", &list->no_truncate, "ids in full");
    pods.Output(&list->output, "table");
    pods.Runs([list](Session& s) { return ListPods(s, *list); });

    auto inspected = std::make_shared<InspectPodsOptions>();
    Verb inspectp = Add("inspectp", "Display the status of one or more pods");
    AddInspect(inspectp, &inspected->inspect, "pod ids; without, those that the filter selects");
    AddPodFilter(inspectp, &inspected->filter);
    inspectp.Runs([inspected](Session& s) { return InspectPods(s, *inspected); });
  }

  void AddImageVerbs() {
    auto list = std::make_shared<ListImagesOptions>();
    Verb images = Add("images", "List images");
    images.app->alias("image")->alias("img");
    images.Value("image", &list->image, "only this image");
    images.Repeated("-f,--filter", &list->filters, kImageFilterHelp);
    images.Flag("-q,--quiet", &list->quiet, "only ids");
    images.Flag("-v,--verbose", &list->verbose, "all that is known, one field a line");
    images.Flag("--digests", &list->digests, "show digests");
    images.Flag("--pinned", &list->pinned, "show which are pinned");
    images.Flag("--no-trunc", &list->no_truncate, "ids in full");
    images.Output(&list->output, "table");
    images.Runs([list](Session& s) { return ListImages(s, *list); });

    auto inspected = std::make_shared<InspectImagesOptions>();
    Verb inspecti = Add("inspecti", "Display the status of one or more images");
    AddInspect(inspecti, &inspected->inspect, "image names or ids; without, those that the filter selects");
    inspecti.Value("--name", &inspected->name, "only this image");
    inspecti.Repeated("-f,--filter", &inspected->filters, kImageFilterHelp);
    inspecti.Runs([inspected](Session& s) { return InspectImages(s, *inspected); });

    auto removed = std::make_shared<RemoveImagesOptions>();
    Verb rmi = Add("rmi", "Remove one or more images");
    rmi.Rest("images", &removed->images, "image names or ids");
    rmi.Flag("-a,--all", &removed->all, "all images");
    rmi.Flag("-q,--prune", &removed->prune, "all images that no container uses");
    rmi.Runs([removed](Session& s) { return RemoveImages(s, *removed); });

    auto pulled = std::make_shared<PullOptions>();
    Verb pull = Add("pull", "Pull an image from a registry");
    pull.Value("image", &pulled->image, "name of the image")->required();
    AddLogin(pull, &pulled->login);
    pull.Value("--pod-config", &pulled->pod_config, "pod-config.[json|yaml] of the pod that will use the image");
    pull.Repeated("-a,--annotation", &pulled->annotations, "key=value annotation of the image");
    pull.Runs([pulled](Session& s) { return PullImage(s, *pulled); });

    auto output = std::make_shared<OutputOptions>();
    Verb imagefsinfo = Add("imagefsinfo", "Display the file systems of images");
    imagefsinfo.Output(output.get(), "json");
    imagefsinfo.Runs([output](Session& s) { return ShowImageFsInfo(s, *output); });
  }

  void AddPodVerbs() {
    auto started = std::make_shared<RunPodOptions>();
    Verb runp = Add("runp", "Run a new pod");
    runp.Value("config", &started->config_file, "pod-config.[json|yaml]")->required();
    runp.Value("-r,--runtime", &started->runtime_handler, "runtime handler");
    AddCallTimeout(runp);
    runp.Runs([started](Session& s) { return RunPod(s, *started); });

    auto stopped = std::make_shared<std::vector<std::string>>();
    Verb stopp = Add("stopp", "Stop one or more running pods");
    stopp.Rest("ids", stopped.get(), "pod ids");
    stopp.Runs([stopped](Session& s) { return StopPods(s, *stopped); });
  }

  void AddCallTimeout(Verb& verb) {
    verb.Value("-T,--cancel-timeout", &invocation_.call_timeout, "how long to wait for each call to the runtime");
  }

  void AddContainerVerbs() {
    struct Pulling {
      bool always = false;
      bool never = false;
    };
    auto created = std::make_shared<CreateOptions>();
    auto create_pull = std::make_shared<Pulling>();
    Verb create = Add("create", "Create a new container");
    create.Value("pod", &created->pod, "pod id")->required();
    create.Value("container-config", &created->container_file, "container-config.[json|yaml]")->required();
    create.Value("pod-config", &created->pod_file, "pod-config.[json|yaml]")->required();
    create.Flag("--with-pull", &create_pull->always, "pull the image first");
    create.Flag("--no-pull", &create_pull->never, "do not pull the image, whatever the configuration file says");
    AddLogin(create, &created->login);
    AddCallTimeout(create);
    create.Runs([created, create_pull](Session& s, const ClientConfig& config) {
      const bool pull = create_pull->always || (config.pull_on_create && !create_pull->never);
      created->pull = pull ? PullPolicy::kAlways : PullPolicy::kNever;
      return CreateContainer(s, *created);
    });

    auto run_options = std::make_shared<RunOptions>();
    auto run_pull = std::make_shared<Pulling>();
    Verb run = Add("run", "Run a new container in a new pod");
    run.Value("container-config", &run_options->create.container_file, "container-config.[json|yaml]")->required();
    run.Value("pod-config", &run_options->create.pod_file, "pod-config.[json|yaml]")->required();
    run.Value("-r,--runtime", &run_options->runtime_handler, "runtime handler");
    run.Flag("--with-pull", &run_pull->always, "pull the image even if it is there");
    run.Flag("--no-pull", &run_pull->never, "do not pull the image (default: when it is not there)");
    AddLogin(run, &run_options->create.login);
    AddCallTimeout(run);
    run.Runs([run_options, run_pull](Session& s, const ClientConfig& config) {
      const bool never = run_pull->never || config.disable_pull_on_run;
      run_options->create.pull = run_pull->always ? PullPolicy::kAlways
                                 : never          ? PullPolicy::kNever
                                                  : PullPolicy::kIfAbsent;
      return RunContainer(s, *run_options);
    });

    auto started = std::make_shared<std::vector<std::string>>();
    Verb start = Add("start", "Start one or more created containers");
    start.Rest("ids", started.get(), "container ids");
    start.Runs([started](Session& s) { return StartContainers(s, *started); });

    auto stopped = std::make_shared<StopContainersOptions>();
    Verb stop = Add("stop", "Stop one or more running containers");
    stop.Rest("ids", &stopped->ids, "container ids");
    stop.Flag("-a,--all", &stopped->all, "all running containers");
    stop.Value("-t,--timeout", &stopped->grace_seconds, "seconds until the container is killed");
    stop.Runs([stopped](Session& s) { return StopContainers(s, *stopped); });

    auto updated = std::make_shared<UpdateOptions>();
    Verb update = Add("update", "Update the resources of one or more running containers");
    update.Rest("ids", &updated->ids, "container ids");
    update.Value("--cpu-period", &updated->cpu_period, "CFS period in microseconds");
    update.Value("--cpu-quota", &updated->cpu_quota, "CFS quota in microseconds");
    update.Value("--cpu-share", &updated->cpu_shares, "CPU shares");
    update.Value("--memory", &updated->memory, "memory limit in bytes");
    update.Value("--oom-score-adj", &updated->oom_score_adj, "score of the out-of-memory killer");
    update.Value("--cpuset-cpus", &updated->cpuset_cpus, "CPUs to use");
    update.Value("--cpuset-mems", &updated->cpuset_mems, "memory nodes to use");
    update.Runs([updated](Session& s) { return UpdateContainers(s, *updated); });

    auto checkpointed = std::make_shared<CheckpointOptions>();
    Verb checkpoint = Add("checkpoint", "Checkpoint one or more running containers");
    checkpoint.Rest("ids", &checkpointed->ids, "container ids");
    checkpoint.Value("-e,--export", &checkpointed->archive, "archive that the runtime writes");
    checkpoint.Runs([checkpointed](Session& s) { return CheckpointContainers(s, *checkpointed); });
  }

  void AddRemoveVerbs() {
    auto containers = std::make_shared<RemoveOptions>();
    Verb rm = Add("rm", "Remove one or more containers");
    rm.Rest("ids", &containers->ids, "container ids");
    rm.Flag("-a,--all", &containers->all, "all containers");
    rm.Flag("-f,--force", &containers->force, "stop running ones first");
    rm.Flag("-k,--keep-logs", &containers->keep_logs, "keep the log file and its rotations");
    rm.Runs([containers](Session& s) { return RemoveContainers(s, *containers); });

    auto pods = std::make_shared<RemoveOptions>();
    Verb rmp = Add("rmp", "Remove one or more pods");
    rmp.Rest("ids", &pods->ids, "pod ids");
    rmp.Flag("-a,--all", &pods->all, "all pods");
    rmp.Flag("-f,--force", &pods->force, "stop running ones first");
    rmp.Runs([pods](Session& s) { return RemovePods(s, *pods); });
  }

  void AddLogsAndExec() {
    auto shown = std::make_shared<LogsOptions>();
    Verb logs = Add("logs", "Fetch the logs of a container");
    logs.Value("id", &shown->id, "container id")->required();
    logs.Flag("-f,--follow", &shown->follow, "go on as the log grows, until the container ends");
    logs.Flag("-p,--previous", &shown->previous, "the log of the container's previous instance");
    logs.Flag("-t,--timestamps", &shown->timestamps, "show when each line was written");
    logs.Value("--tail", &shown->tail, "only the last lines");
    logs.Value("--limit-bytes", &shown->limit_bytes, "at most so many bytes");
    logs.Flag("-r,--reopen", &shown->reopen, "let the runtime reopen the log file first");
    logs.Value("-s,--stream", &shown->stream, "only stdout or stderr");
    logs.Value("--since", &shown->since, "only since a time (2013-01-02T13:23:37Z) or for a duration (42m)");
    logs.Runs([shown](Session& s) { return ShowLogs(s, *shown); });

    auto executed = std::make_shared<ExecOptions>();
    Verb exec = Add("exec", "Run a command in a running container");
    exec.Flag("-s,--sync", &executed->sync, "run the command to its end, then show its output");
    exec.Flag("-i,--interactive", &executed->stdin_open, "keep standard input open");
    exec.Flag("-t,--tty", &executed->tty, "allocate a terminal");
    exec.Value("--timeout", &executed->timeout_seconds, "with --sync: seconds until the command is killed (0: never)");
    AddContainerSelection(exec, &executed->filter, "--state");
    exec.Flag("-q,--quiet", &executed->quiet, "no ids before what the selected containers say");
    exec.Flag("-e,--ignore-errors", &executed->ignore_errors, "exit with 0 whatever the command does");
    exec.Stream(&executed->stream);
    exec.app->prefix_command();
    exec.app->footer("usage: crictl exec [flags] CONTAINER-ID COMMAND [ARG...], without the id where a flag selects");
    exec.app->callback([invocation = &invocation_, executed, app = exec.app] {
      std::vector<std::string> words = app->remaining();
      const size_t ids = IsSet(executed->filter) ? 0 : 1;
      if (ids == 1 && !words.empty()) executed->id = words.front();
      const size_t before_command = words.size() > ids && words[ids] == "--" ? ids + 1 : ids;
      if (words.size() > before_command) {
        executed->command.assign(words.begin() + static_cast<ptrdiff_t>(before_command), words.end());
      }
      invocation->run = [executed](Session& s, const ClientConfig&) { return Exec(s, *executed); };
    });
  }

  void AddStats() {
    auto containers = std::make_shared<StatsOptions>();
    Verb stats = Add("stats", "List the resource usage of containers");
    stats.Value("id", &containers->id, "container id");
    stats.Value("--id", &containers->id, "only the container with this id");
    stats.Value("-p,--pod", &containers->pod, "only containers of this pod");
    stats.Flag("-a,--all", &containers->all, "not only running containers");
    AddStatsFlags(stats, containers.get());
    stats.Runs([containers](Session& s) { return ShowContainerStats(s, *containers); });

    auto pods = std::make_shared<StatsOptions>();
    Verb statsp = Add("statsp", "List the resource usage of pods");
    statsp.Value("id", &pods->id, "pod id");
    statsp.Value("--id", &pods->id, "only the pod with this id");
    statsp.Value("--name", &pods->name_pattern, "only names that this regular expression finds");
    AddStatsFlags(statsp, pods.get());
    statsp.Runs([pods](Session& s) { return ShowPodStats(s, *pods); });

    auto descriptors_output = std::make_shared<OutputOptions>();
    Verb metricdescs = Add("metricdescs", "List what metrics the runtime has");
    metricdescs.Output(descriptors_output.get(), "json");
    metricdescs.Runs([descriptors_output](Session& s) { return ShowMetricDescriptors(s, *descriptors_output); });

    auto metrics_output = std::make_shared<OutputOptions>();
    auto watch = std::make_shared<bool>(false);
    Verb metricsp = Add("metricsp", "List the metrics of pods");
    metricsp.Flag("-w,--watch", watch.get(), "again and again, until interrupted");
    metricsp.Output(metrics_output.get(), "json");
    metricsp.Runs([metrics_output, watch](Session& s) { return ShowPodMetrics(s, *watch, *metrics_output); });
  }

  static void AddStatsFlags(Verb& verb, StatsOptions* options) {
    verb.Repeated("--label", &options->labels, "only with this key=value label (may be repeated)");
    verb.Value("-s,--seconds", &options->seconds, "seconds between the two samples for CPU %")
        ->check(CLI::Range(0, 3600));
    verb.Flag("-w,--watch", &options->watch, "again and again, until interrupted");
    verb.Output(&options->output, "table");
  }

  void AddConfig() {
    auto options = std::make_shared<ConfigVerbOptions>();
    Verb config = Add("config", "Get, set and list the settings of crictl");
    config.Flag("--list", &options->list, "all settings");
    config.Value("--get", &options->get, "value of one setting");
    config.Repeated("--set", &options->set, "NAME=VALUE[,NAME=VALUE...], written to the configuration file");
    config.Value("name", &options->key, "setting to write");
    config.Value("value", &options->value, "its value");
    config.app->callback([invocation = &invocation_, options] {
      invocation->run_alone = [options](const std::string& file) -> Result<int> {
        TRY(RunConfigVerb(std::cout, file, *options));
        return 0;
      };
    });
  }

  void AddAttachAndForward() {
    auto attached = std::make_shared<AttachOptions>();
    Verb attach = Add("attach", "Attach to a running container");
    attach.Value("id", &attached->id, "container id")->required();
    attach.Flag("-i,--stdin", &attached->stdin_open, "keep standard input open");
    attach.Flag("-t,--tty", &attached->tty, "the container has a terminal");
    attach.Stream(&attached->stream);
    attach.Runs([attached](Session& s) { return Attach(s, *attached); });

    auto forwarded = std::make_shared<PortForwardOptions>();
    Verb forward = Add("port-forward", "Forward local ports to a pod");
    forward.Value("id", &forwarded->id, "pod id")->required();
    forward.Rest("ports", &forwarded->ports, "[LOCAL_PORT:]REMOTE_PORT...");
    forward.Stream(&forwarded->stream);
    forward.Runs([forwarded](Session& s) { return ForwardPorts(s, *forwarded); });
  }

  CLI::App& root_;
  CrictlInvocation& invocation_;
};

// The word that should have been a verb; "" when there is none or it is one.
std::string UnknownVerb(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) {
      static constexpr std::string_view kWithValue[] = {
          "-r", "-i", "-t", "-c", "--runtime-endpoint", "--image-endpoint", "--timeout", "--config"};
      if (std::find(std::begin(kWithValue), std::end(kWithValue), word) != std::end(kWithValue)) ++i;
      continue;
    }
    const auto verbs = app.get_subcommands([&](const CLI::App* verb) { return verb->check_name(word); });
    return verbs.empty() ? word : "";
  }
  return "";
}

int TellParseError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  if (const std::string word = UnknownVerb(app, argc, argv); !word.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(sub->get_name());
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto nearest = base::Nearest(word, candidates);
    std::cerr << "crictl: unknown verb " << base::Quote(word)
              << (nearest ? " (did you mean " + base::Quote(*nearest) + "?)" : "") << ", see crictl --help\n";
    return 1;
  }
  std::cerr << "crictl: " << error.what() << ", see crictl " << (argc > 1 ? "VERB " : "") << "--help\n";
  return 1;
}

}  // namespace

std::variant<CrictlInvocation, int> ParseCrictl(int argc, char** argv) {
  CLI::App app("Client of the Kubernetes container runtime interface (CRI)", "crictl");
  app.set_version_flag("-v,--version", "crictl version " PORTCULLIS_VERSION " (portcullis)");
  app.get_formatter()->column_width(36);
  app.require_subcommand(1);
  // The verbs' callbacks keep pointers to this one, and it must not move while they run.
  auto invocation = std::make_unique<CrictlInvocation>();
  app.add_option("-r,--runtime-endpoint", invocation->runtime_endpoint,
                 std::string("socket of the runtime (default ") + kDefaultEndpoint + ")")
      ->envname("CONTAINER_RUNTIME_ENDPOINT");
  app.add_option("-i,--image-endpoint", invocation->image_endpoint,
                 "socket of the image service (default: the runtime's)")
      ->envname("IMAGE_SERVICE_ENDPOINT");
  app.add_option("-t,--timeout", invocation->timeout, "how long to wait for the runtime to answer (default 2s)");
  app.add_option("-c,--config", invocation->config_file,
                 std::string("configuration file (default ") + kDefaultClientConfig + ")")
      ->envname("CRI_CONFIG_FILE");
  app.add_flag("-D,--debug", invocation->debug, "tell on standard error what is done");
  const Commands commands(app, *invocation);
  if (argc < 2) {
    std::cout << app.help();
    return 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return TellParseError(app, error, argc, argv);
  }
  return std::move(*invocation);
}

}  // namespace portcullis::cli
