// What the user asked of a crictl verb, as plain values. cli/crictl_flags.cc fills them from the command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace portcullis::cli {

struct OutputOptions {
  std::string format;         // "table", "json", "yaml", "go-template"; "" is the verb's default
  std::string template_text;  // for go-template
};

// Which containers: ps, and inspect without ids.
struct ContainerFilterOptions {
  std::string id;            // a full id or its beginning
  std::string pod;           // likewise
  std::string name_pattern;  // regular expression, matches anywhere
  std::string namespace_pattern;
  std::string image;
  std::string state;                // created, running, exited, unknown; any case
  std::vector<std::string> labels;  // key=value
  bool all = false;                 // not only the running ones
  bool latest = false;
  int last = 0;  // n newest; 0: all
};

struct ListContainersOptions {
  ContainerFilterOptions filter;
  bool quiet = false;
  bool verbose = false;
  bool no_truncate = false;
  bool resolve_image = false;
  OutputOptions output;
};

// Which pods: pods, and inspectp without ids.
struct PodFilterOptions {
  std::string id;
  std::string name_pattern;
  std::string namespace_pattern;
  std::string state;  // ready, notready
  std::vector<std::string> labels;
  bool latest = false;
  int last = 0;
};

struct ListPodsOptions {
  PodFilterOptions filter;
  bool quiet = false;
  bool verbose = false;
  bool no_truncate = false;
  OutputOptions output;
};

struct ListImagesOptions {
  std::string image;                 // only this one
  std::vector<std::string> filters;  // image_filter.h
  bool quiet = false;
  bool verbose = false;
  bool digests = false;
  bool no_truncate = false;
  bool pinned = false;
  OutputOptions output;
};

struct InspectOptions {
  std::vector<std::string> ids;
  bool quiet = false;  // without the verbose `info`
  OutputOptions output;
};

struct InspectContainersOptions {
  InspectOptions inspect;
  ContainerFilterOptions filter;  // used when no ids are given
};

struct InspectImagesOptions {
  InspectOptions inspect;
  std::string name;  // used when no ids are given, like the filters
  std::vector<std::string> filters;
};

struct InspectPodsOptions {
  InspectOptions inspect;
  PodFilterOptions filter;
};

struct RemoveImagesOptions {
  std::vector<std::string> images;
  bool all = false;
  bool prune = false;  // those that no container uses
};

// At the registry; nothing: none.
struct LoginOptions {
  std::string credentials;  // USER[:PASSWORD]
  std::string auth;         // the same in base64
};

struct PullOptions {
  std::string image;
  LoginOptions login;
  std::string pod_config;                // file
  std::vector<std::string> annotations;  // key=value
};

struct RunPodOptions {
  std::string config_file;
  std::string runtime_handler;
};

enum class PullPolicy { kNever, kIfAbsent, kAlways };

struct CreateOptions {
  std::string pod;  // id; "" in `run`, which makes the pod itself
  std::string container_file;
  std::string pod_file;
  PullPolicy pull = PullPolicy::kNever;
  LoginOptions login;
};

struct RunOptions {
  CreateOptions create;
  std::string runtime_handler;
};

struct StopContainersOptions {
  std::vector<std::string> ids;
  bool all = false;
  int64_t grace_seconds = 0;
};

struct RemoveOptions {
  std::vector<std::string> ids;
  bool all = false;
  bool force = false;
  bool keep_logs = false;  // containers only
};

struct UpdateOptions {
  std::vector<std::string> ids;
  int64_t cpu_period = 0;
  int64_t cpu_quota = 0;
  int64_t cpu_shares = 0;
  int64_t memory = 0;
  int64_t oom_score_adj = 0;
  std::string cpuset_cpus;
  std::string cpuset_mems;
};

struct CheckpointOptions {
  std::vector<std::string> ids;
  std::string archive;  // where the runtime writes it
};

struct LogsOptions {
  std::string id;
  bool reopen = false;  // first
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  int64_t tail = -1;  // lines; negative: all
  int64_t limit_bytes = -1;
  std::string since;   // "42m", RFC 3339, "2026-01-02T13:23:37", Unix seconds
  std::string stream;  // "stdout", "stderr"; "": both
};

// How the streams of exec, attach and port-forward are reached.
struct StreamOptions {
  std::string transport = "spdy";             // or "websocket"
  std::string tls_server_name = "localhost";  // in the server's certificate
  std::string tls_ca;                         // files; without any of the three no certificate is looked at
  std::string tls_cert;
  std::string tls_key;
};

struct ExecOptions {
  std::string id;                 // without it in all that the filter selects
  ContainerFilterOptions filter;  // all false and empty: none
  bool quiet = false;             // no ids before what several containers say
  bool ignore_errors = false;
  std::vector<std::string> command;
  bool sync = false;
  bool stdin_open = false;
  bool tty = false;
  int64_t timeout_seconds = 0;
  StreamOptions stream;
};

struct AttachOptions {
  std::string id;
  bool stdin_open = false;
  bool tty = false;
  StreamOptions stream;
};

struct PortForwardOptions {
  std::string id;
  std::vector<std::string> ports;  // "LOCAL:REMOTE", ":REMOTE" or "0:REMOTE" for any local one, "PORT" for both
  StreamOptions stream;
};

struct StatsOptions {
  std::string id;
  std::string pod;           // containers only
  std::string name_pattern;  // pods only
  std::vector<std::string> labels;
  bool all = false;
  int seconds = 1;  // between the two samples that give CPU %
  bool watch = false;
  OutputOptions output;
};

}  // namespace portcullis::cli
