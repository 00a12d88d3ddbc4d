"""What is particular to unified cgroup v2, systemd, AppArmor and AF_ALG: runs where the host has them, so in scripts/vm-test."""

import os
import re
import socket
import subprocess
import unittest

import harness
from harness import BUSYBOX, FOREVER, container, pod, wait

UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
# Settings of the whole machine are changed in a guest of our own only.
OWN_MACHINE = os.environ.get("PORTCULLIS_E2E_VM") == "1"
INSTANCES = "/proc/sys/fs/inotify/max_user_instances"
OOM_OF_A_CHILD = "sh -c 'x=$(head -c 200000000 /dev/zero | tr \"\\0\" x); echo survived'; exit 3"
LIMITS = {"memory_limit_in_bytes": 96 << 20, "cpu_quota": 50000, "cpu_period": 100000, "cpu_shares": 512}


def has_af_alg():
    try:
        socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
        return True
    except OSError:
        return False


def has_apparmor():
    return harness.read("/sys/module/apparmor/parameters/enabled").strip() == "Y"


class UnifiedTest(harness.RuntimeTest):
    """One runtime for a class; pods and containers through its CRI."""

    @classmethod
    def setUpClass(cls):
        if not UNIFIED:
            raise unittest.SkipTest("not a unified cgroup v2 host")
        super().setUpClass()

    def tearDown(self):
        self.runtime.remove_pods()

    def created(self, name, script=FOREVER, runtime=None, **linux):
        """The answer of `crictl create`, for a container of that name in a new pod."""
        runtime = runtime or self.runtime
        pod_file = harness.write(f"{runtime.dir}/{name}-pod.json", {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "attempt": 0},
            "log_directory": f"{runtime.dir}/logs/{name}", "linux": {}})
        linux.setdefault("security_context", {}).setdefault("seccomp", {"profile_type": 0})
        container_file = harness.write(f"{runtime.dir}/{name}-container.json", {
            "metadata": {"name": name}, "image": {"image": BUSYBOX}, "command": ["sh", "-c", 'trap "exit 0" TERM\n' + script],
            "log_path": f"{name}.log", "linux": linux})
        pod_id = runtime.crictl("runp", pod_file).stdout.strip()
        return runtime.crictl("create", pod_id, container_file, pod_file, check=False)

    def started(self, name, script=FOREVER, runtime=None, **linux):
        made = self.created(name, script, runtime, **linux)
        self.assertEqual(made.returncode, 0, made.stderr)
        return (runtime or self.runtime).crictl("start", made.stdout.strip()).stdout.strip()

    def cgroup_of(self, container_id):
        """Its directory, from what the kernel says of the container's first process."""
        pid = self.runtime.inspect(container_id)["info"]["pid"]
        lines = harness.read(f"/proc/{pid}/cgroup").split()
        self.assertEqual(len(lines), 1, "a unified host has one hierarchy")
        return "/sys/fs/cgroup" + lines[0].removeprefix("0::")

    def monitor_of(self, container_id):
        """conmon's pid."""
        found = [pid for pid in harness.pids() if container_id in harness.read(f"/proc/{pid}/cmdline").split("\0")
                 and harness.read(f"/proc/{pid}/comm").strip() == "conmon" and harness.is_alive(pid)]
        self.assertEqual(len(found), 1)
        return found[0]


