"""The state folder is damaged or full: an error that says so, nothing half-applied, and what runs runs on."""

import glob
import os
import shutil
import signal
import sqlite3
import unittest

import harness
from harness import FOREVER, SUITE, wait

FULL_DISK_MIB = 192
LITTLE_ROOM = 256 << 10


class StateTest(unittest.TestCase):
    def setUp(self):
        self.runtime = harness.Runtime()
        self.addCleanup(lambda: self.assertEqual(self.runtime.close(), []))

    def files(self, name):
        """A pod's and a container's configuration for crictl."""
        folder = self.runtime.dir
        return (harness.write(f"{folder}/{name}-container.json", {
                    "metadata": {"name": "c"}, "image": {"image": harness.BUSYBOX}, "log_path": "c.log",
                    "command": ["sh", "-c", FOREVER]}),
                harness.write(f"{folder}/{name}-pod.json", {
                    "metadata": {"name": name, "namespace": "state", "uid": name}, "log_directory": f"{folder}/logs/{name}",
                    "linux": {"cgroup_parent": f"{self.runtime.cgroup}/state-{name}"}}))

    def run_pod(self, name):
        container_id = self.runtime.crictl("run", *self.files(name)).stdout.strip()
        return container_id, self.runtime.inspect(container_id)["info"]["pid"]


class Damaged(StateTest):
    def test_a_damaged_database_is_an_error_and_containers_run_on(self):
        self.runtime.start()
        container_id, pid = self.run_pod("kept")
        self.runtime.stop()
        database = f"{self.runtime.state_dir}/state.db"
        size = os.path.getsize(database)
        self.assertGreater(size, 4096)
        shutil.copy2(database, f"{self.runtime.dir}/copy.db")
        for left in (0, 1000, 4096, size - 4096):
            with self.subTest(left=left, of=size):
                shutil.copy2(f"{self.runtime.dir}/copy.db", database)
                os.truncate(database, left)
                before = len(self.runtime.log_text())
                self.runtime.start(wait_ready=False)
                self.assertNotIn(self.runtime.process.wait(20), (0, -signal.SIGKILL))
                told = self.runtime.log_text()[before:]
                self.assertIn(f"state database {database} is damaged", told)
                self.assertIn("restore it from a copy, or move it away", told)
                self.assertEqual(os.path.getsize(database), left, "nothing was changed")
                self.assertTrue(harness.is_alive(pid))
        shutil.copy2(f"{self.runtime.dir}/copy.db", database)
        self.runtime.start()
        self.assertEqual(self.runtime.inspect(container_id)["info"]["pid"], pid)
        self.assertEqual(self.runtime.exec(container_id, "echo", "whole").stdout.strip(), "whole")

    def test_a_database_that_was_moved_away_is_made_anew(self):
        self.runtime.start()
        _, pid = self.run_pod("forgotten")
        self.runtime.stop()
        self.move_database_away()
        self.runtime.start()
        wait("the container without a record to end", lambda: not harness.is_alive(pid))
        self.assertEqual(self.runtime.ids("ps", "-a", "-q"), [])
        self.assertEqual(SUITE.cgroups(), [], "also the cgroups above it, that this runtime had made")
        self.run_pod("forgotten")
        self.runtime.remove_pods()
        self.assertEqual(SUITE.cgroups(), [])

    def test_cgroups_that_others_made_stay_when_the_database_is_moved_away(self):
        if harness.SYSTEMD:
            self.skipTest("slices are made and removed by systemd")
        theirs = [top for top in self.make_pod_cgroups("others")]
        self.runtime.start()
        _, pid = self.run_pod("others")
        self.runtime.stop()
        self.move_database_away()
        self.runtime.start()
        wait("the container without a record to end", lambda: not harness.is_alive(pid))
        self.assertEqual([folder for folder in theirs if not os.path.isdir(folder)], [])
        for folder in theirs:
            os.rmdir(folder)
            os.rmdir(os.path.dirname(folder))

    def move_database_away(self):
        for end in ("", "-wal", "-shm"):
            if os.path.exists(f"{self.runtime.state_dir}/state.db{end}"):
                os.remove(f"{self.runtime.state_dir}/state.db{end}")

    def make_pod_cgroups(self, name):
        """As a kubelet does before it asks for a sandbox."""
        made = []
        for hierarchy in (["/sys/fs/cgroup"] if harness.UNIFIED else
                          [path for path in glob.glob("/sys/fs/cgroup/*") if os.path.exists(f"{path}/cgroup.procs")]):
            made.append(f"{hierarchy}{self.runtime.cgroup}/state-{name}")
            os.makedirs(made[-1])
        for top in {os.path.dirname(path) for path in made if "/cpuset" in path}:
            for folder in (top, f"{top}/state-{name}"):
                for file in ("cpuset.cpus", "cpuset.mems"):
                    harness.run("sh", "-c", f"cat {os.path.dirname(folder)}/{file} > {folder}/{file}", check=False)
        return made


