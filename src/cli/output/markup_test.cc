#include "cli/output/markup.h"

#include <gtest/gtest.h>

namespace portcullis::cli {
namespace {

TEST(EscapeMarkup, NothingGetsOut) {
  EXPECT_EQ(EscapeMarkup("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(EscapeMarkup("a\x01\x1b[31m\tb"), "a\xef\xbf\xbd\xef\xbf\xbd[31m\tb");
  EXPECT_EQ(EscapeMarkup("\xff\xc3\xa4"), "\xef\xbf\xbd\xc3\xa4");
}

TEST(ForTerminal, MovesNoCursor) { EXPECT_EQ(ForTerminal("a\x1b[2J\nb\x7f"), "a?[2J?b?"); }

TEST(Wrapped, CutsBetweenWords) {
  EXPECT_EQ(Wrapped("one two three", "  ", 9), "  one two\n  three\n");
  EXPECT_EQ(Wrapped("unbreakable", "", 4), "unbreakable\n");
  EXPECT_EQ(Wrapped("", " ", 4), " \n");
}

}  // namespace
}  // namespace portcullis::cli