class Unified(UnifiedTest):
    def test_the_host_is_told(self):
        info = self.runtime.json("info")
        told = {**info, **info.get("info", {})}
        self.assertEqual(told["cgroups"]["layout"], "unified")
        if harness.OCI_RUNTIME == "auto":
            self.assertEqual(told["ociRuntime"]["name"], "crun")
        else:
            self.assertEqual(told["ociRuntime"]["name"], os.path.basename(harness.OCI_RUNTIME))

    def test_limits_hold_and_change(self):
        container_id = self.started("limits", resources=LIMITS)
        cgroup = self.cgroup_of(container_id)
        read = lambda name: harness.read(f"{cgroup}/{name}").strip()
        self.assertEqual(read("memory.max"), str(96 << 20))
        self.assertEqual(read("cpu.max"), "50000 100000")
        self.assertEqual(read("cpu.weight"), "20")  # of 512 shares: 1 + (512 - 2) * 9999 / 262142
        for controller in ("cpu", "memory", "pids"):
            self.assertIn(controller, read("cgroup.controllers").split())
        self.runtime.crictl("update", "--memory", str(64 << 20), "--cpu-quota", "20000", "--cpu-period", "100000", container_id)
        self.assertEqual(read("memory.max"), str(64 << 20))
        self.assertEqual(read("cpu.max"), "20000 100000")

    def test_exec_and_conmon_are_where_they_belong(self):
        container_id = self.started("places", resources=LIMITS, security_context={"namespace_options": {"pid": 1}})  # CONTAINER
        cgroup = self.cgroup_of(container_id)
        # In its own cgroup namespace a container sees its cgroup as the root; so does what is executed in it.
        self.assertEqual(self.runtime.exec(container_id, "cat", "/proc/1/cgroup").stdout.strip(), "0::/")
        self.assertRegex(self.runtime.exec(container_id, "cat", "/proc/self/cgroup").stdout.strip(), "^0::/(exec-[^/]+)?$")
        wait("cgroups of commands to be gone", lambda: not [name for name in os.listdir(cgroup) if name.startswith("exec-")])
        # conmon's memory is not the container's, or its death the container's OOM.
        self.assertNotIn(os.path.basename(cgroup), harness.read(f"/proc/{self.monitor_of(container_id)}/cgroup").strip().split("/"))

    def test_systemd_lets_our_cgroups_be(self):
        container_id = self.started("beside", resources=LIMITS)
        cgroup = self.cgroup_of(container_id)
        before = harness.read(f"{cgroup}/memory.max")
        # What makes systemd look at all its cgroups and their controllers anew.
        harness.run("systemctl", "daemon-reload")
        harness.run("systemd-run", "--wait", "--quiet", "-p", "MemoryMax=64M", "-p", "CPUQuota=50%", "-p", "TasksMax=20", "true")
        harness.run("systemctl", "daemon-reexec")
        wait("systemd to answer", lambda: harness.run("systemctl", "show", "-p", "Version", check=False).returncode == 0)
        self.assertEqual(self.cgroup_of(container_id), cgroup)
        self.assertEqual(harness.read(f"{cgroup}/memory.max"), before)
        self.assertEqual(self.runtime.exec(container_id, "echo", "lives").stdout, "lives\n")
        self.assertEqual(harness.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout, "")

    def test_oom_is_told_although_conmon_cannot(self):
        # The first process only waits: a child is killed, and the pod's cgroup tells of it until the container is gone.
        container_id = self.started("child", OOM_OF_A_CHILD, resources={"memory_limit_in_bytes": 32 << 20})
        state = lambda: self.runtime.inspect(container_id)["status"]
        wait("it to end", lambda: state()["state"] == "CONTAINER_EXITED", 60)
        self.assertEqual(state()["reason"], "OOMKilled", state())
        self.assertNotIn("survived", self.runtime.crictl("logs", container_id).stdout)


class PidsLimit(harness.NodeTest):
    CONFIG = {"podPidsLimit": 40}

    @classmethod
    def setUpClass(cls):
        if not UNIFIED:
            raise unittest.SkipTest("not a unified cgroup v2 host")
        super().setUpClass()

    def test_a_pod_cannot_take_all_processes(self):
        # The shell that cannot fork ends; the first one needs no process more.
        script = "mkfifo /tmp/never; (i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i + 1)); done) 2>&1; read x </tmp/never"
        self.node.apply(pod("forks", container("c", script)))
        self.node.wait_running("forks")
        self.node.wait_log("forks", "c", "can't fork")
        pid = self.node.pid_of("forks", "c")
        cgroup = os.path.dirname("/sys/fs/cgroup" + harness.read(f"/proc/{pid}/cgroup").strip().removeprefix("0::"))
        self.assertEqual(harness.read(f"{cgroup}/pids.max").strip(), "40")
        self.assertLessEqual(int(harness.read(f"{cgroup}/pids.current")), 40)


