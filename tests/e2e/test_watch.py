"""portcullis evidence watch beside real containers: whose a record is, whatever runtime made the container and however
briefly its processes live; beside an audit daemon and in namespaces of its own; and what a watch of weeks needs."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import containerd
import harness
import traces
from harness import FOREVER, NODE_NAME, SLOW, SUITE, container, pod, run, seccomp, wait
from traces import Trace

MANY = 2000
# Each round is a program of its own, which makes one call of those that are logged.
LOOP = f"i=0; while [ $i -lt {MANY} ]; do /bin/busybox mkdir /tmp 2>/dev/null; i=$((i+1)); done; echo all; "


def profile(action, name, **more):
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [name], "action": action, **more}]}


LOGS = profile("SCMP_ACT_LOG", "mkdir")
DENIES = {**profile("SCMP_ACT_ERRNO", "chroot", errnoRet=1), "flags": ["SECCOMP_FILTER_FLAG_LOG"]}
KILLS = profile("SCMP_ACT_KILL_PROCESS", "chroot")


class Watch:
    """A `portcullis evidence watch` of one test; `before`: words in front of the command."""

    def __init__(self, test, path, *flags, before=()):
        self.path = path
        self.errors = f"{test.dir}/said-{next(SUITE.numbers)}"  # not beside the trace: its disk may be full
        with open(self.errors, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen([*before, SUITE.portcullis, "evidence", "watch", "-o", path, *flags],
                                            stdout=subprocess.DEVNULL, stderr=file)
        test.addCleanup(self.kill)

        def ready():
            test.assertIsNone(self.process.poll(), self.said())
            return "watching seccomp records" in self.said()

        wait("the watch to begin", ready)

    def said(self):
        return harness.read(self.errors)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends it by SIGTERM: all that was called before is in its trace."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60 * SLOW)
        trace = Trace(self.path)
        if code != (1 if trace.losses else 0):
            raise AssertionError(f"evidence watch ended with {code}: {self.said()}")
        return trace


def counts(trace, **workload):
    """Calls of the workloads that have these fields: {(syscall, result): count}."""
    found = {}
    for call in trace.calls:
        whose = trace.workloads[call["workload"]]
        if all(whose.get(name) == value for name, value in workload.items()):
            key = (call["syscall"], call["result"])
            found[key] = found.get(key, 0) + call["count"]
    return found


class Scratch(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="watch-", dir=SUITE.scratch)
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = f"{self.dir}/trace.jsonl.gz"


class Pods:
    """Tests for whatever runtime is behind `self.node`."""

    TAKES_FLAGS = True  # SECCOMP_FILTER_FLAG_LOG

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="watch-", dir=SUITE.scratch)
        self.addCleanup(shutil.rmtree, self.dir)
        for name, content in (("logs", LOGS), ("denies", DENIES), ("kills", KILLS)):
            self.node.profile(f"{name}.json", content)

    def watch(self, *flags, **more):
        return Watch(self, f"{self.dir}/trace.jsonl.gz", "-r", "unix://" + self.node.socket, *flags, **more)

    @staticmethod
    def under(name, one, script, **spec):
        """A pod whose containers run `script` under the profile."""
        return pod(name, *[container(c, script, securityContext=seccomp("Localhost", f"{one}.json"))
                           for c in spec.pop("names", ["c"])], **spec)

    def test_denied_killed_and_logged_calls_have_their_pod(self):
        watch = self.watch()
        made = {"denied": ("denies", "chroot / true", ("chroot", "errno")), "killed": ("kills", "chroot / true", ("chroot", "killProcess")),
                "logged": ("logs", "mkdir /tmp/a", ("mkdir", "logged"))}
        if not self.TAKES_FLAGS:
            del made["denied"]
        self.node.apply(*[self.under(name, one, f"{script}; echo done; {FOREVER}", names=["a", "b"])
                          for name, (one, script, _) in made.items()])
        ids = {}
        for name in made:
            self.node.wait_running(name)
            for c in ("a", "b"):
                self.node.wait_log(name, c, "done")
                ids[name, c] = self.node.id_of(name, c)
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        for (name, c), container_id in ids.items():
            got = counts(trace, namespace="default", pod=f"{name}-{NODE_NAME}", container=c, containerID=container_id)
            self.assertEqual(got.get(made[name][2]), 1, f"{name}/{c}: {trace.workloads}")

    def test_thousands_of_processes_that_live_briefly(self):
        """Two pods at once, so that a record could go to the wrong one."""
        watch = self.watch()
        names = ("loop", "ring")
        self.node.apply(*[self.under(name, "logs", LOOP + FOREVER) for name in names])
        for name in names:
            self.node.wait_running(name)
            self.node.wait_log(name, "c", "all", timeout=120)
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        for name in names:
            self.assertEqual(counts(trace, pod=f"{name}-{NODE_NAME}", container="c").get(("mkdir", "logged")), MANY)

    def test_containers_that_live_briefly(self):
        watch = self.watch()
        names = [f"brief{n}" for n in range(5)]
        one = container("c", image=harness.BUSYBOX, command=["mkdir", "/tmp/x"], securityContext=seccomp("Localhost", "logs.json"))
        self.node.apply(*[pod(name, one, restartPolicy="Never") for name in names])
        for name in names:
            self.node.wait_state(name, "c", "terminated")
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        for name in names:
            self.assertEqual(counts(trace, pod=f"{name}-{NODE_NAME}").get(("mkdir", "logged")), 1, trace.workloads)

    def test_what_is_executed_in_a_container(self):
        self.node.apply(self.under("entered", "logs", FOREVER))
        self.node.wait_running("entered")
        found = self.node.id_of("entered", "c")
        watch = self.watch()
        for number in range(10):
            self.node.exec(found, "mkdir", f"/tmp/{number}")
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        self.assertEqual(counts(trace, container="c", containerID=found).get(("mkdir", "logged")), 10, trace.workloads)

    def test_a_deleted_pod_keeps_its_name(self):
        watch = self.watch()
        script = "mkdir /tmp/a; trap 'mkdir /tmp/b; mkdir /tmp/c; exit' TERM; echo up; " + FOREVER
        self.node.apply(self.under("goes", "logs", script))
        self.node.wait_running("goes")
        self.node.wait_log("goes", "c", "up")
        self.node.remove("goes")
        self.node.wait_gone("goes")
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        self.assertEqual(counts(trace, namespace="default", pod=f"goes-{NODE_NAME}", container="c").get(("mkdir", "logged")), 3)


class OwnNode(Pods, harness.NodeTest):
    def test_after_a_restart_a_pod_that_is_gone_has_its_name(self):
        """The second watch knows the container from the trace of the first."""
        self.node.apply(self.under("stays", "logs", "mkdir /tmp/a; echo up; " + FOREVER))
        self.node.wait_running("stays")
        found = self.node.id_of("stays", "c")
        first = self.watch()
        self.node.exec(found, "mkdir", "/tmp/b")
        first.finish()
        nobody = Watch(self, first.path, before=["env", f"CONTAINER_RUNTIME_ENDPOINT=unix://{self.dir}/nobody.sock"])
        self.node.exec(found, "mkdir", "/tmp/c")
        trace = nobody.finish()
        self.assertEqual(counts(trace, pod=f"stays-{NODE_NAME}", containerID=found).get(("mkdir", "logged")), 2, trace.workloads)


class OfContainerd(Pods, containerd.ContainerdNodeTest):
    TAKES_FLAGS = False  # Debian's runc refuses such profiles


@unittest.skipUnless(shutil.which("podman"), "podman is not installed")
class Podman(Scratch):
    """Its containers have no pod; the id is in the cgroup's name (libpod-ID, as CRI-O's crio-ID)."""

    def setUp(self):
        super().setUp()
        self.cgroup = SUITE.cgroup(next(SUITE.numbers))
        self.addCleanup(self.remove)
        for folder in ("bin", "tmp", "proc", "sys", "dev", "etc"):
            os.makedirs(f"{self.dir}/rootfs/{folder}")
        shutil.copy(f"{SUITE.build}/images/busybox", f"{self.dir}/rootfs/bin/busybox")
        for name in ("sh", "mkdir", "chroot", "true"):
            os.symlink("busybox", f"{self.dir}/rootfs/bin/{name}")

    def podman(self, *words, check=True):
        return run("podman", "--root", f"{self.dir}/root", "--runroot", f"{self.dir}/run", "--tmpdir", f"{self.dir}/tmp",
                   "--cgroup-manager", "cgroupfs", "--runtime", "crun" if harness.UNIFIED else "runc", "--storage-driver", "vfs",
                   "--events-backend", "none", *words, check=check, timeout=120)

    def remove(self):
        self.podman("rm", "-f", "-a", check=False)
        for top in [path for path in SUITE.cgroups() if path.endswith(self.cgroup)]:
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)

    def run_container(self, content, script):
        """The container's id; it has ended."""
        name = f"c{next(SUITE.numbers)}"
        rules = harness.write(f"{self.dir}/{name}.json", content)
        # The limits that podman asks for by itself are higher than some hosts allow.
        self.podman("create", "--name", name, "--cgroup-parent", self.cgroup, "--network", "none", "--log-driver", "k8s-file",
                    "--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000", "--security-opt", f"seccomp={rules}",
                    "--rootfs", f"{self.dir}/rootfs", "sh", "-c", script)
        found = self.podman("inspect", "--format", "{{.Id}}", name).stdout.strip()
        done = self.podman("start", "-a", name, check=False)
        self.assertIn("all", done.stdout, done.stderr)
        return found

    def test_records_have_the_containers_id(self):
        watch = Watch(self, self.path)
        killed = self.run_container(KILLS, "chroot / true; echo all")
        logged = self.run_container(LOGS, LOOP + ":")
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        self.assertEqual(counts(trace, containerID=killed), {("chroot", "killProcess"): 1})
        self.assertEqual(counts(trace, containerID=logged), {("mkdir", "logged"): MANY})


