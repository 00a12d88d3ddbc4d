// metricdescs and metricsp.
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/try.h"
#include "cli/crictl/print.h"
#include "cli/crictl/verbs.h"
#include "cri/json.h"

namespace portcullis::cli {
namespace {

constexpr std::chrono::milliseconds kWatchPause{500};  // as long as crictl's

Result<Format> MetricFormat(const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(output, Format::kJson));
  if (format == Format::kTable) {
    return Fail(Code::kInvalidArgument, "metrics have no table form, use one of json, yaml, go-template");
  }
  return format;
}

}  // namespace

Result<void> ShowMetricDescriptors(Session& session, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, MetricFormat(output));
  auto list = session.runtime.ListMetricDescriptors({});
  if (!list) return Wrap(std::move(list).error(), "list metric descriptors");
  return PrintDocument(session, cri::ToProtoJson(*list), format, output);
}

Result<void> ShowPodMetrics(Session& session, bool watch, const OutputOptions& output) {
  ASSIGN_OR_RETURN(const Format format, MetricFormat(output));
  do {
    auto list = session.runtime.ListPodSandboxMetrics({});
    if (!list) return Wrap(std::move(list).error(), "list pod sandbox metrics");
    TRY(PrintDocument(session, cri::ToProtoJson(*list), format, output));
    session.out.flush();
  } while (watch && session.out.good() && (!session.pause || session.pause(kWatchPause)));
  return {};
}

}  // namespace portcullis::cli