class CryptoSockets(UnifiedTest):
    """AF_ALG, which containerd's default denies since 2.2.4: on a kernel that has it, the filter alone decides."""

    ARGS = ["--default-profile", "containerd@2.2.4"]
    OUTCOME = "EPERM"

    def test_the_default_profile_decides(self):
        if not has_af_alg():
            self.skipTest("this kernel has no AF_ALG")
        self.assertEqual(self.runtime.probe(self.started("alg"), "af_alg"), {"af_alg": self.OUTCOME})


class CryptoSocketsBefore(CryptoSockets):
    ARGS = ["--default-profile", "containerd@1.7.13"]
    OUTCOME = "ok"


class Inotify(UnifiedTest):
    """conmon takes an instance for each container."""

    @staticmethod
    def instances(pid):
        links = []
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
            except OSError:
                pass
        return links.count("anon_inode:inotify")

    def set_limit(self, number):
        before = harness.read(INSTANCES)
        self.addCleanup(self.write_limit, before)
        self.write_limit(str(number))

    @staticmethod
    def write_limit(text):
        with open(INSTANCES, "w", encoding="ascii") as setting:
            setting.write(text)

    def test_conmon_takes_one(self):
        conmon = self.monitor_of(self.started("watched"))
        self.assertEqual(self.instances(conmon), 1)

    @unittest.skipUnless(OWN_MACHINE, "changes a setting of the whole machine")
    def test_too_few_are_told_at_start(self):
        told = r"fs\.inotify\.max_user_instances is {}, of which \d+ are taken: enough for \d+ containers"
        self.set_limit(100)
        self.runtime.stop()
        self.runtime.start()
        self.assertRegex(self.runtime.log_text(), told.format(100))
        setting = re.search(r"^fs\.inotify\.max_user_instances = (\d+)$",
                            harness.read(f"{harness.REPO}/deploy/sysctl.d/90-portcullis.conf"), re.MULTILINE)
        self.set_limit(setting.group(1))
        size = len(self.runtime.log_text())
        self.runtime.stop()
        self.runtime.start()
        self.assertNotIn("max_user_instances", self.runtime.log_text()[size:])

    @unittest.skipUnless(OWN_MACHINE, "changes a setting of the whole machine")
    def test_oom_is_told_when_conmon_has_none(self):
        self.set_limit(1)
        self.assertEqual(self.instances(self.monitor_of(self.started("other"))), 0)
        container_id = self.started("blind", OOM_OF_A_CHILD, resources={"memory_limit_in_bytes": 32 << 20})
        wait("it to end", lambda: self.runtime.inspect(container_id)["status"]["state"] == "CONTAINER_EXITED", 60)
        self.assertEqual(self.runtime.inspect(container_id)["status"]["reason"], "OOMKilled")


