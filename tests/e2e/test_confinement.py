"""The daemon under its own filter, and containers that know nothing of it."""

import json
import os
import signal
import unittest

import harness
from harness import FOREVER, container, kernel_field, pod, seccomp, wait


def tasks(pid):
    return [f"{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]


def children(pid):
    return [int(child) for task in tasks(pid) for child in harness.read(f"/proc/{task}/children").split()]


def spawner_of(pid):
    return [child for child in children(pid) if harness.read(f"/proc/{child}/comm").strip() == "portc-spawner"]


def pss_kb(pid):
    for line in harness.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError(f"no PSS of process {pid}")


class Confined(harness.NodeTest):
    """A node as it is by default."""

    def test_every_thread_is_confined(self):
        for task in tasks(self.node.process.pid):
            with self.subTest(task=task):
                self.assertEqual(kernel_field(task, "Seccomp"), "2")
                self.assertEqual(kernel_field(task, "NoNewPrivs"), "1")
        self.assertIn("confined itself", self.node.log_text())

    def test_the_spawner_is_not_and_is_small(self):
        spawners = spawner_of(self.node.process.pid)
        self.assertEqual(len(spawners), 1)
        self.assertEqual(kernel_field(spawners[0], "Seccomp"), kernel_field("self", "Seccomp"))
        self.assertEqual(kernel_field(spawners[0], "NoNewPrivs"), kernel_field("self", "NoNewPrivs"))
        # The bound is generous; the figure itself is in docs/installation.md.
        self.assertLess(pss_kb(spawners[0]), 1024)

    def test_containers_have_their_own_filters_and_no_other(self):
        self.node.apply(
            pod("free", container("c", FOREVER, securityContext=seccomp("Unconfined"))),
            pod("bound", container("c", FOREVER, securityContext=seccomp("RuntimeDefault"))),
            pod("nnp", container("c", FOREVER, securityContext={"allowPrivilegeEscalation": False})))
        filters = int(kernel_field("self", "Seccomp_filters") or 0)
        for name, mode, count, no_new_privs in (("free", "0", filters, "0"), ("bound", "2", filters + 1, None),
                                                ("nnp", "0", filters, "1")):
            self.node.wait_running(name)
            pid = self.node.pid_of(name, "c")
            with self.subTest(pod=name):
                self.assertEqual(kernel_field(pid, "Seccomp"), mode if not filters else "2")
                self.assertEqual(int(kernel_field(pid, "Seccomp_filters") or 0), count)
                if no_new_privs is not None:
                    self.assertEqual(kernel_field(pid, "NoNewPrivs"), no_new_privs)

    def test_containers_monitor_is_free_too(self):
        self.node.apply(pod("watched", container("c", FOREVER)))
        self.node.wait_running("watched")
        monitor = int(kernel_field(self.node.pid_of("watched", "c"), "PPid"))
        self.assertEqual(kernel_field(monitor, "Seccomp"), kernel_field("self", "Seccomp"))
        self.assertEqual(kernel_field(monitor, "NoNewPrivs"), kernel_field("self", "NoNewPrivs"))


class Modes(unittest.TestCase):
    def start(self, *args):
        node = harness.Node(*args)
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        return node.start()

    def test_log(self):
        node = self.start("--self-seccomp=log")
        self.assertEqual(kernel_field(node.process.pid, "Seccomp"), "2")
        self.assertEqual(json.loads(node.get("/configz"))["selfSeccomp"], "log")
        node.apply(pod("web", container("c", FOREVER)))
        node.wait_running("web")

    def test_off(self):
        node = self.start("--self-seccomp=off")
        self.assertEqual(kernel_field(node.process.pid, "Seccomp"), kernel_field("self", "Seccomp"))
        self.assertEqual(spawner_of(node.process.pid), [])
        self.assertEqual(node.json("info")["info"]["config"]["selfSeccomp"], "off")
        said = harness.run(harness.SUITE.portcullis, "status", "--runtime-endpoint", "unix://" + node.socket, "-o", "json")
        self.assertEqual(json.loads(said.stdout)["selfSeccomp"], "off")
        self.assertIn("the daemon's own filter is off (--self-seccomp=off)", said.stderr)
        node.apply(pod("web", container("c", FOREVER)))
        node.wait_running("web")

    def test_an_unknown_mode_is_refused(self):
        done = harness.run(harness.SUITE.portcullis, "runtime", "--self-seccomp=maybe", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('--self-seccomp: "maybe": expected enforce, log or off', done.stderr)

    def test_without_its_spawner_the_node_ends_and_the_next_start_goes_on(self):
        node = self.start()
        node.apply(pod("stays", container("c", FOREVER)))
        node.wait_running("stays")
        pid = node.pid_of("stays", "c")
        os.kill(spawner_of(node.process.pid)[0], signal.SIGKILL)
        node.apply(pod("next", container("c", FOREVER)))
        wait("the node to end", lambda: node.process.poll() is not None)
        self.assertEqual(node.process.returncode, 70)
        self.assertTrue(harness.is_alive(pid))
        node.start()
        node.wait_running("next")
        node.wait_running("stays")
        self.assertEqual(node.pid_of("stays", "c"), pid)
