"""The two example pods, in turn, and the commands of the tutorial word for word."""

import json
import os
import socket
import urllib.request

import harness
from harness import wait

# A user types these; only the environment differs: crictl is a link to portcullis, and its configuration names our socket.
ONE_CONTAINER = """\
CONTAINER_ID=$(sudo crictl ps -q --name=test-container)
sudo crictl inspect $CONTAINER_ID | jq .info.runtimeSpec.linux.seccomp
"""
UNCONFINED_IS_NULL = """\
sudo crictl inspect $(sudo crictl ps -q --name=test-container-nginx) | jq '.info.runtimeSpec.linux.seccomp == null'
"""
DEFAULT_IS_NOT_NULL = """\
sudo crictl inspect $(sudo crictl ps -q --name=test-container-redis) | jq '.info.runtimeSpec.linux.seccomp != null'
"""
SANDBOX_IS_NOT_NULL = """\
sudo crictl inspectp $(sudo crictl pods -q --name test-pod) | jq '.info.runtimeSpec.linux.seccomp != null'
"""

DENIED = {"unshare": "EPERM", "mount": "EPERM", "keyctl": "EPERM", "clone-newuser": "EPERM", "clone3": "ENOSYS",
          "add_key": "EPERM", "bpf": "EPERM"}


def ask_redis(address, line):
    with socket.create_connection((address, 6379), timeout=5) as connection:
        connection.sendall(line)
        return connection.recv(64)


