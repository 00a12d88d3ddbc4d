"""drain and uncordon, and an upgrade: the program is replaced under running pods."""

import os
import re
import shutil
import stat
import subprocess
import unittest

import harness
from harness import FOREVER, SUITE, container, pod, wait


class Drain(unittest.TestCase):
    def setUp(self):
        self.node = harness.Node()
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))
        self.node.start()
        self.switch = f"{self.node.root_dir}/portcullis-cordoned"

    def drain(self, *args, check=True):
        return harness.run(SUITE.portcullis, "drain", "--root-dir", self.node.root_dir, "--runtime-endpoint",
                           "unix://" + self.node.socket, *args, check=check, timeout=90)

    def uncordon(self):
        return harness.run(SUITE.portcullis, "uncordon", "--root-dir", self.node.root_dir)

    def listed(self):
        return self.node.ids("pods", "-q")

    def test_a_dry_run_changes_nothing(self):
        self.node.apply(pod("web", container("c", FOREVER)))
        self.node.wait_running("web")
        pid = self.node.pid_of("web", "c")
        self.assertEqual(self.drain("--dry-run").stdout, "would end default/web-e2e\n")
        self.assertFalse(os.path.exists(self.switch))
        self.assertTrue(harness.is_alive(pid))

    def test_pods_end_gracefully_and_come_back_with_uncordon(self):
        told = f"{self.node.dir}/told"
        os.mkdir(told)
        slow = container("c", None, command=["sh", "-c", "trap 'echo graceful >/told/word; exit 0' TERM\n" + FOREVER],
                         volumeMounts=[{"name": "told", "mountPath": "/told"}])
        self.node.apply(pod("web", slow, volumes=[{"name": "told", "hostPath": {"path": told}}]),
                        pod("other", container("c", FOREVER)))
        for name in ("web", "other"):
            self.node.wait_running(name)
        said = self.drain().stdout
        for name in ("web", "other"):
            self.assertIn(f"ending default/{name}-e2e\n", said)
            self.assertIn(f"ended default/{name}-e2e\n", said)
        self.assertTrue(said.endswith("drained\n"), said)
        self.assertEqual(harness.read(f"{told}/word"), "graceful\n")
        self.assertEqual(self.listed(), [])
        with self.subTest("only root may change the switch"):
            info = os.stat(self.switch)
            self.assertEqual((info.st_uid, stat.S_IMODE(info.st_mode)), (0, 0o600))
        with self.subTest("new pods are not taken"):
            self.node.apply(pod("late", container("c", FOREVER)))
            wait("the manifest to be read", lambda: self.node.get("/healthz") == "ok")
        with self.subTest("a restart does not change that"):
            self.assertEqual(self.node.stop(), 0)
            self.node.start()
            wait("the node to say so", lambda: self.node.log_text().count("cordoned: pods are ended, none is taken") == 2)
            self.assertEqual(self.listed(), [])
            self.assertEqual(self.drain().stdout.splitlines()[-1], "drained")
        self.uncordon()
        for name in ("web", "other", "late"):
            self.node.wait_running(name)

    def test_what_does_not_end_in_time_is_told(self):
        stubborn = container("c", None, command=["sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
        self.node.apply(pod("stubborn", stubborn, terminationGracePeriodSeconds=20))
        self.node.wait_running("stubborn")
        done = self.drain("--timeout=1s", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("default/stubborn-e2e did not end within 1s", done.stderr)
        # It goes on ending: a second call waits for the rest.
        self.assertTrue(self.drain("--timeout=60s").stdout.endswith("drained\n"))
        self.uncordon()

    def test_pods_of_others_are_left_alone(self):
        config = harness.write(f"{self.node.dir}/foreign.json", {
            "metadata": {"name": "foreign", "namespace": "else", "uid": "u1", "attempt": 0},
            "linux": {"cgroup_parent": f"{self.node.cgroup}/cri"}})
        foreign = self.node.crictl("runp", config).stdout.strip()
        self.addCleanup(self.node.crictl, "rmp", "-f", foreign)
        said = self.drain().stdout
        self.assertIn("left (not this node's; `crictl rmp` ends it) else/foreign\n", said)
        self.assertEqual(len(self.listed()), 1)
        self.uncordon()

    def test_without_a_node_it_is_cordoned_for_the_next_start(self):
        self.node.apply(pod("web", container("c", FOREVER)))
        self.node.wait_running("web")
        pid = self.node.pid_of("web", "c")
        self.node.stop()
        done = self.drain(check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is cordoned, but its pods cannot be seen", done.stderr)
        self.assertTrue(harness.is_alive(pid))
        self.node.start()
        wait("the pod to end", lambda: not self.listed())
        self.uncordon()
        self.node.wait_running("web")


class Upgrade(unittest.TestCase):
    """Two builds of one version: the program is replaced as dpkg does it, beside and renamed, while the node runs."""

    def test_containers_run_on_under_the_new_program(self):
        folder = os.path.join(SUITE.scratch, "installed")
        os.makedirs(folder)
        program = f"{folder}/portcullis"
        shutil.copy2(SUITE.portcullis, program)
        self.addCleanup(setattr, SUITE, "portcullis", SUITE.portcullis)
        SUITE.portcullis = program
        node = harness.Node()
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        node.start()
        node.apply(pod("stays", container("c", FOREVER)))
        node.wait_running("stays")
        pid, container_id = node.pid_of("stays", "c"), node.id_of("stays", "c")

        shutil.copy2(program, program + ".dpkg-new")
        # Another file of the same version: what the linker notes of a build is cut off.
        subprocess.run(["strip", "--strip-debug", program + ".dpkg-new"], check=True)
        os.rename(program + ".dpkg-new", program)
        with self.subTest("the old program goes on although its file is gone"):
            self.assertTrue(re.search(r"\(deleted\)$", os.readlink(f"/proc/{node.process.pid}/exe")))
            node.apply(pod("meanwhile", container("c", FOREVER)))
            node.wait_running("meanwhile")
        self.assertEqual(node.stop(), 0)
        self.assertTrue(harness.is_alive(pid))
        node.start()
        self.assertEqual(os.readlink(f"/proc/{node.process.pid}/exe"), program)
        node.wait_running("stays")
        self.assertEqual((node.pid_of("stays", "c"), node.id_of("stays", "c")), (pid, container_id))
        self.assertEqual(node.container_status("stays", "c")["restartCount"], 0)
        node.remove("stays")
        node.wait_gone("stays")
