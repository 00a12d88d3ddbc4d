"""Every verb of crictl against `portcullis runtime` alone, with the files that crictl users write."""

import json
import os
import re
import unittest

import harness
from harness import BUSYBOX, FOREVER, SUITE, wait

ID = re.compile(r"^[0-9a-f]{64}$")
TRAP = 'trap "exit 0" TERM\n'


class Verbs(harness.RuntimeTest):
    def pod_file(self, name, **more):
        return harness.write(f"{self.runtime.dir}/{name}-pod.json", {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "attempt": 0},
            "log_directory": f"{self.runtime.dir}/logs/{name}", "labels": {"app": name}, "linux": {}, **more})

    def container_file(self, name, script=FOREVER, image=BUSYBOX, **more):
        return harness.write(f"{self.runtime.dir}/{name}-container.json", {
            "metadata": {"name": name}, "image": {"image": image}, "command": ["sh", "-c", TRAP + script],
            "log_path": f"{name}.log", "labels": {"role": name},
            "linux": {"security_context": {"seccomp": {"profile_type": 0}}}, **more})

    def started(self, name, script=FOREVER, **more):
        """Pod and running container of that name: their ids."""
        pod_file, container_file = self.pod_file(name), self.container_file(name, script, **more)
        pod_id = self.runtime.crictl("runp", pod_file).stdout.strip()
        container_id = self.runtime.crictl("create", pod_id, container_file, pod_file).stdout.strip()
        self.assertEqual(self.runtime.crictl("start", container_id).stdout.strip(), container_id)
        return pod_id, container_id

    def removed(self, pod_id):
        self.runtime.crictl("rmp", "-f", pod_id)

    def tearDown(self):
        # What a failed test left, so that the next one sees only its own.
        self.runtime.remove_pods()

    def fails(self, *args):
        done = self.runtime.crictl(*args, check=False)
        self.assertNotEqual(done.returncode, 0, args)
        return done.stderr

    def test_version_and_info(self):
        text = self.runtime.crictl("version").stdout
        self.assertRegex(text, r"^Version:  0\.1\.0\nRuntimeName:  portcullis\nRuntimeVersion:  \S+\nRuntimeApiVersion:  v1\n$")
        info = self.runtime.json("info")
        conditions = {c["type"]: c["status"] for c in info["status"]["conditions"]}
        self.assertEqual(conditions, {"RuntimeReady": True, "NetworkReady": True})
        self.assertEqual(info["info"]["config"]["cniConfDir"], f"{self.runtime.dir}/cni")
        self.assertNotIn("info", self.runtime.json("info", "-q"))

    def test_life_of_a_container(self):
        pod_file, container_file = self.pod_file("life"), self.container_file("life")
        pod_id = self.runtime.crictl("runp", pod_file).stdout.strip()
        self.assertRegex(pod_id, ID)
        container_id = self.runtime.crictl("create", pod_id[:13], container_file, pod_file).stdout.strip()
        self.assertRegex(container_id, ID)
        self.assertEqual(self.state(container_id), "CONTAINER_CREATED")
        self.runtime.crictl("start", container_id[:13])
        self.assertEqual(self.state(container_id), "CONTAINER_RUNNING")
        self.assertIn("is running", self.fails("rm", container_id))
        self.runtime.crictl("stop", "-t", "10", container_id)
        status = self.runtime.inspect(container_id)["status"]
        self.assertEqual((status["state"], status["exitCode"], status["reason"]), ("CONTAINER_EXITED", 0, "Completed"))
        self.assertEqual(self.runtime.crictl("rm", container_id).stdout.strip(), container_id)
        self.assertIn(container_id[:13], self.fails("inspect", container_id))
        self.assertIn("is running", self.fails("rmp", pod_id))
        self.assertEqual(self.runtime.crictl("stopp", pod_id).stdout, f"Stopped sandbox {pod_id}\n")
        self.assertEqual(self.runtime.crictl("stopp", pod_id).returncode, 0)
        self.assertEqual(self.runtime.json("inspectp", pod_id)["status"]["state"], "SANDBOX_NOTREADY")
        self.assertEqual(self.runtime.crictl("rmp", pod_id).stdout, f"Removed sandbox {pod_id}\n")
        self.assertNotIn(pod_id, self.runtime.ids("pods", "-q"))

    def state(self, container_id):
        return self.runtime.inspect(container_id)["status"]["state"]

    def test_run(self):
        container_id = self.runtime.crictl("run", self.container_file("run"), self.pod_file("run")).stdout.strip()
        self.assertEqual(self.state(container_id), "CONTAINER_RUNNING")
        self.removed(self.runtime.inspect(container_id)["info"]["sandboxID"])

    def test_lists_and_filters(self):
        pod_a, a = self.started("filter-a")
        pod_b, b = self.started("filter-b")
        pod_c, c = self.started("filter-c", "exit 3")
        wait("the third to end", lambda: self.state(c) == "CONTAINER_EXITED")
        ps, pods = self.runtime.ids, self.runtime.ids
        both = ["--name", "filter"]
        self.assertEqual(sorted(ps("ps", "-q", *both)), sorted([a, b]))
        self.assertEqual(sorted(ps("ps", "-a", "-q", *both)), sorted([a, b, c]))
        self.assertEqual(ps("ps", "-q", "--name=filter-a"), [a])
        self.assertEqual(ps("ps", "-q", "--name=^lter"), [])
        self.assertEqual(ps("ps", "-q", "--pod", pod_b), [b])
        self.assertEqual(ps("ps", "-q", "--pod", pod_b[:10]), [b])
        self.assertEqual(ps("ps", "-q", "--state", "exited", *both), [c])
        self.assertEqual(ps("ps", "-q", "--state", "Running", "--label", "role=filter-a"), [a])
        self.assertEqual(ps("ps", "-q", "-l", *both), [c])
        self.assertEqual(pods("pods", "-q", "--name", "filter-b"), [pod_b])
        self.assertEqual(pods("pods", "-q", "--label", "app=filter-a"), [pod_a])
        self.assertEqual(pods("pods", "-q", "--namespace", "kube"), [])
        self.assertEqual(sorted(pods("pods", "-q", "--state", "ready", *both)), sorted([pod_a, pod_b, pod_c]))
        with self.subTest("tables"):
            header, line = self.runtime.crictl("ps", "--name=filter-a").stdout.splitlines()
            self.assertEqual(header.split(), ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD", "ID", "POD",
                                              "NAMESPACE"])
            self.assertTrue(line.startswith(a[:13] + " "))
            self.assertIn(" ago ", line)
            header, line = self.runtime.crictl("pods", "--name=filter-a").stdout.splitlines()
            self.assertEqual(header.split(), ["POD", "ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"])
            self.assertEqual(line.split()[-1], "(default)")
        with self.subTest("other formats"):
            listed = self.runtime.json("ps", "-o", "json", "--name=filter-a")["containers"]
            self.assertEqual([(i["id"], i["state"], i["metadata"]["name"]) for i in listed], [(a, "CONTAINER_RUNNING", "filter-a")])
            self.assertIn(f"id: {a}", self.runtime.crictl("ps", "-o", "yaml", "--name=filter-a").stdout)
            self.assertEqual(self.runtime.crictl("inspect", "-o", "go-template", "--template",
                                                 "{{.status.metadata.name}} {{.info.pid}}", a).stdout.strip(),
                             f"filter-a {self.runtime.inspect(a)['info']['pid']}")
            self.assertIn("output format", self.fails("ps", "-o", "xml"))
        with self.subTest("several at once"):
            self.assertEqual([i["status"]["id"] for i in json.loads(self.runtime.crictl("inspect", a, b).stdout)], [a, b])
        for pod_id in (pod_a, pod_b, pod_c):
            self.removed(pod_id)

    def test_shapes(self):
        pod_id, container_id = self.started("shape")
        seen = self.runtime.inspect(container_id)
        self.assertEqual(set(seen), {"status", "info"})
        for key in ("annotations", "createdAt", "exitCode", "finishedAt", "id", "image", "imageId", "imageRef", "labels",
                    "logPath", "message", "metadata", "mounts", "reason", "resources", "startedAt", "state", "user"):
            self.assertIn(key, seen["status"])
        self.assertEqual(seen["status"]["finishedAt"], "0001-01-01T00:00:00Z")
        self.assertRegex(seen["status"]["startedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        self.assertEqual(seen["status"]["user"]["linux"]["uid"], "0")
        for key in ("config", "pid", "removing", "runtimeSpec", "runtimeType", "sandboxID", "snapshotKey", "snapshotter"):
            self.assertIn(key, seen["info"])
        self.assertEqual(seen["info"]["sandboxID"], pod_id)
        self.assertTrue(harness.is_alive(seen["info"]["pid"]))
        spec = seen["info"]["runtimeSpec"]
        self.assertEqual(spec["process"]["args"][:2], ["sh", "-c"])
        self.assertIn("/proc/kcore", spec["linux"]["maskedPaths"])
        self.assertIn("/proc/sys", spec["linux"]["readonlyPaths"])
        slice_name = os.path.basename(self.runtime.cgroup_parent)
        self.assertEqual(spec["linux"]["cgroupsPath"], f"{slice_name}:portcullis:{container_id}" if harness.SYSTEMD
                         else f"{self.runtime.cgroup_parent}/{container_id}")
        self.assertEqual(set(spec["process"]["capabilities"]["bounding"]), {
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
            "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"})
        sandbox = self.runtime.json("inspectp", pod_id)
        self.assertEqual(set(sandbox), {"status", "info"})
        modes = sandbox["status"]["linux"]["namespaces"]["options"]
        self.assertEqual((modes["ipc"], modes["network"]), ("POD", "POD"))
        self.assertRegex(sandbox["status"]["network"]["ip"], r"^10\.201\.")
        self.assertTrue(harness.is_alive(sandbox["info"]["pid"]))
        self.assertEqual(sandbox["info"]["runtimeSpec"]["root"]["readonly"], True)
        self.removed(pod_id)

    def test_logs(self):
        pod_id, container_id = self.started("logs", "for i in 1 2 3 4 5; do echo out $i; done; echo err >&2; printf partial; exit 0")
        wait("it to end", lambda: self.state(container_id) == "CONTAINER_EXITED")
        done = self.runtime.crictl("logs", container_id)
        self.assertEqual(done.stdout, "".join(f"out {i}\n" for i in range(1, 6)) + "partial")
        self.assertEqual(done.stderr, "err\n")
        tail = self.runtime.crictl("logs", "-t", "--tail", "1", container_id)
        self.assertRegex(tail.stdout + tail.stderr, r"^\d{4}-\d\d-\d\dT\S+ \S+\n?$")
        raw = harness.read(f"{self.runtime.dir}/logs/logs/logs.log").splitlines()
        self.assertRegex(raw[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[Z+]\S* stdout F out 1$")
        self.assertEqual(self.runtime.inspect(container_id)["status"]["logPath"], f"{self.runtime.dir}/logs/logs/logs.log")
        follow_pod, follow = self.started("follow", "echo one; sleep 0.3; echo two; exit 0")
        self.assertEqual(self.runtime.crictl("logs", "-f", follow, timeout=20).stdout, "one\ntwo\n")
        self.removed(pod_id)
        self.removed(follow_pod)

    def test_logs_reopened_and_of_one_stream(self):
        pod_id, container_id = self.started("reopened", "echo out; echo err >&2\n" + FOREVER)
        path = self.runtime.inspect(container_id)["status"]["logPath"]
        wait("both lines", lambda: len(harness.read(path).splitlines()) == 2)
        done = self.runtime.crictl("logs", "-s", "stderr", container_id)
        self.assertEqual((done.stdout, done.stderr), ("", "err\n"))
        os.rename(path, path + ".1")
        self.assertEqual(self.runtime.crictl("logs", "--reopen", container_id).stdout, "")
        self.assertTrue(os.path.exists(path))
        self.removed(pod_id)

    def test_exec_where(self):
        pod_id, first = self.started("where-1")
        other_pod, second = self.started("where-2")
        done = self.runtime.crictl("exec", "-s", "--name", "^where-", "sh", "-c", "echo $HOSTNAME; exit 3", check=False)
        self.assertEqual((done.returncode, done.stdout.split("\n")[::2][:2]), (3, [second + ":", first + ":"]))
        self.assertEqual(self.runtime.crictl("exec", "-s", "-q", "-l", "echo", "-n", "newest").stdout, "newest")
        self.assertEqual(self.runtime.crictl("exec", "-s", "-q", "-e", "-l", "false").stdout, "")
        self.assertIn("no container fits", self.fails("exec", "-s", "--name", "nobody", "true"))
        self.removed(pod_id)
        self.removed(other_pod)

    def test_newest_verbs(self):
        pod_id, container_id = self.started("newest")
        metrics = self.runtime.json("metricsp")["podMetrics"]
        self.assertEqual([pod["podSandboxId"] for pod in metrics], [pod_id])
        described = {descriptor["name"] for descriptor in self.runtime.json("metricdescs")["descriptors"]}
        self.assertLessEqual({m["name"] for m in metrics[0]["containerMetrics"][0]["metrics"]}, described)
        self.runtime.crictl("update-runtime-config", "--pod-cidr", self.runtime.subnet)
        for verb in (["events"], ["checkpoint", "--export", f"{self.runtime.dir}/c.tar", container_id]):
            self.assertIn("is not supported by this runtime", self.fails(*verb))
        self.removed(pod_id)

    def test_exec(self):
        pod_id, container_id = self.started("exec")
        done = self.runtime.exec(container_id, "sh", "-c", "echo out; echo err >&2; exit 9", check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (9, "out\n", "err\n"))
        with self.subTest("it runs under the container's filter"):
            self.assertIn("Seccomp:\t2", self.runtime.exec(container_id, "cat", "/proc/self/status").stdout)
        with self.subTest("no such command"):
            self.assertRegex(self.runtime.exec(container_id, "/nope", check=False).stderr, "/nope.*[Nn]o such file or directory")
        with self.subTest("timeout"):
            done = self.runtime.crictl("exec", "-s", "--timeout", "1", container_id, "sleep", "77", check=False, timeout=20)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "(?i)timed? ?out|deadline")
            self.assertNotIn("sleep 77", self.runtime.exec(container_id, "ps").stdout)
        with self.subTest("large output"):
            self.assertEqual(len(self.runtime.exec(container_id, "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x").stdout), 1000000)
        self.removed(pod_id)

    def test_exit_codes_and_signals(self):
        pod_id, container_id = self.started("codes", "exit 7")
        wait("it to end", lambda: self.state(container_id) == "CONTAINER_EXITED")
        status = self.runtime.inspect(container_id)["status"]
        self.assertEqual((status["exitCode"], status["reason"]), (7, "Error"))
        self.removed(pod_id)
        pod_id, container_id = self.started("killed", FOREVER, command=["sh", "-c", "trap '' TERM; " + FOREVER])
        self.runtime.crictl("stop", "-t", "1", container_id)
        self.assertEqual(self.runtime.inspect(container_id)["status"]["exitCode"], 137)
        self.removed(pod_id)

    def test_a_command_that_is_not_there(self):
        pod_file = self.pod_file("nothing")
        container_file = self.container_file("nothing", command=["/nope"])
        pod_id = self.runtime.crictl("runp", pod_file).stdout.strip()
        created = self.runtime.crictl("create", pod_id, container_file, pod_file, check=False)
        if created.returncode == 0:
            self.assertRegex(self.fails("start", created.stdout.strip()), "/nope.*[Nn]o such file or directory")
        else:
            self.assertRegex(created.stderr, "/nope.*[Nn]o such file or directory")
        self.removed(pod_id)

    def test_memory_limit(self):
        limited = {"resources": {"memory_limit_in_bytes": 32 << 20}, "security_context": {"seccomp": {"profile_type": 1}}}
        pod_id, container_id = self.started("oom", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo survived\n" + FOREVER,
                                            linux=limited)
        wait("it to be killed", lambda: self.state(container_id) == "CONTAINER_EXITED")
        status = self.runtime.inspect(container_id)["status"]
        self.assertEqual((status["exitCode"], status["reason"]), (137, "OOMKilled"))
        self.removed(pod_id)

    def test_stats(self):
        pod_id, container_id = self.started("stats", "while :; do :; done")
        stats = self.runtime.json("stats", "-o", "json", container_id)["stats"]
        self.assertEqual([s["attributes"]["id"] for s in stats], [container_id])
        wait("CPU time", lambda: int(self.runtime.json("stats", "-o", "json", container_id)["stats"][0]["cpu"]
                                     ["usageCoreNanoSeconds"]["value"]) > 50_000_000)
        self.assertGreater(int(stats[0]["memory"]["workingSetBytes"]["value"]), 10_000)
        header, line = self.runtime.crictl("stats", "-s", "1", container_id).stdout.splitlines()
        self.assertEqual(header.split()[:5], ["CONTAINER", "NAME", "CPU", "%", "MEM"])
        self.assertGreater(float(line.split()[2]), 10.0)
        pod_stats = self.runtime.json("statsp", "-o", "json", pod_id)["stats"][0]
        self.assertEqual(pod_stats["attributes"]["id"], pod_id)
        self.assertEqual(pod_stats["linux"]["network"]["defaultInterface"]["name"], "eth0")
        self.assertEqual([c["attributes"]["id"] for c in pod_stats["linux"]["containers"]], [container_id])
        self.removed(pod_id)

    def test_images(self):
        listed = self.runtime.json("images", "-o", "json")["images"]
        tags = {tag for image in listed for tag in image["repoTags"]}
        self.assertEqual(tags, {"docker.io/library/nginx:1.21", "docker.io/library/redis:6.2", "docker.io/library/busybox:latest",
                                "registry.k8s.io/pause:3.10"})
        self.assertTrue(next(i for i in listed if "registry.k8s.io/pause:3.10" in i["repoTags"])["pinned"])
        header = self.runtime.crictl("images").stdout.splitlines()[0]
        self.assertEqual(header.split(), ["IMAGE", "TAG", "IMAGE", "ID", "SIZE"])
        seen = self.runtime.json("inspecti", "redis:6.2")
        self.assertEqual(seen["status"]["uid"]["value"], "999")
        self.assertRegex(seen["status"]["id"], r"^sha256:[0-9a-f]{64}$")
        self.assertIn("docker.io/library/redis", seen["status"]["repoDigests"][0])
        self.assertIn("no such image", self.fails("inspecti", "nosuch:1"))
        fs = self.runtime.json("imagefsinfo")["status"]["imageFilesystems"][0]
        self.assertGreater(int(fs["usedBytes"]["value"]), 1_000_000)
        with self.subTest("pull without a registry says what to do"):
            self.assertIn("http://127.0.0.1:1/v2/nosuch/manifests/1", self.fails("pull", "127.0.0.1:1/nosuch:1"))

    def test_rmi(self):
        archive = f"{SUITE.build}/images/redis-6.2.tar"
        harness.run(SUITE.portcullis, "image", "load", "--state-dir", self.runtime.state_dir, "--name", "example.org/copy:2", archive)
        self.assertIn("example.org/copy:2", self.runtime.crictl("inspecti", "example.org/copy:2").stdout)
        self.assertIn("example.org/copy:2", self.runtime.crictl("rmi", "example.org/copy:2").stdout)
        self.assertNotIn("example.org/copy", self.runtime.crictl("images").stdout)
        self.assertIn("no such image", self.fails("rmi", "example.org/copy:2"))
        self.assertIn("busybox", self.runtime.crictl("images").stdout)
        with self.subTest("an image in use"):
            pod_id, container_id = self.started("in-use")
            self.assertIn(container_id, self.fails("rmi", "busybox:latest"))
            self.removed(pod_id)

    def test_bad_input(self):
        self.assertIn("no such file", self.fails("runp", "/nope.json").lower())
        bad = harness.write(f"{self.runtime.dir}/bad.json", {"metadata": {"name": "x", "namespace": "d", "uid": "u"}, "linus": {}})
        self.assertIn("linus", self.fails("runp", bad))
        self.assertIn("0123456789", self.fails("inspect", "0123456789"))
        self.assertIn("verb", self.fails("inspekt"))
        before = self.runtime.ids("pods", "-q")
        missing = self.pod_file("missing-image")
        self.assertIn("nosuch", self.fails("run", self.container_file("missing-image", image="nosuch:1"), missing))
        for pod_id in set(self.runtime.ids("pods", "-q")) - set(before):
            self.removed(pod_id)


class NoRuntime(unittest.TestCase):
    def test_it_is_told(self):
        done = harness.run(SUITE.portcullis, "crictl", "--runtime-endpoint", "unix:///nope/x.sock", "ps", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nope/x.sock", done.stderr)
        self.assertIn("--runtime-endpoint", done.stderr)
