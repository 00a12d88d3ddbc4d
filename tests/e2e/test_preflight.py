"""Preflight's verdicts beside what really happens: each call and program is run without a profile, the verdict is asked for,
and then it is run under the real filter."""

import contextlib
import errno
import glob
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import unittest
import xml.etree.ElementTree

import harness
from harness import FOREVER, SUITE, container, pod, seccomp
from machine_code import kernel_has_i386

GATE = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]
SOURCE = os.path.join(harness.REPO, "tests", "e2e", "denied_calls.c")
PROGRAM = "/denied/denied-calls"
I386 = "40000003"  # AUDIT_ARCH_I386
TIMES = {"first": "2026-11-25T08:00:00Z", "last": "2026-11-25T09:00:00Z"}
EXIT_CODES = {"notAffected": 0, "safe": 0, "tolerated": 0, "incomplete": 3, "breaks": 1}


def program_folder():
    """Where denied-calls is; made once."""
    folder = f"{SUITE.scratch}/denied"
    if not os.path.exists(f"{folder}/denied-calls"):
        os.makedirs(folder, exist_ok=True)
        ready = f"{SUITE.build}/bin/denied-calls"  # where there is no compiler: in the guest of scripts/vm-test
        if os.path.exists(ready):
            shutil.copy(ready, folder)
            return folder
        harness.run("cc", "-static", "-no-pie", "-O1", "-Wall", "-Werror", "-o", f"{folder}/denied-calls", SOURCE, "-lpthread")
    return folder


def program_pod(name, *args, **context):
    """A pod whose container runs denied-calls once."""
    one = container("c", command=[PROGRAM, *args], volumeMounts=[{"name": "denied", "mountPath": "/denied", "readOnly": True}])
    if context:
        one["securityContext"] = context
    return pod(name, one, restartPolicy="Never", volumes=[{"name": "denied", "hostPath": {"path": program_folder()}}])


def run_program(node, name, *args, **context):
    """Exit code and output of denied-calls in a container of the node."""
    node.apply(program_pod(name, *args, **context))
    status = node.wait_state(name, "c", "terminated")
    return status["state"]["terminated"]["exitCode"], node.wait_log(name, "c", "")


def calls_of(node, name, **context):
    """What each call got there: {"mbind": {"auditArch", "number", "args", "errno"}}."""
    code, log = run_program(node, name, "calls", **context)
    assert code == 0, log
    calls = map(json.loads, log.splitlines())
    return {one["name"]: one for one in calls if one["auditArch"] != I386 or kernel_has_i386()}


def call_line(workload, one, phase="serving", executable=PROGRAM):
    line = {"workload": workload, "auditArch": one["auditArch"], "number": one["number"], "executable": executable,
            "phase": phase, "count": 1, **TIMES}
    if one.get("args"):
        line["args"] = one["args"]
    if one["errno"]:
        return {**line, "result": "errno", "errno": one["errno"]}
    return {**line, "result": "allowed"}


def write_trace(path, workload, calls, losses=()):
    """A trace of one whole life of one container, in which `calls` were made."""
    lines = [{"portcullisTrace": 1, "source": "test"}, {"workload": 0, **workload}]
    exit_group = {"auditArch": "c000003e", "number": 231, "errno": 0}
    lines += [call_line(0, exit_group, phase) for phase in ("init", "serving", "shutdown")]
    lines += [call_line(0, one) for one in calls]
    lines.append({"end": {"losses": list(losses), "unseen": []}})
    return harness.write(path, "".join(json.dumps(line) + "\n" for line in lines))


def preflight(*args, expect=None):
    done = harness.run(SUITE.portcullis, "preflight", *args, check=False)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"preflight {args}: exit code {done.returncode}, not {expect}\n{done.stdout}{done.stderr}")
    return done


