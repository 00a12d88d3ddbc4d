"""kill -9 of the node with pods running: they run on, and the next start finds them."""

import os
import signal
import unittest

import harness
from harness import FOREVER, SUITE, container, pod, wait


class Restart(unittest.TestCase):
    def setUp(self):
        self.node = harness.Node()
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))
        self.node.start()

    def facts(self, name, *containers):
        """What must not change over a restart."""
        found = {}
        for container_name in containers:
            status = self.node.container_status(name, container_name)
            found[container_name] = (status["containerID"], status["restartCount"], self.node.pid_of(name, container_name))
        found["pod"] = (self.node.pod(name)["metadata"]["uid"], self.node.pod(name)["status"]["podIP"])
        return found

    def test_kill_9(self):
        gate = f"{self.node.dir}/gate"
        os.mkdir(gate)
        volume = [{"name": "gate", "hostPath": {"path": gate}}]
        mounted = {"volumeMounts": [{"name": "gate", "mountPath": "/gate"}]}
        wait_for = "while ! [ -e /gate/{0} ]; do sleep 0.1; done; exit {1}"
        self.node.apply(
            pod("runs", container("a", FOREVER), container("b", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done")),
            pod("ends", container("c", wait_for.format("leave", 42), **mounted), volumes=volume, restartPolicy="Never"),
            pod("restarts", container("c", "[ -e /gate/leave ] && { echo again; " + FOREVER + "; }; "
                                      + wait_for.format("leave", 43), **mounted), volumes=volume),
            pod("goes", container("c", FOREVER)))
        for name in ("runs", "ends", "restarts", "goes"):
            self.node.wait_running(name)
        before = self.facts("runs", "a", "b")
        ended = self.node.id_of("ends", "c")
        lines = len(self.node.logs_of("runs", "b").split())

        self.assertEqual(self.node.stop(signal.SIGKILL), -signal.SIGKILL)
        with self.subTest("containers run on without the node"):
            for container_name in ("a", "b"):
                self.assertTrue(harness.is_alive(before[container_name][2]))
        # While it is away: two containers end, one manifest goes.
        end_pid = [pid for pid in SUITE.processes() if f"/{ended}" in harness.read(f"/proc/{pid}/cgroup")]
        harness.write(f"{gate}/leave", "")
        wait("the containers to end", lambda: not any(harness.is_alive(pid) for pid in end_pid))
        self.node.remove("goes")

        self.node.start()
        with self.subTest("the next start adopts what runs"):
            self.node.wait_running("runs")
            self.assertEqual(self.facts("runs", "a", "b"), before)
            wait("the log to go on", lambda: len(self.node.logs_of("runs", "b").split()) > lines)
        with self.subTest("exit codes of the downtime"):
            status = self.node.wait_state("ends", "c", "terminated")
            self.assertEqual(status["state"]["terminated"]["exitCode"], 42)
            self.assertEqual(status["containerID"].split("//")[1], ended)
            again = wait("the other to run again", lambda: self.restarted("restarts"))
            self.assertEqual((again["restartCount"], again["lastState"]["terminated"]["exitCode"]), (1, 43))
        with self.subTest("a manifest that went in the downtime"):
            self.node.wait_gone("goes")
        with self.subTest("exec, stop and network work on what was adopted"):
            self.assertEqual(self.node.exec(self.node.id_of("runs", "a"), "echo", "hello").stdout, "hello\n")
            self.node.remove("runs")
            self.node.wait_gone("runs")

    def restarted(self, name):
        status = self.node.container_status(name, "c")
        return status if status["restartCount"] == 1 and "running" in status["state"] else None

    def test_orderly_stop_and_start(self):
        self.node.apply(pod("stays", container("c", FOREVER)))
        self.node.wait_running("stays")
        before = self.facts("stays", "c")
        self.assertEqual(self.node.stop(), 0)
        self.assertTrue(harness.is_alive(before["c"][2]))
        self.node.start()
        self.node.wait_running("stays")
        self.assertEqual(self.facts("stays", "c"), before)

    def test_killed_while_pods_are_made(self):
        names = [f"pod{number}" for number in range(4)]
        self.node.apply(*[pod(name, container("c", FOREVER)) for name in names])
        # As soon as the first sandbox's network or bundle shows: the others are half made.
        wait("the first sandbox", lambda: os.listdir(f"{self.node.state_dir}/bundles"), step=0.002)
        self.node.stop(signal.SIGKILL)
        self.node.start()
        for name in names:
            self.node.wait_running(name)
        listed = self.node.json("pods", "-o", "json")["items"]
        self.assertEqual(len([item for item in listed if item["state"] == "SANDBOX_READY"]), len(names))
        for pid in (self.node.pid_of(name, "c") for name in names):
            self.assertTrue(harness.is_alive(pid))

    def test_a_second_node_is_refused(self):
        second = harness.run(*self.node.command(), "--healthz-port=0", check=False, timeout=20)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.node.process.pid), second.stdout + second.stderr)
        self.assertEqual(self.node.get("/healthz"), "ok")
        self.assertEqual(self.node.crictl("version").returncode, 0)
