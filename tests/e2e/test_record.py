"""portcullis record: commands and containers, with what filters deny; eBPF and ptrace see the same."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import containerd
import harness
import machine_code
import traces
from harness import FOREVER, NODE_NAME, SLOW, SUITE, container, pod, run, seccomp, wait
from traces import Trace

BOTH = (["--recorder", "ebpf"], ["--recorder", "ptrace"])
EPERM, EACCES = 1, 13
AF_ALG, AF_NETLINK = 38, 16

SERVER = """
import os, signal, socket, sys
served = socket.create_server(("127.0.0.1", 0))
signal.signal(signal.SIGTERM, lambda *_: (os.getpgid(0), sys.exit(3)))
print(served.getsockname()[1], flush=True)
while True:
    peer = served.accept()[0]
    os.getsid(0)
    peer.close()
"""

class Scratch(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="rec-", dir=SUITE.scratch)
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = f"{self.dir}/trace.jsonl.gz"


class Commands(Scratch):
    @classmethod
    def setUpClass(cls):
        cls.bin = tempfile.mkdtemp(prefix="bin-", dir=SUITE.scratch)
        cls.addClassCleanup(shutil.rmtree, cls.bin)
        traces.compile_program(cls.bin, "calls")

    def record(self, *command, flags=(), status=0):
        done = run(SUITE.portcullis, "record", *flags, "-o", self.path, "--", *command, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return Trace(self.path)

    def test_a_denied_call_has_its_errno_and_arguments(self):
        for flags in BOTH:
            trace = self.record(f"{self.bin}/calls", "errno", flags=flags)
            self.assertEqual(trace.losses, [])
            denied = trace.find(syscall="socket")
            self.assertEqual({call["result"] for call in denied}, {"errno"})
            self.assertEqual({call["errno"] for call in denied}, {EACCES})
            self.assertEqual(sorted((call["args"]["0"], call["args"]["2"]) for call in denied),
                             [(AF_NETLINK, 9), (AF_ALG, 7)])
            self.assertEqual(denied[0]["executable"], f"{self.bin}/calls")

    def test_where_the_denied_call_came_from(self):
        call = self.record(f"{self.bin}/calls", "errno", flags=["--recorder", "ebpf"]).find(syscall="socket")[0]
        self.assertIn("/libc.so.6+0x", call["location"])
        self.assertTrue(call["symbol"].startswith("syscall+0x"), call)

    def test_traps_and_kills(self):
        for flags in BOTH:
            for what, result, status in (("trap", "trap", 0), ("kill", "killProcess", 128 + signal.SIGSYS),
                                         ("kill-thread", "killThread", 0)):
                trace = self.record(f"{self.bin}/calls", what, flags=flags, status=status)
                self.assertEqual({call["result"] for call in trace.find(syscall="getppid")}, {result}, what)
                self.assertEqual(trace.count(syscall="getppid"), 2 if what == "trap" else 1, what)

    def test_a_logged_call_is_told_or_said_to_be_hidden(self):
        """By the kernel program where the kernel has kprobes, else from the audit records; not under ptrace."""
        for flags in BOTH:
            trace = self.record(f"{self.bin}/calls", "log", flags=flags)
            hidden = any("SCMP_ACT_LOG" in what for what in trace.unseen)
            self.assertEqual({(call["result"], call["count"]) for call in trace.find(syscall="getppid")},
                             {("allowed" if hidden else "logged", 1)})
            self.assertEqual(hidden, trace.source == "ptrace", trace.unseen)

    def test_both_recorders_see_the_same(self):
        def essence(trace):
            return sorted((call["syscall"], call.get("result"), call.get("errno", 0), json.dumps(call.get("args")),
                           call["count"]) for call in trace.calls if call.get("executable", "").endswith("/calls"))

        seen = [essence(self.record(f"{self.bin}/calls", "errno", flags=flags)) for flags in BOTH]
        self.assertEqual(seen[0], seen[1])

    @unittest.skipUnless(machine_code.kernel_has_i386(), "this kernel has no 32-bit calls of x86")
    def test_32_bit_calls_are_named_right(self):
        traces.compile_program(self.bin, "i386")
        for flags in BOTH:
            for command in ([f"{self.bin}/calls", "int80"], [f"{self.bin}/i386"]):
                trace = self.record(*command, flags=flags)
                compat = trace.find(arch="SCMP_ARCH_X86")
                self.assertLessEqual({"socket", "getppid"}, {call["syscall"] for call in compat})
                self.assertEqual([call["args"] for call in compat if call["syscall"] == "socket"], [{"0": AF_ALG, "2": 7}])
                self.assertEqual(trace.find(arch="SCMP_ARCH_X86_64", syscall="socket"), [])

    def test_forks_threads_and_processes_that_live_briefly(self):
        for flags in BOTH:
            trace = self.record("sh", "-c", "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; exit 7", flags=flags,
                                status=7)
            self.assertEqual(trace.losses, [])
            true = os.path.realpath("/bin/true")
            self.assertEqual(trace.count(syscall="exit_group", executable=true), 100)
            self.assertEqual(trace.count(syscall="brk", executable=true) % 100, 0)
            trace = self.record(f"{self.bin}/calls", "threads", flags=flags)
            self.assertEqual(trace.count(syscall="getppid"), 8)

    def test_flags_of_clone(self):
        trace = self.record("unshare", "--user", "--map-root-user", "--fork", "true", flags=["--recorder", "ebpf"])
        self.assertTrue(trace.find(syscall="unshare"))
        clones = trace.find(syscall="clone", comm="unshare")
        self.assertTrue(clones and all(call["args"]["0"] & signal.SIGCHLD for call in clones), clones)

    def test_exit_status(self):
        for flags in BOTH:
            self.record("sh", "-c", "exit 42", flags=flags, status=42)
            self.record("sh", "-c", "kill -9 $$", flags=flags, status=137)
            done = run(SUITE.portcullis, "record", *flags, "--", "/nonexistent", check=False)
            self.assertEqual(done.returncode, 126)
            self.assertIn("cannot run /nonexistent: no such file or directory", done.stderr)
        for wrong in (["--pod", "x"], ["--for", "0s", "--", "true"], ["--from-start", "--", "true"], [],
                      ["--cgroup", "/", "--for", "1s"], ["--container-id", "zz", "--for", "1s"]):
            done = run(SUITE.portcullis, "record", *wrong, check=False)
            self.assertIn(done.returncode, (2, 125), wrong)

    def test_losses_make_it_incomplete(self):
        trace = self.record("ls", "/", flags=["--recorder", "ebpf", "--max-calls", "8"])
        self.assertLessEqual(len(trace.calls), 8)
        self.assertGreater(trace.losses[0]["count"], 0)
        self.assertIn("more distinct calls", trace.losses[0]["why"])
        shown = run(SUITE.portcullis, "evidence", "show", self.path, check=False)
        self.assertEqual(shown.returncode, 1)
        self.assertIn("INCOMPLETE", shown.stdout)

    def test_phases_of_a_server(self):
        for flags in BOTH:
            command = [SUITE.portcullis, "record", *flags, "-o", self.path, "--", "/usr/bin/python3", "-c", SERVER]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                port = int(process.stdout.readline())
                for _ in range(3):
                    run("/usr/bin/python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {port})).recv(1)")
                process.send_signal(signal.SIGTERM)  # passed on
                _, errors = process.communicate(timeout=60 * SLOW)
                self.assertEqual(process.returncode, 3, errors)
            trace = Trace(self.path)
            self.assertLessEqual({"init", "serving", "shutdown"}, trace.phases())
            self.assertEqual({call["phase"] for call in trace.find(syscall="listen")}, {"init"})
            self.assertEqual({call["phase"] for call in trace.find(syscall="getsid")}, {"serving"})
            self.assertEqual(trace.count(syscall="getsid"), 3)
            self.assertEqual({call["phase"] for call in trace.find(syscall="getpgid")}, {"shutdown"})

    def test_the_time_ends_the_recording_not_the_command(self):
        for flags in BOTH:
            trace = self.record("sh", "-c", "sleep 3; mkdir /nonexistent/x", flags=[*flags, "--for", "1s"], status=1)
            self.assertTrue(trace.find(comm="sleep"))
            self.assertFalse(trace.find(comm="mkdir"))


class Recorders:
    """Recorders beside `self.node`."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="rec-", dir=SUITE.scratch)
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = f"{self.dir}/trace.jsonl.gz"

    def start_recorder(self, *flags):
        """Returns when it is ready."""
        errors = f"{self.dir}/errors"
        with open(errors, "w", encoding="utf-8") as file:
            process = subprocess.Popen([SUITE.portcullis, "record", "-o", self.path, "--run-dir", self.node.run_dir,
                                        "--runtime-endpoint", "unix://" + self.node.socket, *flags],
                                       stdout=subprocess.DEVNULL, stderr=file)
        self.addCleanup(self.end, process)

        def ready():
            self.assertIsNone(process.poll(), harness.read(errors))
            return "record: ready" in harness.read(errors)

        wait("the recorder to be ready", ready)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def finish(self, process, status=0):
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30 * SLOW), status, harness.read(f"{self.dir}/errors"))
        return Trace(self.path)

    def sockets(self):
        folder = f"{self.node.run_dir}/recorders"
        return os.listdir(folder) if os.path.exists(folder) else []