class FullDisk(StateTest):
    def setUp(self):
        super().setUp()
        self.mounted = self.runtime.state_dir
        aside = f"{self.mounted}-aside"
        os.rename(self.mounted, aside)
        os.mkdir(self.mounted)
        harness.run("mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_MIB}m", "pce-state", self.mounted)
        self.addCleanup(lambda: harness.run("umount", self.mounted, check=False))
        harness.run("cp", "-a", f"{aside}/.", self.mounted)
        shutil.rmtree(aside)
        close = self.runtime.close

        def close_and_unmount():
            # Pods first: the harness counts our own mount as a leftover.
            self.runtime.remove_pods()
            self.runtime.stop()
            harness.run("umount", self.mounted)
            self.runtime.process = None
            return close()

        self.runtime.close = close_and_unmount

    def fill(self, leave):
        """Takes all space but so many bytes; a block written where there was a hole counts."""
        facts = os.statvfs(self.mounted)
        with open(f"{self.mounted}/ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(facts.f_bavail * facts.f_frsize - leave, 1))

    def left(self):
        mounts = {path for path in SUITE.mounts() if path != self.mounted}
        links = {name for name in os.listdir("/sys/class/net") if SUITE.master_of(name) == self.runtime.bridge}
        processes = {pid for pid in SUITE.processes() if pid != self.runtime.process.pid}
        folders = {f"{folder}/{name}" for folder in (f"{self.runtime.state_dir}/bundles", f"{self.runtime.state_dir}/sandboxes",
                                                     f"{self.runtime.state_dir}/cni", f"{self.runtime.run_dir}/netns")
                   if os.path.isdir(folder) for name in os.listdir(folder)}
        return mounts | links | processes | folders

    def rows(self):
        """Of sandboxes and containers."""
        database = sqlite3.connect(f"file:{self.runtime.state_dir}/state.db?mode=ro", uri=True)
        try:
            return tuple(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("sandboxes", "containers"))
        finally:
            database.close()

    def test_a_pod_is_removed_once_there_is_a_little_room(self):
        self.runtime.start()
        clean = self.left()
        for round_ in range(3):
            name = f"stuck{round_}"
            with self.subTest(name):
                container_id, pid = self.run_pod(name)
                sandbox = self.runtime.inspect(container_id)["info"]["sandboxID"]
                self.fill(0)
                for _ in range(2):
                    self.runtime.crictl("rmp", "-f", sandbox, check=False)
                os.remove(f"{self.mounted}/ballast")
                self.fill(LITTLE_ROOM)
                self.runtime.crictl("rmp", "-f", sandbox)
                self.assertFalse(harness.is_alive(pid))
                self.assertEqual((self.runtime.ids("pods", "-q"), self.runtime.ids("ps", "-a", "-q")), ([], []))
                os.remove(f"{self.mounted}/ballast")
                self.assertEqual(self.rows(), (0, 0))
                self.assertEqual(self.left() ^ clean, set())

    def test_verbs_fail_whole(self):
        self.runtime.start()
        container_id, pid = self.run_pod("before")
        there = self.left()
        failed = 0
        for leave in (0, 4096, 8192, 16384, 32768, 65536, 131072):
            with self.subTest(leave=leave):
                self.fill(leave)
                name = f"full{leave}"
                done = self.runtime.crictl("run", *self.files(name), check=False)
                os.remove(f"{self.mounted}/ballast")
                if done.returncode != 0:
                    failed += 1
                    self.assertRegex(done.stderr, "(?i)no space left|disk is full|full")
                # crictl run leaves the pod when only its container failed; a client removes it.
                for sandbox in self.runtime.json("pods", "-o", "json")["items"]:
                    if sandbox["metadata"]["name"] == name:
                        self.runtime.crictl("rmp", "-f", sandbox["id"])
                self.assertEqual(self.left() ^ there, set())
                self.assertEqual(len(self.runtime.ids("ps", "-a", "-q")), 1)
        self.assertGreaterEqual(failed, 2, "the disk was full often enough")
        self.assertTrue(harness.is_alive(pid))
        wait("rows that could not be struck out on the full disk to go", lambda: self.rows() == (1, 1), 60, explain=self.rows)
        self.runtime.stop()
        self.runtime.start()
        self.assertEqual(self.runtime.inspect(container_id)["info"]["pid"], pid, "what ran runs on")
        self.runtime.crictl("rmp", "-f", "-a")
        self.assertEqual(self.runtime.ids("ps", "-a", "-q"), [])
        self.assertFalse(harness.is_alive(pid))
        self.assertNotIn(container_id, os.listdir(f"{self.runtime.state_dir}/bundles"))
        self.run_pod("after")