class AppArmor(UnifiedTest):
    PROFILE = "portcullis-e2e"
    TEXT = "profile portcullis-e2e flags=(attach_disconnected) {\n  file,\n  signal,\n  capability,\n  deny /etc/passwd w,\n}\n"

    def setUp(self):
        if not has_apparmor() or not OWN_MACHINE:
            self.skipTest("loads a profile into the kernel: needs AppArmor and a machine of its own")

    def confined_by(self, container_id):
        pid = self.runtime.inspect(container_id)["info"]["pid"]
        return harness.read(f"/proc/{pid}/attr/current").strip("\0\n")

    def test_a_profile_of_the_host_is_enforced(self):
        subprocess.run(["apparmor_parser", "-r"], input=self.TEXT, text=True, check=True, timeout=60)
        try:
            wanted = {"apparmor": {"profile_type": 2, "localhost_ref": self.PROFILE}}
            container_id = self.started("confined", security_context=wanted)
            self.assertEqual(self.confined_by(container_id), f"{self.PROFILE} (enforce)")
            refused = self.runtime.exec(container_id, "sh", "-c", "echo x >> /etc/passwd", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("Permission denied", refused.stderr)
            self.runtime.remove_pods()
        finally:
            subprocess.run(["apparmor_parser", "-R"], input=self.TEXT, text=True, check=True, timeout=60)

    def test_one_that_is_not_loaded_is_an_error(self):
        made = self.created("missing", security_context={"apparmor": {"profile_type": 2, "localhost_ref": "no-such-profile"}})
        problem = made.stderr or self.runtime.crictl("start", made.stdout.strip(), check=False).stderr
        self.assertRegex(problem, "(?i)apparmor")

    def test_the_default_profile_is_for_all_who_say_nothing_else(self):
        for name, context, profile in (("says-nothing", {}, "portcullis-default (enforce)"),
                                       ("default", {"apparmor": {"profile_type": 0}}, "portcullis-default (enforce)"),
                                       ("unconfined", {"apparmor": {"profile_type": 1}}, "unconfined"),
                                       ("privileged", {"privileged": True}, "unconfined")):
            with self.subTest(name):
                container_id = self.started(name, security_context=context)
                self.assertEqual(self.confined_by(container_id), profile)
                self.assertEqual(self.runtime.inspect(container_id)["info"].get("warnings") or [], [])
                said = self.runtime.exec(container_id, "cat", "/proc/self/attr/current").stdout.strip("\0\n")
                self.assertEqual(said, profile, "also of what is run in it")
        self.assertEqual(self.runtime.json("info")["info"]["apparmor"],
                         {"enabled": True, "defaultProfile": "portcullis-default"})

    def test_the_default_profile_is_enforced(self):
        """With all capabilities and without a seccomp filter, so that AppArmor alone is in the way."""
        may_all = {"capabilities": {"add_capabilities": ["ALL"]}, "seccomp": {"profile_type": 1},
                   "masked_paths": ["/proc/none"], "readonly_paths": ["/proc/none"]}
        tries = {"mount": "mount -t tmpfs none /tmp", "sysctl": "echo 1 > /proc/sys/kernel/sysrq",
                 "kcore": "dd if=/proc/kcore of=/dev/null bs=1 count=1", "own process": "echo 0 > /proc/self/oom_score_adj",
                 "file": "echo x > /tmp/file", "signal": "sleep 9 & kill -TERM $!", "network": "ping -c 1 -w 5 127.0.0.1"}
        expected = {"portcullis-default (enforce)": {"own process", "file", "signal", "network"}, "unconfined": set(tries)}
        for name, kind in (("held", 0), ("free", 1)):
            container_id = self.started(name, security_context={**may_all, "apparmor": {"profile_type": kind}})
            done = {what for what, script in tries.items()
                    if self.runtime.exec(container_id, "sh", "-c", script, check=False).returncode == 0}
            self.assertEqual(done, expected[self.confined_by(container_id)])


class AppArmorPods(unittest.TestCase):
    """appArmorProfile of static pods."""

    def test_of_static_pods(self):
        if not has_apparmor() or not OWN_MACHINE:
            self.skipTest("loads a profile into the kernel: needs AppArmor and a machine of its own")
        subprocess.run(["apparmor_parser", "-r"], input=AppArmor.TEXT, text=True, check=True, timeout=60)
        node = harness.Node()

        def close():
            problems = node.close()
            subprocess.run(["apparmor_parser", "-R"], input=AppArmor.TEXT, text=True, check=True, timeout=60)
            self.assertEqual(problems, [])

        self.addCleanup(close)
        node.start()
        localhost = {"appArmorProfile": {"type": "Localhost", "localhostProfile": AppArmor.PROFILE}}
        missing = {"appArmorProfile": {"type": "Localhost", "localhostProfile": "no-such-profile"}}
        node.apply(pod("armored", container("own", FOREVER, securityContext=localhost), container("says-nothing", FOREVER)),
                   pod("missing", container("c", FOREVER, securityContext=missing)))
        node.wait_running("armored")
        for name, profile in (("own", AppArmor.PROFILE), ("says-nothing", "portcullis-default")):
            self.assertEqual(harness.read(f"/proc/{node.pid_of('armored', name)}/attr/current").strip("\0\n"), f"{profile} (enforce)")
        status = node.wait_state("missing", "c", "waiting", "CreateContainerError")
        self.assertIn('AppArmor profile "no-such-profile" is not loaded on this host', status["state"]["waiting"]["message"])