class ExamplePods:
    """What both pods must show, whatever runtime is behind the node."""

    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def use_example(self, file, *containers):
        with open(f"{harness.REPO}/examples/{file}", encoding="utf-8") as manifest:
            harness.write(f"{self.node.manifests}/test-pod.yaml", manifest.read())
        return self.node.wait_running("test-pod", *containers)

    def type(self, lines):
        """Runs what a user types in a shell."""
        tools = f"{self.node.dir}/tools"
        if not os.path.isdir(tools):
            os.makedirs(tools)
            os.symlink(harness.SUITE.portcullis, f"{tools}/crictl")
            harness.write(f"{tools}/sudo", '#!/bin/sh\nexec "$@"\n')
            os.chmod(f"{tools}/sudo", 0o755)
            harness.write(f"{tools}/crictl.yaml", f"runtime-endpoint: unix://{self.node.socket}\ntimeout: 10\n")
        env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "CRI_CONFIG_FILE": f"{tools}/crictl.yaml"}
        return harness.run("bash", "-euo", "pipefail", "-c", lines, env=env).stdout

    def unconfined(self):
        """What an unconfined root without extra capabilities may do on this host."""
        expected = dict.fromkeys(DENIED, "ok")
        host = json.loads(harness.run(self.probe_on_host(), "--json").stdout)
        return {name: word for name, word in expected.items() if host[name] == "ok"}

    def probe_on_host(self):
        """The static program of the image, taken from a container's root."""
        pid = self.node.pid_of("test-pod", "test-container-nginx")
        copy = f"{self.node.dir}/probe"
        if not os.path.exists(copy):
            harness.run("cp", f"/proc/{pid}/root{harness.PROBE}", copy)
        return copy

    def test_1_one_container_with_the_nodes_default(self):
        self.use_example("test-pod-nginx.yaml", "test-container")
        with self.subTest("the tutorial's commands"):
            profile = json.loads(self.type(ONE_CONTAINER))
            self.assertEqual(profile["defaultAction"], "SCMP_ACT_ERRNO")
            self.assertEqual(len(profile["architectures"]), 3)
            allowed = [n for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for n in rule["names"]]
            self.assertGreater(len(allowed), 300)
            self.assertIn("read", allowed)
            self.assertNotIn("keyctl", allowed)
            self.assertEqual(self.type(SANDBOX_IS_NOT_NULL), "true\n")
        with self.subTest("the kernel's word"):
            pid = self.node.pid_of("test-pod", "test-container")
            self.assertEqual(harness.kernel_field(pid, "Seccomp"), "2")
            self.assertEqual(harness.kernel_field(pid, "Seccomp_filters"), "1")
        with self.subTest("dangerous calls"):
            self.assertEqual(self.node.probe(self.node.id_of("test-pod", "test-container")), DENIED)
        with self.subTest("it serves"):
            self.check_nginx()
        with self.subTest("portcullis status"):
            row = self.node.status()[("test-pod", "test-container")]
            self.assertEqual((row["declared"], row["decidedBy"], row["kernel"]["seccomp"]), ("-", "node default", 2))
            self.assertRegex(row["effective"], r"^RuntimeDefault \(containerd@")
            self.assertFalse(row["mismatch"] or row["stale"])

    def test_2_replaced_by_two_containers(self):
        before = self.node.pod("test-pod") if self.node.pods() else None
        self.use_example("test-pod-mixed.yaml", "test-container-nginx", "test-container-redis")
        with self.subTest("the old pod is gone"):
            wait("one pod", lambda: len(self.node.ids("pods", "-q")) == 1)
            if before is not None:
                self.assertNotEqual(before["metadata"]["uid"], self.node.pod("test-pod")["metadata"]["uid"])
        with self.subTest("the tutorial's commands"):
            for line in (UNCONFINED_IS_NULL, DEFAULT_IS_NOT_NULL, SANDBOX_IS_NOT_NULL):
                self.assertEqual(self.type(line), "true\n", line)
        for name, mode in (("test-container-nginx", "0"), ("test-container-redis", "2")):
            with self.subTest("the kernel's word", container=name):
                self.assertEqual(harness.kernel_field(self.node.pid_of("test-pod", name), "Seccomp"), mode)
        with self.subTest("dangerous calls, default"):
            self.assertEqual(self.node.probe(self.node.id_of("test-pod", "test-container-redis")), DENIED)
        with self.subTest("dangerous calls, unconfined"):
            expected = self.unconfined()
            for name in ("unshare", "keyctl", "clone-newuser", "clone3", "add_key"):
                self.assertIn(name, expected, "this host itself refuses it to root")
            found = self.node.probe(self.node.id_of("test-pod", "test-container-nginx"))
            # Whether bpf() wants a capability is the host's setting.
            self.assertEqual({n: w for n, w in found.items() if n in expected and n != "bpf"},
                             {n: w for n, w in expected.items() if n != "bpf"})
        with self.subTest("they serve"):
            self.check_nginx()
            address = self.node.pod("test-pod")["status"]["podIP"]
            wait("redis to answer", lambda: ask_redis(address, b"PING\r\n") == b"+PONG\r\n")
        with self.subTest("portcullis status"):
            rows = self.node.status()
            nginx, redis = rows[("test-pod", "test-container-nginx")], rows[("test-pod", "test-container-redis")]
            self.assertEqual((nginx["declared"], nginx["effective"], nginx["decidedBy"]),
                             ("Unconfined", "Unconfined", "container"))
            self.assertEqual((redis["declared"], redis["decidedBy"]), ("-", "node default"))
            self.assertRegex(redis["effective"], r"^RuntimeDefault \(containerd@")
            self.assertEqual((nginx["kernel"]["seccomp"], redis["kernel"]["seccomp"]), (0, 2))
        with self.subTest("portcullis status --verify"):
            rows = self.node.status("--verify")
            for name in ("test-container-nginx", "test-container-redis"):
                self.assertTrue(rows[("test-pod", name)]["kernel"]["asMeant"], rows[("test-pod", name)])

    def check_nginx(self):
        address = self.node.pod("test-pod")["status"]["podIP"]

        def answer():
            with urllib.request.urlopen(f"http://{address}/", timeout=5) as page:
                return page.status == 200 and b"nginx" in page.read().lower()

        wait("nginx to serve", answer)


class Examples(ExamplePods, harness.NodeTest):
    pass
