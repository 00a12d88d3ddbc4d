// Sentences that all forms of a report share. Not for other rooms.
#pragma once

#include <string>
#include <vector>

#include "insight/preflight/preflight.h"

namespace portcullis::cli {

// "3 containers: 1 BREAKS, 2 SAFE"
std::string SummaryText(const insight::Report& report, size_t scenario);
// "io_uring_setup(): EPERM by the default action"; "may be" where arguments are not known.
std::string FindingTitle(const insight::Finding& finding);
// "by /usr/bin/node (libuv.so.1: uv__iou_init+0x2e), serving, 3 times, last 2026-11-25T08:00:00Z"
std::string CallerText(const insight::Caller& caller);
// What to do about a finding; "" where there is nothing to do.
std::string RemedyText(const insight::Finding& finding);
// The command that makes the profile that this container needs; "" where no profile is needed or none would do.
std::string RemedyCommand(const insight::Report& report, const insight::ContainerVerdict& verdict);
// The same for a container that had the profile when this was recorded: the command that allows what it was denied.
std::string DeniedCommand(const insight::Report& report, const insight::ContainerVerdict& verdict);
// "app.yaml:12", "" without a manifest.
std::string PlaceText(const insight::Subject& subject);
// "1204 calls (97 different) in 2 traces, 2h0m0s, phases init, serving"
std::string CoverageText(const insight::ContainerVerdict& verdict);

}  // namespace portcullis::cli