def verdict_of(*args):
    """The only container of the answer."""
    done = preflight(*args, "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == report["exitCode"] == EXIT_CODES[report["worst"]], done.stdout
    assert len(report["containers"]) == 1, done.stdout
    return report["containers"][0]


@unittest.skipUnless(platform.machine() == "x86_64", "denied_calls.c makes a 32-bit call of x86")
class NextRelease(unittest.TestCase):
    """containerd 2.2.3 allows AF_ALG, 2.2.4 denies it. A program is recorded under the one, the upgrade is judged, and then it
    runs under the other. A kernel without AF_ALG says EAFNOSUPPORT where a filter allows it; that of scripts/vm-test has it."""

    BEFORE, AFTER = "containerd@2.2.3", "containerd@2.2.4"

    def run_under(self, profile, trace=None):
        """What each call got; with `trace`, the container is recorded from its first instruction to its end."""
        node = harness.Node(*GATE, "--default-profile", profile)
        recorder = None
        try:
            node.start()
            if trace:
                said = f"{node.dir}/recorder"
                with open(said, "w", encoding="utf-8") as errors:
                    recorder = subprocess.Popen([SUITE.portcullis, "record", "-o", trace, "--run-dir", node.run_dir, "--pod",
                                                 f"default/calls-{harness.NODE_NAME}", "--from-start"],
                                                stdout=subprocess.DEVNULL, stderr=errors)
                harness.wait("the recorder to be ready", lambda: "record: ready" in harness.read(said))
            calls = calls_of(node, "calls")
            if recorder:
                recorder.send_signal(signal.SIGINT)
                self.assertEqual(recorder.wait(60 * harness.SLOW), 0, harness.read(said))
            return calls
        finally:
            if recorder and recorder.poll() is None:
                recorder.kill()
                recorder.wait()
            self.assertEqual(node.close(), [])

    def test_an_upgrade_foretold_from_a_recording_and_then_made(self):
        folder = f"{SUITE.scratch}/next-release"
        os.makedirs(folder, exist_ok=True)
        trace = f"{folder}/calls.jsonl.gz"
        before = self.run_under(self.BEFORE, trace)
        self.assertIn(before["af_alg"]["errno"], (0, errno.EAFNOSUPPORT))
        manifest = harness.write(f"{folder}/calls.json", program_pod("calls", "calls"))
        asked = ["--evidence", trace, manifest, "--min-duration", "0", "--accept", "phases"]
        verdict = verdict_of(*asked, "--from", self.BEFORE, "--to", self.AFTER)
        found = [finding for finding in verdict["findings"] if finding["effect"] != "none"]
        self.assertEqual([(finding["syscall"], finding["args"]["0"], finding["errno"], finding["certain"]) for finding in found],
                         [("socket", socket.AF_ALG, "EPERM", True)])
        # Who asks for the kernel's cryptography computes for itself without it; this program only tells the errno.
        self.assertEqual((verdict["verdict"], found[0]["known"]["name"]), ("tolerated", "af-alg"))
        after = self.run_under(self.AFTER)
        self.assertEqual(after["af_alg"]["errno"], errno.EPERM)
        changed = {name for name, one in after.items() if one.get("errno") != before[name].get("errno")}
        self.assertEqual(changed, {"af_alg"})
        # The rest is denied by both, as the recording has it: nothing that the switch would change any more.
        denied = {name for name in after if after[name].get("errno") in (errno.EPERM, errno.ENOSYS)}
        self.assertLessEqual({"af_alg", "af_vsock", "clone3", "io_uring_setup", "keyctl", "mbind", "unshare"}, denied)


@unittest.skipUnless(platform.machine() == "x86_64", "denied_calls.c makes a 32-bit call of x86")
class Preflight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = f"{SUITE.scratch}/preflight"
        os.makedirs(cls.folder, exist_ok=True)
        node = cls.start_node()
        try:
            cls.free = calls_of(node, "calls")
            cls.programs = {name: run_program(node, name, name) for name in ("threads", "sandbox", "placement")}
        finally:
            problems = node.close()
        assert problems == [], problems
        cls.trace = write_trace(f"{cls.folder}/calls.jsonl", {"namespace": "default", "pod": "calls-e2e", "container": "c"},
                                cls.free.values())

    @staticmethod
    def start_node(*args):
        node = harness.Node(*args)
        node.start()
        return node

    @contextlib.contextmanager
    def node_under(self, *args):
        """One after the other: what a node leaves behind is looked for among the marks of all."""
        node = self.start_node(*args)
        try:
            yield node
        finally:
            problems = node.close()
        self.assertEqual(problems, [])

    def default_node(self, profile):
        return self.node_under(*GATE, "--default-profile", profile)

    def manifest(self, name, *args):
        return harness.write(f"{self.folder}/{name}.json", program_pod(name, *args))

    def test_each_call_gets_what_was_foretold(self):
        self.assertEqual({name: code for name, (code, _) in self.programs.items()},
                         {"threads": 0, "sandbox": 0, "placement": 0})
        manifest = self.manifest("calls", "calls")
        different = set()
        for profile in ("containerd@1.7.29", "containerd@2.2.4", "docker@29.4.2", "cri-o@1.36"):
            verdict = verdict_of("--evidence", self.trace, manifest, "--runtime", profile)
            foretold = {}
            for finding in verdict["findings"]:
                key = (finding["number"], finding["architecture"], finding.get("args", {}).get("0", 0) & 0xffff)
                foretold[key] = finding
            with self.default_node(profile) as node:
                really = calls_of(node, "calls")
            self.assertEqual(really.keys(), self.free.keys())
            for name, one in really.items():
                with self.subTest(f"{name} under {profile}"):
                    was = self.free[name]
                    arch = "x86" if one["auditArch"] == I386 else "x86_64"
                    # Only as much of an argument as the profile tests is in a finding: clone's namespaces, a family.
                    tested = [one.get("args", {}).get("0", 0) & 0xffff, 0]
                    finding = next((foretold[(one["number"], arch, low)] for low in tested
                                    if (one["number"], arch, low) in foretold), None)
                    if finding is None:
                        self.assertEqual(one["errno"], was["errno"])
                        continue
                    self.assertTrue(finding["certain"])
                    self.assertEqual(errno.errorcode[one["errno"]], finding["errno"])
                    self.assertEqual(finding["effect"] == "none", one["errno"] == was["errno"])
                    different.add((name, profile))
        # Cases that differ between releases and runtimes: the test would be empty without them.
        for name, profile, denied in (("io_uring_setup", "containerd@1.7.29", False), ("io_uring_setup", "containerd@2.2.4", True),
                                      ("socketcall", "docker@29.4.2", True), ("socketcall", "containerd@2.2.4", False),
                                      ("af_alg", "containerd@2.2.4", True), ("af_alg", "cri-o@1.36", False),
                                      ("keyctl", "containerd@2.2.4", True), ("keyctl", "cri-o@1.36", False),
                                      ("perf_event_open", "cri-o@1.36", True), ("mbind", "containerd@2.2.4", True),
                                      ("unshare", "containerd@2.2.4", True), ("clone", "cri-o@1.36", True),
                                      ("clone3", "docker@29.4.2", True), ("af_vsock", "cri-o@1.36", True),
                                      ("af_unix", "containerd@2.2.4", False), ("getpid", "containerd@2.2.4", False)):
            if name in self.free:
                self.assertEqual((name, profile) in different, denied, f"{name} under {profile}")

    def test_programs_survive_or_do_not_as_foretold(self):
        denied = json.loads(harness.run(SUITE.portcullis, "profile", "resolve", "containerd@2.2.4").stdout)
        for rule in denied["syscalls"]:
            if rule["names"] == ["clone3"]:
                rule["errnoRet"] = errno.EPERM
        old = harness.write(f"{self.folder}/clone3-eperm.json", denied)
        makes = {"threads": ["clone3", "getpid"], "sandbox": ["unshare"], "placement": ["mbind"]}
        for profile, verdicts in (("containerd@2.2.4", {"threads": "tolerated", "sandbox": "breaks", "placement": "tolerated"}),
                                  (old, {"threads": "breaks", "sandbox": "breaks", "placement": "tolerated"})):
            with self.default_node(profile) as node:
                for name, wanted in verdicts.items():
                    with self.subTest(f"{name} under {os.path.basename(profile)}"):
                        self.check_program(node, profile, name, [self.free[call] for call in makes[name]], wanted)

    def check_program(self, node, profile, name, calls, wanted):
        trace = write_trace(f"{self.folder}/{name}.jsonl", {"namespace": "default", "pod": name, "container": "c"}, calls)
        verdict = verdict_of("--evidence", trace, self.manifest(name, name), "--runtime", profile)
        self.assertEqual(verdict["verdict"], wanted)
        code, log = run_program(node, name, name)
        self.assertEqual(code != 0, wanted == "breaks", log)

    def test_a_profile_from_evidence_is_enough_and_no_more(self):
        trace = write_trace(f"{self.folder}/need.jsonl", {"namespace": "default", "pod": "sandbox-e2e", "container": "c"},
                            [self.free["unshare"]])
        verdict = verdict_of("--evidence", trace, self.manifest("sandbox", "sandbox"), "--runtime", "containerd@2.2.4")
        self.assertEqual(verdict["verdict"], "breaks")
        self.assertEqual(verdict["findings"][0]["remedy"]["kind"], "delta")
        command = verdict["profileCommand"].split()[1:]
        with self.default_node("containerd@2.2.4") as node:
            made = harness.run(SUITE.portcullis, *command, "--format", "oci", "--install", "profiles/sandbox.json", "--root-dir",
                               node.root_dir)
            self.assertEqual(made.stdout.strip(), f"{node.root_dir}/seccomp/profiles/sandbox.json")
            self.assertIn("a container starts under it with runc without noNewPrivileges", made.stderr)
            code, log = run_program(node, "sandbox", "sandbox", **seccomp("Localhost", "profiles/sandbox.json"))
            self.assertEqual(code, 0, log)
            got = calls_of(node, "calls", **seccomp("Localhost", "profiles/sandbox.json"))
            self.assertEqual([got[name]["errno"] for name in ("unshare", "keyctl", "af_vsock", "clone3", "getpid")],
                             [0, errno.EPERM, errno.EPERM, errno.ENOSYS, 0])
            again = harness.run(SUITE.portcullis, *command, "--format", "docker", "--install", "profiles/sandbox.json",
                                "--root-dir", node.root_dir, "--start-test=false", check=False)
            self.assertEqual(again.returncode, 2)
            self.assertIn("is another profile already", again.stderr)

    def test_minimal_profiles_start_and_hold(self):
        seen = [{"auditArch": "c000003e", "number": number, "errno": 0} for number in (0, 1, 3, 5, 9, 10, 11, 12, 21, 35, 39, 61,
                                                                                      63, 79, 89, 99, 102, 104, 107, 108, 110, 158,
                                                                                      218, 231, 257, 262, 267, 273, 302, 318, 334)]
        trace = write_trace(f"{self.folder}/small.jsonl", {"command": "placement"}, [*seen, self.free["mbind"]])
        with self.default_node("containerd@2.2.4") as node:
            harness.run(SUITE.portcullis, "profile", "from-evidence", "--base", "containerd@2.2.4", "--minimal", "--tolerated",
                        "--format", "oci", "--install", "small.json", "--root-dir", node.root_dir, trace)
            code, log = run_program(node, "placement", "placement", **seccomp("Localhost", "small.json"))
            self.assertEqual((code, log), (0, "went on\n"))
            small = harness.read(f"{node.root_dir}/seccomp/small.json")
        broken = json.loads(small)
        for rule in broken["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name not in ("execve", "exit_group")]
        # What cannot start is refused by the test, not found out by a pod.
        base = harness.write(f"{self.folder}/no-exit.json", broken)
        refused = harness.run(SUITE.portcullis, "profile", "from-evidence", "--base", base, "--format", "oci", trace, check=False)
        self.assertEqual(refused.returncode, 2, refused.stderr)

    def test_a_profile_on_which_libseccomp_spins_is_not_offered(self):
        def socket_rule(op, value):
            return {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
                    "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_LE"}, {"index": 1, "value": value, "op": op}]}

        everything = json.loads(harness.run(SUITE.portcullis, "profile", "resolve", "containerd@2.2.4").stdout)
        everything["syscalls"] = [rule for rule in everything["syscalls"] if "socket" not in rule["names"]]
        everything["syscalls"] += [socket_rule("SCMP_CMP_LT", 3), socket_rule("SCMP_CMP_NE", 38)]
        base = harness.write(f"{self.folder}/spins.json", everything)
        # It needs nothing, so the base stays as it is written; a delta would write its rules anew, and harmless.
        trace = write_trace(f"{self.folder}/one.jsonl", {"command": "x"}, [self.free["getpid"]])
        refused = harness.run(SUITE.portcullis, "profile", "from-evidence", "--base", base, "--format", "oci", trace, check=False,
                              timeout=120)
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("no container starts under this profile", refused.stderr)
        self.assertEqual(glob.glob("/sys/fs/cgroup/portcullis-trial-*") + glob.glob("/sys/fs/cgroup/*/portcullis-trial-*"), [])
        self.assertEqual(glob.glob("/run/portcullis-trial-*"), [])

    def test_replicas_and_runs_are_merged(self):
        traces = [write_trace(f"{self.folder}/{pod_name}-{run}.jsonl", {"namespace": "default", "pod": pod_name, "container": "c"},
                              [self.free[call]])
                  for pod_name, run, call in (("web-7d9f8b5c6d-aaaaa", 1, "keyctl"), ("web-7d9f8b5c6d-bbbbb", 2, "af_vsock"),
                                              ("web-api-7d9f8b5c6d-ccccc", 3, "perf_event_open"), ("web-n1", 4, "unshare"))]
        made = harness.run(SUITE.portcullis, "profile", "from-evidence", "--base", "containerd@2.2.4", "--container",
                           "default/web/c", "--start-test=false", *traces)
        entries = [line for line in made.stdout.splitlines() if line.startswith("  - ")]
        self.assertEqual([entry.split("#")[0].strip() for entry in entries],
                         ["- keyctl", "- {names: [socket], args: [{index: 0, value: 0x28, op: SCMP_CMP_EQ}]}"])
        delta = harness.write(f"{self.folder}/web.delta.yaml", made.stdout)
        whole = json.loads(harness.run(SUITE.portcullis, "profile", "delta", delta).stdout)
        same = harness.run(SUITE.portcullis, "profile", "from-evidence", "--base", "containerd@2.2.4", "--container",
                           "default/web/c", "--start-test=false", "--format", "oci", *traces)
        self.assertEqual(json.loads(same.stdout), whole)
        none = harness.run(SUITE.portcullis, "profile", "from-evidence", "--container", "default/other/c", *traces, check=False)
        self.assertEqual(none.returncode, 2)
        self.assertIn("no trace has calls of container default/other/c (they are of default/web-7d9f8b5c6d-aaaaa/c, ", none.stderr)

    def test_losses_are_never_safe(self):
        quiet = write_trace(f"{self.folder}/quiet.jsonl", {"namespace": "default", "pod": "calls-e2e", "container": "c"},
                            [self.free["getpid"]])
        lossy = write_trace(f"{self.folder}/lossy.jsonl", {"namespace": "default", "pod": "calls-e2e", "container": "c"},
                            [self.free["getpid"]], losses=[{"where": "recorder", "count": 7, "why": "the map was full"}])
        manifest = self.manifest("calls", "calls")
        self.assertEqual(verdict_of("--evidence", quiet, manifest)["verdict"], "safe")
        verdict = verdict_of("--evidence", lossy, manifest, "--accept", "phases,duration,allowed", "--min-duration", "0")
        self.assertEqual((verdict["verdict"], verdict["missing"][0]["kind"]), ("incomplete", "losses"))
        refused = harness.run(SUITE.portcullis, "profile", "from-evidence", lossy, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("INCOMPLETE", refused.stderr)

    def test_the_host_itself(self):
        quiet = write_trace(f"{self.folder}/host.jsonl", {"namespace": "default", "pod": "calls-e2e", "container": "c"},
                            [self.free["getpid"]])
        done = preflight("--evidence", quiet, self.manifest("calls", "calls"), "--host", "-o", "json")
        report = json.loads(done.stdout)
        checked = json.loads(harness.run(SUITE.portcullis, "evidence", "host", "-o", "json", check=False).stdout)
        self.assertEqual([one["id"] for one in report["host"]], [one["id"] for one in checked])
        self.assertIn("kernel", [one["id"] for one in report["host"]])
        problem = any(one["severity"] == "problem" for one in report["host"])
        self.assertEqual((report["exitCode"], done.returncode), (1, 1) if problem else (0, 0))

    def test_a_log_of_the_twin_is_evidence(self):
        """The log variant of docs/rollout.md: numbers of a raw audit log, named by its own architecture."""
        record = ("type=SECCOMP msg=audit(1795464532.{0}:{0}): auid=0 uid=0 gid=0 ses=1 pid=7 comm=\"app\" exe=\"/bin/app\" sig=0 "
                  "arch={1} syscall={2} compat={3} ip=0x7f code=0x7ffc0000\n")
        log = harness.write(f"{self.folder}/audit.log", record.format(876, "c000003e", 250, 0) + record.format(877, "40000003", 359, 1))
        trace = f"{self.folder}/log.jsonl.gz"
        harness.run(SUITE.portcullis, "evidence", "log", log, "-o", trace)
        manifest = self.manifest("calls", "calls")
        asked = ["--evidence", trace, "--as", "default/calls/c", manifest, "--runtime", "containerd@2.2.4"]
        verdict = verdict_of(*asked)
        self.assertEqual({(one["syscall"], one["architecture"]): one["effect"] for one in verdict["findings"]},
                         {("keyctl", "x86_64"): "breaks", ("socket", "x86"): "unknown"})
        self.assertEqual({gap["kind"] for gap in verdict["missing"]}, {"allowed", "arguments", "phases", "duration"})
        # Written under the twin: the socket's family is not in the record, but that it is a denied one.
        verdict = verdict_of(*asked, "--logged-under", "containerd@2.2.4", "--accept", "phases,duration")
        self.assertEqual({one["syscall"]: (one["effect"], one["certain"]) for one in verdict["findings"]},
                         {"keyctl": ("breaks", True), "socket": ("breaks", True)})
        self.assertEqual(verdict["missing"], [])

    def test_an_upgrade(self):
        manifest = self.manifest("calls", "calls")
        verdict = verdict_of("--evidence", self.trace, manifest, "--from", "containerd@1.7.29", "--to", "containerd@2.2.4")
        self.assertEqual(sorted(finding["syscall"] for finding in verdict["findings"]), ["io_uring_setup", "socket"])
        self.assertEqual(verdict["before"], "RuntimeDefault (containerd@1.7.29)")
        same = verdict_of("--evidence", self.trace, manifest, "--from", "containerd@2.2.4", "--to", "containerd@2.3.1")
        self.assertEqual(same["verdict"], "notAffected")

    def test_pods_of_a_node_and_several_runtimes(self):
        with self.node_under() as node:
            node.apply(pod("calls", container("c", FOREVER)), pod("own", container("c", FOREVER, securityContext=seccomp("Unconfined"))))
            node.wait_running("calls")
            node.wait_running("own")
            done = preflight("--evidence", self.trace, "--node-address", f"127.0.0.1:{node.port}", "--runtime", "containerd@1.7.29",
                             "--runtime", "crio@1.30", "--kernel", "6.1", "-o", "json", expect=1)
            over_cri = preflight("--evidence", self.trace, "--runtime-endpoint", f"unix://{node.socket}", "--runtime", "containerd",
                                 "-o", "json", expect=1)
        self.assertEqual({one["name"]: one["verdict"] for one in json.loads(over_cri.stdout)["containers"]},
                         {"default/calls-e2e/c": "breaks", "default/own-e2e/c": "notAffected"})
        report = json.loads(done.stdout)
        told = {(one["name"], report["scenarios"][one["scenario"]]["runtime"]): one["verdict"] for one in report["containers"]}
        self.assertEqual(told, {("default/calls-e2e/c", "containerd@1.7.29"): "breaks",
                                ("default/calls-e2e/c", "cri-o@1.30.14"): "breaks",
                                ("default/own-e2e/c", "containerd@1.7.29"): "notAffected",
                                ("default/own-e2e/c", "cri-o@1.30.14"): "notAffected"})
        self.assertEqual({scenario["kernel"] for scenario in report["scenarios"]}, {"6.1"})

    def test_errors_name_what_is_wrong(self):
        manifest = self.manifest("calls", "calls")
        for args, words in (([], "want manifests"), ([manifest, "--evidence", "/no/such"], "/no/such"),
                            ([manifest, "--runtime", "containerd@99"], 'unknown release "99"'),
                            ([manifest, "--from", "containerd"], "--from and --to"),
                            ([manifest, "--as", "a/b/c"], "--as belongs to"),
                            (["--evidence", self.trace, "--as", "a/b"], "NAMESPACE/POD/CONTAINER"),
                            ([manifest, "-o", "pdf"], 'not "pdf"'), ([manifest, "--accept", "losses"], "losses are never accepted"),
                            ([manifest, "--min-duration", "soon"], "--min-duration"),
                            ([f"{self.folder}/no-such-folder"], "no-such-folder"),
                            ([harness.write(f"{self.folder}/bad.yaml", "kind: Pod\nspec: [\n")], "bad.yaml")):
            with self.subTest(args):
                done = preflight(*args, expect=2)
                self.assertIn(words, done.stderr)

    def reports(self):
        """Three containers in every form: a page, JUnit, SARIF, and what was printed."""
        manifests = f"{self.folder}/many"
        harness.write(f"{manifests}/calls.json", program_pod("calls", "calls"))
        harness.write(f"{manifests}/below/quiet.yaml", "kind: Pod\nmetadata: {name: quiet}\nspec: {containers: [{name: c, image: i}]}\n")
        hostile = write_trace(f"{self.folder}/hostile.jsonl", {"command": "</script><script>document.title='taken'</script>"},
                              [self.free["keyctl"]])
        page, junit, sarif = (f"{self.folder}/report.{ending}" for ending in ("html", "xml", "sarif"))
        done = preflight("--evidence", self.trace, "--evidence", hostile, manifests, "-o", f"html={page}", "-o", f"junit={junit}",
                         "-o", f"sarif={sarif}", "-o", "text", expect=1)
        return page, junit, sarif, done.stdout

    def test_reports_in_a_pipeline(self):
        _, junit, sarif, text = self.reports()
        self.assertNotIn("\x1b", text)
        self.assertIn("3 containers: 2 BREAKS, 1 UNKNOWN (evidence incomplete)", text)
        suite = xml.etree.ElementTree.parse(junit).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("3", "2", "1"))
        with open(sarif, encoding="utf-8") as file:
            run = json.load(file)["runs"][0]
        self.assertEqual({rule["id"] for rule in run["tool"]["driver"]["rules"]}, {one["ruleId"] for one in run["results"]})

    def test_reports_in_a_browser(self):
        if os.environ.get("PORTCULLIS_E2E_VM"):
            self.skipTest("the guest has no browser")
        page = self.reports()[0]
        whole = self.dom(page)
        self.assertIn('<span id="shown">3 of 3 shown</span>', whole)
        self.assertIn("<title>Preflight: seccomp</title>", whole)
        self.assertIn("&lt;/script&gt;", whole)
        self.assertIn('<span id="shown">1 of 3 shown</span>', self.dom(page, "#q=default/quiet/c"))
        picture = f"{self.folder}/report.png"
        self.browser(f"--screenshot={picture}", f"file://{page}")
        with open(picture, "rb") as file:
            self.assertEqual(file.read(4), b"\x89PNG")

    def dom(self, page, fragment=""):
        return self.browser("--virtual-time-budget=2000", "--dump-dom", f"file://{page}{fragment}").stdout

    def browser(self, *args):
        try:
            return harness.run("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/chromium",
                               *args, timeout=120)
        except FileNotFoundError as error:
            raise AssertionError("chromium is missing: run scripts/install-packages test") from error
        except subprocess.TimeoutExpired as error:
            raise AssertionError("chromium did not end") from error
