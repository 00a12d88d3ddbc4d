#include "cli/completion/help_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kTop = R"(portcullis: a node

usage: portcullis VERB [flags]

  node      run pods
  image     load images

portcullis VERB --help tells the flags of a verb.
)";

constexpr std::string_view kNode = R"(Runs pods.
Usage: portcullis node [OPTIONS] [...]

Options:
  -h,--help                           print this text and exit
  --a-very-long-flag-for-its-column TEXT=x
                                      where images are kept
The runtime:
  --listen TEXT                       path of the CRI socket
)";

constexpr std::string_view kImage = R"(Images.
Usage: portcullis image [OPTIONS] [verb...]

Positionals:
  verb TEXT ...                       pull NAME... | load ARCHIVE...

Options:
  -h,--help                           print this text and exit

usage: portcullis image pull NAME...      from its registry
       portcullis image load ARCHIVE...   import
)";

constexpr std::string_view kSubcommands = R"(Client
Usage: crictl [OPTIONS] SUBCOMMAND

Options:
  -v,--version                      Display

Subcommands:
  ps                                List containers
  images, image, img                List images
)";

std::string Ask(const std::vector<std::string>& verbs) {
  if (verbs.empty()) return std::string(kTop);
  return std::string(verbs[0] == "node" ? kNode : kImage);
}

TEST(ReadHelp, VerbsAndFlagsOfEveryForm) {
  EXPECT_THAT(ReadHelp("portcullis", kTop).verbs, ElementsAre("node", "image"));
  EXPECT_THAT(ReadHelp("portcullis node", kNode).verbs, IsEmpty());
  EXPECT_THAT(ReadHelp("portcullis node", kNode).flags,
              ElementsAre("-h", "--help", "--a-very-long-flag-for-its-column", "--listen"));
  EXPECT_THAT(ReadHelp("portcullis image", kImage).verbs, ElementsAre("pull", "load"));
  EXPECT_THAT(ReadHelp("portcullis crictl", kSubcommands).verbs, ElementsAre("ps", "images", "image", "img"));
}

TEST(Complete, VerbsThenFlags) {
  EXPECT_THAT(Complete({""}, Ask), ElementsAre("node", "image"));
  EXPECT_THAT(Complete({"no"}, Ask), ElementsAre("node"));
  EXPECT_THAT(Complete({"node", "--l"}, Ask), ElementsAre("--listen"));
  EXPECT_THAT(Complete({"node", "--listen", ""}, Ask), IsEmpty()) << "a value: files";
  EXPECT_THAT(Complete({"image", "l"}, Ask), ElementsAre("load"));
  EXPECT_THAT(Complete({"image", "load", ""}, Ask), IsEmpty()) << "an operand: files";
  EXPECT_THAT(Complete({"image", "load", "--h"}, Ask), ElementsAre("--help"));
  EXPECT_THAT(Complete({}, Ask), ElementsAre("node", "image"));
}

TEST(CompletionScript, KnowsThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = CompletionScript(shell);
    ASSERT_TRUE(script);
    EXPECT_NE(script->find("portcullis __complete"), std::string::npos);
  }
  EXPECT_FALSE(CompletionScript("csh"));
}

}  // namespace
}  // namespace portcullis::cli
