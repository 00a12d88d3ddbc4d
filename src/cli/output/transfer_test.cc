#include "cli/output/transfer.h"

#include <gtest/gtest.h>

#include <memory>

namespace portcullis::cli {
namespace {

TEST(TransferLine, BarSizesAndPercent) {
  EXPECT_EQ(TransferLine({"abc", 30'000'000, 12'300'000}, 80),
            "abc  [============>                 ]  12.3MB of   30MB   41%");
  EXPECT_EQ(TransferLine({"abc", 1000, 1000}, 80), "abc  [==============================]     1kB of    1kB  100%");
  EXPECT_EQ(TransferLine({"abc", 1000, 0}, 80), "abc  [>                             ]      0B of    1kB    0%");
  EXPECT_EQ(TransferLine({"abc", 0, 0}, 40), "abc  [=========]      0B of     0B  100%");
}

TEST(TransferLine, NeverLongerThanItMayBe) {
  EXPECT_EQ(TransferLine({"abc", 1000, 500}, 30), "abc    500B of    1kB   50%");
  for (const size_t columns : {1u, 10u, 40u, 200u}) {
    EXPECT_LE(TransferLine({"abc", 1000, 5000}, columns).size(), columns);
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string Shown(bool live) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
  TransferView view(file.get(), live);
  view.Step("from r");
  view.Expect({{"a", 1000, 0}, {"b", 10, 0}});
  view.At("b", 10);
  view.At("c", 10);
  view.At("a", 1000);
  view.Step("done");
  std::string text(static_cast<size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(TransferView, PlainLinesWhenWhole) {
  EXPECT_EQ(Shown(false), "from r\nb     10B of    10B  100%\na     1kB of    1kB  100%\ndone\n");
}

TEST(TransferView, LiveLinesAreDrawnAnewInPlace) {
  const std::string text = Shown(true);
  EXPECT_NE(text.find("\x1b[2A\x1b[J"), std::string::npos);
  EXPECT_NE(text.find("\x1b[2A\x1b[Jdone\na  ["), std::string::npos);
}

}  // namespace
}  // namespace portcullis::cli
