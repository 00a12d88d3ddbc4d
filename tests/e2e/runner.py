"""Runs the test modules one after the other and prints a line per test; the last line counts them.

usage: runner.py BUILD_DIR [WORD]...
"""

import os
import sys
import time
import unittest

import harness

HERE = os.path.dirname(os.path.abspath(__file__))


class Progress(unittest.TestResult):
    """One line per test as it ends, details of failures at once."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.started = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def say(self, word, test, more=""):
        spent = time.monotonic() - self.started if self.started else 0.0
        print(f"{word:4} {name_of(test)} ({spent:.1f} s){more}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self.say("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("skip", test, f": {reason}")

    def tell_failure(self, test):
        self.say("FAIL", test)
        listed = self.errors or self.failures
        for known in (self.errors, self.failures):
            if known and known[-1][0] is test:
                listed = known
        print("     " + listed[-1][1].rstrip().replace("\n", "\n     "), flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell_failure(test)

    def addError(self, test, err):
        super().addError(test, err)
        self.tell_failure(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"FAIL {name_of(subtest)}", flush=True)
            known = self.failures if issubclass(err[0], test.failureException) else self.errors
            print("     " + known[-1][1].rstrip().replace("\n", "\n     "), flush=True)


def name_of(test):
    return test.id() if hasattr(test, "id") else str(test)


def chosen(suite, words):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from chosen(item, words)
        elif not words or any(word in item.id() for word in words):
            yield item


class NothingIsLeft(unittest.TestCase):
    """The last test of all: mounts, namespaces, cgroups, processes, network links and NAT rules are as before."""

    def runTest(self):
        self.assertEqual(harness.SUITE.leftovers(), [])

    def id(self):
        return "nothing_is_left_behind"


def main():
    build, words = sys.argv[1], sys.argv[2:]
    began = time.monotonic()
    result = Progress()
    try:
        harness.SUITE.prepare(build)
        print(f"e2e: images loaded in {time.monotonic() - began:.1f} s; scratch folder {harness.SUITE.scratch}", flush=True)
        tests = unittest.TestSuite(chosen(unittest.defaultTestLoader.discover(HERE, "test_*.py", top_level_dir=HERE), words))
        tests.run(result)
        unittest.TestSuite([NothingIsLeft()]).run(result)
    finally:
        harness.SUITE.clean_up()
    failed = len(result.failures) + len(result.errors)
    print()
    for test, reason in result.skipped:
        print(f"skipped: {name_of(test)}: {reason}")
    for test, _ in result.failures + result.errors:
        print(f"failed: {name_of(test)}")
    print(f"{time.monotonic() - began:.0f} s in all")
    print(f"{result.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