class Surroundings(Scratch):
    """Where the watch itself runs."""

    def setUp(self):
        super().setUp()
        self.program = traces.compile_program(self.dir, "calls")

    def mine(self, trace):
        return sum(call["count"] for call in trace.calls if call.get("executable") == self.program)

    @unittest.skipUnless(shutil.which("auditd"), "auditd is not installed")
    def test_beside_an_audit_daemon(self):
        with open("/etc/audit/auditd.conf", encoding="utf-8") as file:
            lines = [line for line in file if line.split("=")[0].strip() not in ("log_file", "plugin_dir", "log_group", "flush")]
        log = f"{self.dir}/log/audit.log"
        for folder in ("log", "plugins.d"):
            os.makedirs(f"{self.dir}/{folder}", mode=0o700)
        config = harness.write(f"{self.dir}/auditd.conf", "".join(lines) + f"log_file = {log}\nplugin_dir = {self.dir}/plugins.d\n"
                               "log_group = root\nflush = none\n")
        os.chmod(config, 0o640)
        with open(f"{self.dir}/auditd.out", "w", encoding="utf-8") as out:
            daemon = subprocess.Popen(["auditd", "-n", "-s", "nochange", "-c", self.dir], stdout=out, stderr=out)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        wait("the daemon to have the kernel's records",
             lambda: f"pid {daemon.pid}" in run("auditctl", "-s").stdout.splitlines(), explain=lambda: harness.read(f"{self.dir}/auditd.out"))
        watch = Watch(self, self.path)
        run(self.program, "children")
        trace = watch.finish()
        self.assertEqual(trace.losses, [])
        self.assertEqual(self.mine(trace), 1000)

        def logged():
            done = run(SUITE.portcullis, "evidence", "log", log, "-o", f"{self.dir}/log.jsonl", check=False)
            return done.returncode in (0, 1) and self.mine(Trace(f"{self.dir}/log.jsonl")) == 1000

        wait("the daemon's own log to say the same", logged)

    def test_in_another_network_namespace(self):
        """No audit records arrive there: the kernel's log is read, and that is said."""
        watch = Watch(self, self.path, before=["unshare", "--net"])
        run(self.program, "log")
        wait("the record in the kernel's log", lambda: self.program in run("dmesg").stdout)
        trace = watch.finish()
        self.assertIn("reading the kernel's log", watch.said())
        self.assertEqual(trace.source, "kmsg-live")
        refused = run("unshare", "--net", SUITE.portcullis, "evidence", "watch", "--source", "audit", "--for", "1s", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("live audit records", refused.stderr)

    def test_without_process_events(self):
        """The kernel sends none into another pid namespace. Whose the brief ones were is then not known, and a loss."""
        watch = Watch(self, self.path, before=["unshare", "--pid", "--fork", "--kill-child"])
        self.assertIn("processes that end at once have no container", watch.said())
        run(self.program, "children")
        watch_pid = run("pgrep", "-P", str(watch.process.pid)).stdout.split()[0]
        os.kill(int(watch_pid), signal.SIGTERM)
        self.assertEqual(watch.process.wait(60 * SLOW), 1, watch.said())
        trace = Trace(self.path)
        self.assertEqual(self.mine(trace), 1000)
        self.assertEqual({loss["where"] for loss in trace.losses}, {"attribution"})
        unknown = sum(call["count"] for call in trace.calls if set(trace.workloads[call["workload"]]) == {"workload"})
        self.assertGreater(unknown, 0)
        self.assertEqual(sum(loss["count"] for loss in trace.losses), unknown)


class LongWatch(Scratch):
    """What a watch that runs for weeks must do."""

    def setUp(self):
        super().setUp()
        self.program = traces.compile_program(self.dir, "calls")

    @staticmethod
    def lost(trace):
        """But for processes of this host that ended before anybody could look: those of no container may be so brief."""
        return [loss for loss in trace.losses if loss["where"] != "attribution"]

    def names(self, trace):
        return [call for call in trace.calls if call.get("executable") == self.program]

    def test_memory_is_bounded(self):
        watch = Watch(self, self.path, "--max-calls", "1000")
        run(self.program, "names")
        before = None
        for _ in range(2):
            wait("the watch to have read them", lambda: int(harness.kernel_field(watch.process.pid, "VmRSS")) > 0)
            before = before or int(harness.kernel_field(watch.process.pid, "VmRSS"))
            run(self.program, "names")
        after = int(harness.kernel_field(watch.process.pid, "VmRSS"))
        trace = watch.finish()
        self.assertLess(after, before + 8192, "KiB")
        self.assertEqual(len(trace.calls), 1000)
        lost = self.lost(trace)
        self.assertEqual(len(lost), 1)
        self.assertIn("more than 1000 distinct calls", lost[0]["why"])
        self.assertGreaterEqual(sum(call["count"] for call in self.names(trace)) + lost[0]["count"], 15000)

    def test_a_reader_never_sees_half_a_file(self):
        watch = Watch(self, self.path, "--every", "1ms")
        reads = 0
        with subprocess.Popen([self.program, "names"]) as program:
            while program.poll() is None or reads == 0:
                if os.path.exists(self.path):
                    shown = run(SUITE.portcullis, "evidence", "show", "--rows", "1", self.path, check=False)
                    self.assertEqual(shown.returncode, 1, shown.stderr)  # INCOMPLETE: it has no end yet
                    self.assertIn("INCOMPLETE", shown.stdout)
                    reads += 1
        trace = watch.finish()
        self.assertEqual(sum(call["count"] for call in self.names(trace)), 5000)
        self.assertEqual(run(SUITE.portcullis, "evidence", "show", "--rows", "1", self.path).returncode, 0)

    def test_a_restart_goes_on(self):
        for times in (1, 2):
            watch = Watch(self, self.path)
            run(self.program, "log")
            trace = watch.finish()
            self.assertEqual(sum(call["count"] for call in self.names(trace)), times)
            self.assertEqual(self.lost(trace), [])
        self.assertIn("going on with", watch.said())

    def test_what_was_killed_is_gone_on_with_and_said(self):
        watch = Watch(self, self.path, "--every", "10ms")
        run(self.program, "log")
        wait("the record to be in the file", lambda: os.path.exists(self.path) and self.names(Trace(self.path)))
        watch.kill()
        harness.write(f"{self.path}.new-0123abcd", "as it is left when the kill comes while it writes")
        again = Watch(self, self.path)
        run(self.program, "log")
        trace = again.finish()
        self.assertEqual(sum(call["count"] for call in self.names(trace)), 2)
        self.assertEqual([loss["where"] for loss in self.lost(trace)], ["watch"])
        self.assertEqual([name for name in os.listdir(self.dir) if ".new-" in name], [])

    def test_a_file_of_another_kind_is_left_alone(self):
        precious = harness.write(f"{self.dir}/precious", "not a trace\n")
        done = run(SUITE.portcullis, "evidence", "watch", "-o", precious, "--for", "1s", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be gone on with", done.stderr)
        self.assertEqual(harness.read(precious), "not a trace\n")

    def test_a_full_disk_does_not_end_it(self):
        folder = f"{self.dir}/full"
        os.mkdir(folder)
        run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder)
        self.addCleanup(run, "umount", folder)
        filler = f"{folder}/filler"
        with open(filler, "wb") as file:
            try:
                file.write(b"x" * 65536)
                file.flush()
            except OSError:
                pass
        watch = Watch(self, f"{folder}/trace.jsonl", "--every", "10ms")
        run(self.program, "log")
        wait("the watch to say that it cannot write", lambda: "trying again" in watch.said())
        os.remove(filler)
        wait("the trace", lambda: self.names(Trace(watch.path)))
        self.assertEqual(self.lost(watch.finish()), [])