class Containers(Recorders, harness.NodeTest):
    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def test_a_running_pod_and_what_is_executed_in_it(self):
        self.node.apply(pod("loop", container("c", "while :; do mount -t tmpfs x /mnt; sleep 0.2; done")),
                        pod("other", container("c", "while :; do mkdir /tmp/d; rmdir /tmp/d; sleep 0.2; done")))
        self.node.wait_running("loop")
        self.node.wait_running("other")
        recorder = self.start_recorder("--pod", f"default/loop-{NODE_NAME}", "--container", "c")
        found = self.node.id_of("loop", "c")
        self.node.exec(found, "sleep", "1")  # some rounds of the loop
        self.node.exec(found, "cat", "/etc/passwd")
        trace = self.finish(recorder)
        self.assertEqual(trace.losses, [])
        self.assertEqual(len(trace.workloads), 1)
        workload = trace.workloads[0]
        self.assertEqual((workload["namespace"], workload["pod"], workload["container"], workload["containerID"]),
                         ("default", f"loop-{NODE_NAME}", "c", found))
        mounts = trace.find(syscall="mount")
        self.assertTrue(mounts)
        self.assertEqual({(call["result"], call["errno"]) for call in mounts}, {("errno", EPERM)})
        self.assertNotIn("exec", {call["phase"] for call in mounts})
        cats = trace.find(comm="cat")
        self.assertEqual({call["phase"] for call in cats}, {"exec"})
        self.assertFalse(trace.find(syscall="mkdir"))
        # What the OCI runtime does to get into the container, before it loads the filter, is not the workload's.
        self.assertFalse(trace.find(syscall="setns"))
        self.assertFalse(trace.find(syscall="mount", phase="exec"))

    def test_a_pod_from_its_first_instruction_to_its_last(self):
        name = "first"
        recorder = self.start_recorder("--pod", f"default/{name}-{NODE_NAME}", "--from-start")
        self.assertEqual(len(self.sockets()), 1)
        manifest = pod(name, container("a", "mkdir /tmp/early; " + FOREVER),
                       container("b", image=harness.BUSYBOX, command=["sh", "-c", "trap 'rmdir /tmp; exit' TERM; " + FOREVER]))
        self.node.apply(manifest, pod("bystander", container("c", "ln -s a /tmp/b; " + FOREVER)))
        self.node.wait_running(name)
        self.node.wait_running("bystander")
        spec = self.node.pod(name)["spec"]
        self.assertEqual([c["command"] for c in spec["containers"]], [c["command"] for c in manifest["spec"]["containers"]])
        ids = {c: self.node.id_of(name, c) for c in ("a", "b")}
        self.node.remove(name)
        self.node.wait_gone(name)
        trace = self.finish(recorder)
        self.assertEqual(trace.losses, [])
        self.assertEqual({w["container"]: w["containerID"] for w in trace.workloads}, ids)
        self.assertFalse(trace.find(syscall="symlink"))
        for workload, made in enumerate(trace.workloads):
            # The kernel's first call of a program comes behind execve, which the OCI runtime makes.
            self.assertEqual(trace.count(workload=workload, phase="runtimeStart", syscall="execve", result="allowed"), 1, made)
            self.assertTrue(trace.find(workload=workload, phase="init", comm="sh"), made)
            self.assertTrue(trace.find(workload=workload, phase="shutdown"), made)
        early = [call for call in trace.calls if call["syscall"].startswith("mkdir")]
        self.assertEqual({call["phase"] for call in early}, {"init"})
        late = [call for call in trace.calls if call["syscall"] in ("rmdir", "unlinkat")]
        self.assertEqual({call["phase"] for call in late}, {"shutdown"})
        self.assertEqual(self.sockets(), [])

    def test_by_id_and_by_cgroup(self):
        self.node.apply(pod("ids", container("c", "while :; do chroot /tmp true; sleep 0.2; done")))
        self.node.wait_running("ids")
        found = self.node.id_of("ids", "c")
        cgroup = next(line.split(":", 2)[2] for line in harness.read(f"/proc/{self.node.pid_of('ids', 'c')}/cgroup").splitlines()
                      if found in line)
        for flags in (["--container-id", found[:12]], ["--cgroup", cgroup]):
            recorder = self.start_recorder(*flags, "--for", "2s")
            self.assertEqual(recorder.wait(60 * SLOW), 0)
            trace = Trace(self.path)
            self.assertEqual(trace.workloads[0]["containerID"], found)
            self.assertTrue(trace.find(syscall="chroot"), flags)
        missing = run(SUITE.portcullis, "record", "--container-id", "0" * 12, "--for", "1s", check=False)
        self.assertEqual(missing.returncode, 2)
        self.assertIn("no process is in a container 000000000000", missing.stderr)

    def test_a_recorder_that_dies_or_hangs_stops_nobody(self):
        recorder = self.start_recorder("--pod", f"default/later-{NODE_NAME}", "--from-start")
        recorder.send_signal(signal.SIGSTOP)
        self.node.apply(pod("later", container("c", FOREVER)))
        self.node.wait_running("later")
        self.assertIn("a recorder was not told of a container", self.node.log_text())
        recorder.send_signal(signal.SIGCONT)
        wait("the recorder to see that it was late", lambda: "recording default/later" in harness.read(f"{self.dir}/errors"))
        trace = self.finish(recorder, status=1)
        self.assertIn("did not wait for the recorder", trace.losses[0]["why"])
        recorder = self.start_recorder("--pod", "default/never", "--from-start")
        recorder.kill()
        recorder.wait()
        self.assertEqual(len(self.sockets()), 1)
        self.node.apply(pod("after", container("c", FOREVER)))
        self.node.wait_running("after")
        self.assertEqual(self.sockets(), [])

    def test_kills_and_logged_calls_of_containers(self):
        """Whoever tells of them, the kernel program or the audit records: each once."""
        kill = {"names": ["chroot"], "action": "SCMP_ACT_KILL_PROCESS"}
        log = {"names": ["mkdir"], "action": "SCMP_ACT_LOG"}
        self.node.profile("kills.json", {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [kill, log]})
        recorder = self.start_recorder("--pod", f"default/killed-{NODE_NAME}", "--from-start")
        script = "mkdir /tmp/a; for i in 1 2 3; do chroot / true; done; mkdir /tmp/b; echo done; " + FOREVER
        self.node.apply(pod("killed", container("c", script, securityContext=seccomp("Localhost", "kills.json"))),
                        pod("bystander", container("c", script, securityContext=seccomp("Localhost", "kills.json"))))
        for name in ("killed", "bystander"):
            self.node.wait_running(name)
            self.node.wait_log(name, "c", "done")
        trace = self.finish(recorder)
        self.assertEqual(trace.losses, [])
        self.assertEqual([call["result"] for call in trace.find(syscall="chroot")], ["killProcess"])
        self.assertEqual(trace.count(syscall="chroot"), 3)
        self.assertEqual({call["result"] for call in trace.find(syscall="mkdir")}, {"logged"})
        self.assertEqual(trace.count(syscall="mkdir"), 2)
        self.assertFalse([what for what in trace.unseen if "SCMP_ACT" in what])

    def test_a_container_whose_recording_lost_calls_is_never_safe(self):
        """From the kernel's full map to every verb that judges."""
        self.node.apply(pod("lossy", container("c", "while :; do ls /; sleep 0.2; done")))
        self.node.wait_running("lossy")
        pod_name = f"default/lossy-{NODE_NAME}"
        whole = f"{self.dir}/whole.jsonl.gz"
        self.finish(self.start_recorder("--pod", pod_name, "--for", "1h"))
        os.rename(self.path, whole)
        recorder = self.start_recorder("--pod", pod_name, "--max-calls", "8")
        self.node.exec(self.node.id_of("lossy", "c"), "sleep", "1")  # some rounds of the loop
        trace = self.finish(recorder, status=1)
        self.assertIn("more distinct calls", trace.losses[0]["why"])
        merged = f"{self.dir}/merged.jsonl.gz"
        for words in (["evidence", "show", self.path], ["evidence", "merge", whole, self.path, "-o", merged]):
            done = run(SUITE.portcullis, *words, check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("INCOMPLETE", done.stdout)
        self.assertEqual(run(SUITE.portcullis, "evidence", "show", whole).returncode, 0)
        for path in (self.path, merged):
            done = run(SUITE.portcullis, "preflight", "--evidence", path, "--runtime", "containerd@2.2.4", "--min-duration", "0",
                       "--accept", "phases,duration,unseen,allowed", "-o", "json", check=False)
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            verdict = json.loads(done.stdout)["containers"][0]
            self.assertEqual((verdict["name"], verdict["verdict"]), (f"{pod_name}/c", "incomplete"))
            self.assertIn("losses", [gap["kind"] for gap in verdict["missing"]])

    def test_nothing_seen_is_not_complete(self):
        trace = self.finish(self.start_recorder("--pod", "default/never", "--from-start"), status=1)
        self.assertEqual(trace.calls, [])
        self.assertEqual(trace.losses[0]["why"], "no container was seen to start")
        self.assertEqual(run(SUITE.portcullis, "record", "--pod", "default/never", "--runtime-endpoint",
                             "unix://" + self.node.socket, check=False).returncode, 2)


class ContainersOfContainerd(Recorders, containerd.ContainerdNodeTest):
    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def test_its_pods_and_containers(self):
        self.node.apply(pod("peer", container("c", "while :; do mount -t tmpfs x /mnt; sleep 0.2; done")))
        self.node.wait_running("peer")
        found = self.node.id_of("peer", "c")
        for flags in (["--pod", f"default/peer-{NODE_NAME}"], ["--container-id", found[:12]]):
            recorder = self.start_recorder(*flags)
            self.node.exec(found, "sleep", "1")  # some rounds of the loop
            self.node.exec(found, "cat", "/etc/passwd")
            trace = self.finish(recorder)
            self.assertEqual(trace.losses, [])
            self.assertEqual([workload["containerID"] for workload in trace.workloads], [found])
            self.assertEqual({(call["result"], call["errno"]) for call in trace.find(syscall="mount")}, {("errno", EPERM)})
            self.assertFalse(trace.find(syscall="mount", phase="exec"))
            self.assertEqual({call["phase"] for call in trace.find(comm="cat")}, {"exec"})
            self.assertFalse(trace.find(syscall="setns"))
