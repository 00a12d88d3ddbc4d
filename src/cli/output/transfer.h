// How far downloads are, for people. On a terminal one live line each; elsewhere a line when one is whole, and one
// every few seconds for those under way.
//
//   TransferView view(stdout, isatty(1) == 1);
//   view.Expect({{"4f5ae1c3b2d0", 30000000}});
//   view.At("4f5ae1c3b2d0", 12300000);      // 4f5ae1c3b2d0  [======>         ]  12.3MB of 30MB   41%
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

namespace portcullis::cli {

struct Transfer {
  std::string name;
  int64_t total = 0;
  int64_t done = 0;
};

// One line of at most `columns` characters, without its end; the bar is left out where it has no room. 0 columns: as
// long as it is without a bar.
std::string TransferLine(const Transfer& transfer, size_t columns);

// Thread-safe.
class TransferView {
 public:
  TransferView(std::FILE* out, bool live);

  void Step(const std::string& text);  // a line that stays
  void Expect(std::vector<Transfer> transfers);
  // Unknown names are ignored.
  void At(const std::string& name, int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  void Draw();   // live lines anew
  void Erase();  // live lines away

  std::FILE* const out_;
  const bool live_;
  std::mutex mutex_;
  std::vector<Transfer> transfers_;
  size_t drawn_ = 0;  // live lines on the screen, above the cursor
  Clock::time_point shown_{};
};

}  // namespace portcullis::cli
