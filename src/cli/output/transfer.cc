#include "cli/output/transfer.h"

#include <fmt/core.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "cli/output/human.h"

namespace portcullis::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kPlainEvery{5};
constexpr size_t kLongestBar = 30;
constexpr size_t kUsualColumns = 80;

size_t Columns(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

std::string Size(int64_t bytes) { return HumanSize(static_cast<double>(bytes), 3); }

}  // namespace

std::string TransferLine(const Transfer& transfer, size_t columns) {
  const int64_t done = std::clamp<int64_t>(transfer.done, 0, transfer.total);
  const double part = transfer.total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(transfer.total);
  const std::string sizes =
      fmt::format("{:>6} of {:>6}  {:>3}%", Size(done), Size(transfer.total), static_cast<int>(part * 100));
  const size_t without_bar = transfer.name.size() + 2 + sizes.size();
  std::string line = transfer.name + "  ";
  if (without_bar + 12 <= columns) {
    const size_t width = std::min(kLongestBar, columns - without_bar - 4);
    const size_t full = static_cast<size_t>(part * static_cast<double>(width));
    std::string bar(full, '=');
    if (full < width) bar += '>';
    bar.resize(width, ' ');
    line += "[" + bar + "]  ";
  }
  line += sizes;
  return columns == 0 ? line : line.substr(0, columns);
}

TransferView::TransferView(std::FILE* out, bool live) : out_(out), live_(live) {}

void TransferView::Step(const std::string& text) {
  const std::lock_guard lock(mutex_);
  Erase();
  std::fprintf(out_, "%s\n", text.c_str());
  Draw();
}

void TransferView::Expect(std::vector<Transfer> transfers) {
  const std::lock_guard lock(mutex_);
  // What was shown before stays on the screen as it is.
  drawn_ = 0;
  transfers_ = std::move(transfers);
  shown_ = Clock::now();
  Draw();
}

void TransferView::At(const std::string& name, int64_t done) {
  const std::lock_guard lock(mutex_);
  const auto it = std::ranges::find(transfers_, name, &Transfer::name);
  if (it == transfers_.end() || it->done == done) return;
  it->done = done;
  const bool whole = done >= it->total;
  const auto now = Clock::now();
  if (!whole && now - shown_ < (live_ ? Clock::duration(kRedraw) : Clock::duration(kPlainEvery))) return;
  shown_ = now;
  if (live_) {
    Erase();
    Draw();
    return;
  }
  for (const Transfer& transfer : transfers_) {
    const bool under_way = transfer.done > 0 && transfer.done < transfer.total;
    if (whole ? transfer.name == name : under_way) std::fprintf(out_, "%s\n", TransferLine(transfer, 0).c_str());
  }
  std::fflush(out_);
}

void TransferView::Draw() {
  if (live_) {
    const size_t columns = Columns(out_) - 1;
    for (const Transfer& transfer : transfers_) std::fprintf(out_, "%s\n", TransferLine(transfer, columns).c_str());
    drawn_ = transfers_.size();
  }
  std::fflush(out_);
}

void TransferView::Erase() {
  // Cursor up, then erase to the end of the screen (ECMA-48 CUU and ED).
  if (drawn_ > 0) std::fprintf(out_, "\x1b[%zuA\x1b[J", drawn_);
  drawn_ = 0;
}

}  // namespace portcullis::cli
