"""Container logs on the node's disk: rotated while the container writes on, and gone with it."""

import glob
import gzip
import os

import harness
from harness import NODE_NAME, container, pod, wait

LINES = 400
MAX_BYTES = 4096
WRITER = f"""
i=0; while [ $i -lt {LINES} ]; do echo "line $i of a container that writes much"; i=$((i+1)); [ $((i % 20)) -ne 0 ] || sleep 0.4; done
while :; do sleep 1; done"""


class Rotation(harness.NodeTest):
    CONFIG = {"containerLogMaxSize": str(MAX_BYTES), "containerLogMaxFiles": 3, "containerLogMonitorInterval": "3s"}

    def files(self):
        """The log, and what was rotated of it, oldest first."""
        return sorted(glob.glob(f"{self.node.logs}/default_writer-{NODE_NAME}_*/c/*"))

    def is_over(self):
        """All lines are written, and the log is too short to be rotated once more."""
        log = self.files()[0]
        return os.path.getsize(log) < MAX_BYTES and f"line {LINES - 1} of" in "".join(map(text_of, self.files()))

    def test_a_log_that_grows(self):
        self.node.apply(pod("writer", container("c", WRITER)))
        self.node.wait_running("writer")
        wait("an earlier log to be compressed", lambda: any(name.endswith(".gz") for name in self.files()), timeout=60)
        wait("the last line", lambda: self.files() and self.is_over(), timeout=60)
        log, *rotated = self.files()
        self.assertRegex(log, r"/0\.log$")
        self.assertEqual(len(rotated), 2)
        self.assertRegex(rotated[0], r"/0\.log\.\d{8}-\d{6}\.gz$")
        self.assertRegex(rotated[1], r"/0\.log\.\d{8}-\d{6}$")
        # From the oldest line that is kept to the last, none is missing or cut.
        kept = "".join(text_of(name) for name in [*rotated, log]).splitlines()
        numbers = [int(line.split(" line ")[1].split()[0]) for line in kept]
        self.assertEqual(numbers, list(range(numbers[0], LINES)))
        self.assertGreater(numbers[0], 0, "the oldest are gone")
        self.assertTrue(all(line.endswith("writes much") for line in kept))
        self.node.remove("writer")
        self.node.wait_gone("writer")
        self.assertEqual(self.files(), [])


def text_of(path):
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:  # compressed or renamed meanwhile
        return ""
