"""The node with the containerd of PATH behind it: the same pods, the same answers as with the embedded runtime."""

import json
import os
import re
import signal
import unittest

import containerd
import harness
import test_examples
from harness import FOREVER, SUITE, container, pod, seccomp, wait

DENY_MKDIR = {"defaultAction": "SCMP_ACT_ALLOW",
              "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
              "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}


class Examples(test_examples.ExamplePods, containerd.ContainerdNodeTest):
    """SeccompDefault on."""

    IMAGES = ("pause-3.10", "busybox", "nginx-1.21", "redis-6.2")

    def test_0_it_is_containerd(self):
        self.use_example("test-pod-nginx.yaml", "test-container")
        status = self.node.container_status("test-pod", "test-container")
        self.assertTrue(status["containerID"].startswith("containerd://"), status)
        parent = harness.kernel_field(self.node.pid_of("test-pod", "test-container"), "PPid")
        self.assertIn("containerd-shim-runc-v2", harness.read(f"/proc/{parent}/cmdline"))


class Defaults(containerd.ContainerdNodeTest):
    """What this containerd applies as its default is what we know of its release, whatever the capabilities."""

    CAPABILITIES = {"plain": {}, "none": {"drop": ["ALL"]}, "admin": {"add": ["SYS_ADMIN"]}, "all": {"add": ["ALL"]},
                    "some": {"add": ["SYS_PTRACE", "SYS_BOOT", "SYSLOG", "BPF", "PERFMON", "SYS_TIME", "SYS_NICE"]}}

    def test_are_those_of_its_release(self):
        self.node.apply(pod("defaults", *[
            container(name, FOREVER, securityContext={"capabilities": capabilities, **seccomp("RuntimeDefault")})
            for name, capabilities in self.CAPABILITIES.items()]))
        self.node.wait_running("defaults", timeout=60)
        rows = self.node.status("--verify")
        # "RuntimeDefault (containerd@1.7.24~ds1)": as it tells itself, which is a name for our profiles too.
        release = re.fullmatch(r"RuntimeDefault \((containerd@.*)\)", rows[("defaults", "plain")]["effective"]).group(1)
        for name in self.CAPABILITIES:
            with self.subTest(name):
                self.assertTrue(rows[("defaults", name)]["kernel"]["asMeant"], rows[("defaults", name)])
                spec = self.node.inspect(self.node.id_of("defaults", name))["info"]["runtimeSpec"]
                applied = harness.write(f"{self.node.dir}/{name}.json", spec["linux"]["seccomp"])
                bounding = spec["process"]["capabilities"].get("bounding", [])
                harness.run(SUITE.portcullis, "profile", "diff", "--as-written", "--caps", ",".join(bounding) or "none", applied,
                            release)


class SwitchedOff(containerd.ContainerdNodeTest):
    def test_says_nothing_runs_unconfined(self):
        self.node.apply(pod("off", container("says-nothing", FOREVER),
                            container("default", FOREVER, securityContext=seccomp("RuntimeDefault")),
                            container("privileged", FOREVER, securityContext={"privileged": True,
                                                                              **seccomp("RuntimeDefault")})))
        self.node.wait_running("off")
        rows = self.node.status("--verify")
        seen = {name: (row["declared"], row["effective"].split(" ")[0], row["decidedBy"], row["kernel"]["seccomp"])
                for (_, name), row in rows.items()}
        self.assertEqual(seen, {"says-nothing": ("-", "Unconfined", "node default", 0),
                                "default": ("RuntimeDefault", "RuntimeDefault", "container", 2),
                                "privileged": ("RuntimeDefault", "Unconfined", "privileged", 0)})
        for row in rows.values():
            self.assertTrue(row["kernel"]["asMeant"], row)
            self.assertFalse(row["stale"] or row["mismatch"], row)
        self.assertEqual(self.node.probe(self.node.id_of("off", "default"))["keyctl"], "EPERM")
        self.assertEqual(self.node.probe(self.node.id_of("off", "says-nothing"))["keyctl"], "ok")
        spec = self.node.inspect(self.node.id_of("off", "says-nothing"))["info"]["runtimeSpec"]
        self.assertIsNone(spec["linux"].get("seccomp"))


class Pods(containerd.ContainerdNodeTest):
    def test_localhost_profile(self):
        path = self.node.profile("deny/mkdir.json", DENY_MKDIR)
        self.node.apply(pod("localhost", container("c", "mkdir /tmp/d && echo works; echo end\n" + FOREVER,
                                                   securityContext=seccomp("Localhost", "deny/mkdir.json"))))
        self.node.wait_running("localhost")
        self.assertEqual(self.node.wait_log("localhost", "c", "end\n"), "end\n")
        row = self.node.status("--verify")[("localhost", "c")]
        self.assertEqual((row["declared"], row["effective"], row["decidedBy"], row["kernel"]["seccomp"]),
                         ("Localhost/deny/mkdir.json", "Localhost " + path, "container", 2))
        self.assertTrue(row["kernel"]["asMeant"], row)
        found = self.node.inspect(self.node.id_of("localhost", "c"))["info"]["runtimeSpec"]["linux"]["seccomp"]
        self.assertEqual([rule["names"] for rule in found["syscalls"]], [["mkdir", "mkdirat"]])

    def test_missing_profile_stops_its_container_alone(self):
        self.node.apply(pod("missing", container("bad", FOREVER, securityContext=seccomp("Localhost", "no.json")),
                            container("good", FOREVER)))
        self.node.wait_running("missing", "good")
        status = self.node.wait_state("missing", "bad", "waiting", "CreateContainerError")
        self.assertIn(f"{self.node.root_dir}/seccomp/no.json", status["state"]["waiting"]["message"])
        self.node.profile("no.json", DENY_MKDIR)
        self.node.wait_running("missing", "bad", timeout=60)

    def test_life(self):
        """Init containers, environment, hosts, logs, exec, exit codes and restarts, termination message."""
        env = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        self.node.apply(pod(
            "life", container("c", 'echo "ip $IP"; cat /data/x; grep life /etc/hosts; echo why >/dev/termination-log; '
                              '[ -e /data/again ] || { touch /data/again; exit 7; }\n' + FOREVER, env=env,
                              volumeMounts=[{"name": "data", "mountPath": "/data"}]),
            initContainers=[container("init", "echo made-by-init > /data/x",
                                      volumeMounts=[{"name": "data", "mountPath": "/data"}])],
            volumes=[{"name": "data", "emptyDir": {}}]))
        status = wait("the second run", lambda: (s := self.node.container_status("life", "c"))["restartCount"] == 1
                      and "running" in s["state"] and s, timeout=60, explain=lambda: self.node.explain("life"))
        self.assertEqual(status["lastState"]["terminated"]["exitCode"], 7)
        self.assertEqual(status["lastState"]["terminated"]["message"], "why\n")
        address = self.node.pod("life")["status"]["podIP"]
        log = self.node.wait_log("life", "c", "made-by-init")
        self.assertIn(f"ip {address}\n", log)
        self.assertIn(address, self.node.exec(self.node.id_of("life", "c"), "cat", "/etc/hosts").stdout)
        failed = self.node.exec(self.node.id_of("life", "c"), "sh", "-c", "echo out; exit 3", check=False)
        self.assertEqual((failed.stdout, failed.returncode != 0), ("out\n", True))
        self.node.remove("life")
        self.node.wait_gone("life")
        self.assertEqual(self.node.ids("ps", "-a", "-q", "--name", "life"), [])
        self.assertEqual([name for name in os.listdir(self.node.logs) if "_life-" in name], [])

    def test_image_is_not_there(self):
        self.node.apply(pod("no-image", container("c", FOREVER, image="localhost/no-such:1", imagePullPolicy="Never")))
        self.node.wait_state("no-image", "c", "waiting", "ErrImageNeverPull")


class Restarts(containerd.ContainerdNodeTest):
    def facts(self, name):
        status = self.node.container_status(name, "c")
        return status["containerID"], status["restartCount"], self.node.pid_of(name, "c"), self.node.pod(name)["status"]["podIP"]

    def test_node_is_killed(self):
        self.node.apply(pod("stays", container("c", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.2; done")),
                        pod("goes", container("c", FOREVER)))
        self.node.wait_running("stays")
        self.node.wait_running("goes")
        before = self.facts("stays")
        self.node.stop(signal.SIGKILL)
        self.node.remove("goes")
        self.node.start()
        self.node.wait_running("stays")
        self.assertEqual(self.facts("stays"), before)
        self.node.wait_gone("goes")
        lines = len(self.node.logs_of("stays", "c").split())
        wait("the log to go on", lambda: len(self.node.logs_of("stays", "c").split()) > lines)

    def test_containerd_is_restarted(self):
        self.node.apply(pod("outlives", container("c", FOREVER)))
        self.node.wait_running("outlives")
        before = self.facts("outlives")
        self.peer.end()
        wait("the node to tell", lambda: "container runtime is down" in self.node.get("/healthz"))
        self.assertTrue(harness.is_alive(before[2]))
        self.node.apply(pod("meanwhile", container("c", FOREVER)))
        self.peer.start()
        wait("the node to reconnect", lambda: self.node.get("/healthz") == "ok", timeout=60)
        self.node.wait_running("meanwhile", timeout=60)
        self.node.wait_running("outlives")
        self.assertEqual(self.facts("outlives"), before)
        self.assertEqual(self.node.exec(self.node.id_of("outlives", "c"), "echo", "hi").stdout, "hi\n")


class Endpoints(unittest.TestCase):
    """What start-up says to endpoints where nobody, or the wrong one, answers."""

    def refusal(self, *flags):
        folder = f"{SUITE.scratch}/endpoints"
        os.makedirs(f"{folder}/manifests", exist_ok=True)
        done = harness.run(SUITE.portcullis, "node", "--root-dir", f"{folder}/kubelet", "--pod-manifest-path",
                           f"{folder}/manifests", "--pod-logs-dir", f"{folder}/logs", "--healthz-port=0", *flags,
                           check=False, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def test_nobody_answers(self):
        missing = f"unix://{SUITE.scratch}/nobody.sock"
        code, text = self.refusal("--container-runtime-endpoint", missing)
        self.assertEqual(code, 1)
        self.assertIn(f"connect to {missing}", text)

    def test_a_flag_of_the_embedded_runtime(self):
        code, text = self.refusal("--container-runtime-endpoint=unix:///x.sock", "--oci-runtime=crun")
        self.assertEqual(code, 1)
        self.assertIn("--oci-runtime would have no effect", text)


class ImageEndpoint(unittest.TestCase):
    """imageServiceEndpoint: images come from one service, containers from another."""

    def test_images_are_asked_for_there(self):
        peer = containerd.Containerd()
        self.addCleanup(peer.stop)
        peer.start("pause-3.10", "busybox")
        images = harness.Runtime()
        node = containerd.NodeOn(peer, config={"imageServiceEndpoint": "unix://" + images.socket})
        node.companions.append(images)
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        images.start()
        node.start()
        # Both have busybox, under the same id; nginx is only known to the image service, so that containerd fails.
        node.apply(pod("both", container("c", FOREVER)),
                   pod("one", container("c", FOREVER, image="nginx:1.21", imagePullPolicy="Never")))
        node.wait_running("both")
        self.assertTrue(node.container_status("both", "c")["containerID"].startswith("containerd://"))
        status = node.wait_state("one", "c", "waiting", "CreateContainerError")
        self.assertNotIn("ErrImageNeverPull", json.dumps(status))
