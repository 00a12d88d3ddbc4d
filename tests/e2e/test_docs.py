"""The commands of README.md and docs/: verbs and flags that they name are the program's."""

import functools
import glob
import os
import re
import shlex
import unittest

import harness
from harness import SUITE

DOCUMENTS = [f"{harness.REPO}/README.md", *sorted(glob.glob(f"{harness.REPO}/docs/*.md"))]
FLAG = re.compile(r"^-{1,2}[a-z]")
# Of the real crictl: the document says that ours has them not.
FOREIGN = {"--username", "--pull-timeout"}


@functools.cache
def help_of(*verbs):
    done = harness.run(SUITE.portcullis, *verbs, "--help", check=False)
    return done.stdout if done.returncode == 0 else None


@functools.cache
def flags_of(*verbs):
    return set(re.findall(r"(?<![\w-])-{1,2}[a-z][\w-]*", help_of(*verbs) or ""))


def code_lines(path):
    """Lines of indented blocks, continued ones joined, without the comment behind."""
    joined = ""
    for line in harness.read(path).splitlines():
        if not re.match(r"^( {4}|\t)", line):
            joined = ""
            continue
        joined += line.strip()
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield re.sub(r"\s+#( .*)?$", "", joined)
        joined = ""


def commands(path):
    """The words behind `portcullis`, up to a pipe, an ampersand or a redirection, and up to --."""
    for line in code_lines(path):
        for piece in re.split(r"[|&;>]|\$\(", line):
            words = piece.split()
            while words and (words[0] in ("sudo", "env") or re.match(r"^[A-Z_]+=", words[0])):
                words = words[1:]
            if not words or os.path.basename(words[0]) not in ("portcullis", "build/bin/portcullis") or len(words) < 2:
                continue
            try:
                words = shlex.split(piece)
            except ValueError:
                words = piece.split()
            words = words[words.index(next(word for word in words if word.endswith("portcullis"))) + 1:]
            yield words[:words.index("--")] if "--" in words else words


class Documents(unittest.TestCase):
    def test_commands(self):
        seen = 0
        for path in DOCUMENTS:
            for words in commands(path):
                seen += 1
                with self.subTest(f"{os.path.basename(path)}: {' '.join(words)}"):
                    self.check(words)
        self.assertGreater(seen, 60)

    def check(self, words):
        verbs = []
        for word in words:
            if FLAG.match(word) or len(verbs) == 2 or help_of(*verbs, word) is None:
                break
            verbs.append(word)
        self.assertTrue(verbs, "no such verb")
        known = flags_of(*verbs)
        for word in words[len(verbs):]:
            if re.match(r"^-[a-z]{2,}$", word):  # letters together: -it
                self.assertLessEqual({"-" + letter for letter in word[1:]}, known)
            elif FLAG.match(word):
                self.assertIn(word.split("=")[0], known)

    def test_flags_of_the_node(self):
        text = harness.read(f"{harness.REPO}/docs/configuration.md")
        named = set(re.findall(r"`(--[a-z][\w-]*)", text))
        self.assertGreater(len(named), 40)
        known = flags_of("node") | flags_of("runtime")
        self.assertEqual({name for name in named if name not in known and name not in FOREIGN}, set())
