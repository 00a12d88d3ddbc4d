"""docs/rollout.md, from its first step to its last, on one node with five pods; every step is the documented command."""

import json
import os
import signal
import subprocess
import unittest

import harness
import test_preflight
import workloads
from harness import NODE_NAME, SUITE, container, pod, seccomp, wait

BASE = "containerd@2.2"
CUSTOM = "profiles/builder.json"
AFFECTED = ("nginx", "redis", "builder")
# A sandbox is made at the start, or the program ends; what is in /feature is used later.
BUILDER = """/denied/denied-calls sandbox || exit 1
while :; do
  if [ -e /tmp/feature ]; then /denied/denied-calls keyring; rm /tmp/feature; fi
  sleep 0.2
done"""


def builder_pod(**more):
    one = container("c", BUILDER, volumeMounts=[{"name": "denied", "mountPath": "/denied", "readOnly": True}], **more)
    return pod("builder", one, volumes=[{"name": "denied", "hostPath": {"path": test_preflight.program_folder()}}])


class Rollout(unittest.TestCase):
    def setUp(self):
        self.dir = f"{SUITE.scratch}/rollout"
        os.makedirs(self.dir, exist_ok=True)
        self.node = harness.Node(config={"featureGates": {"SeccompDefault": True}, "seccompDefault": False})
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))

    def test_the_whole_way(self):
        self.gate()
        self.record()
        self.ask()
        self.give_it_a_profile()
        self.try_its_suite()
        self.switch_on()
        self.restart_pods()
        self.watch_and_heal()
        self.upgrade()
        self.back()

    # What every step uses.

    def portcullis(self, *args, code=0):
        done = harness.run(SUITE.portcullis, *args, check=False)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}{done.stderr}")
        return done

    def endpoint(self):
        return ["--runtime-endpoint", "unix://" + self.node.socket]

    def address(self):
        return ["--node-address", f"127.0.0.1:{self.node.port}"]

    def status(self, *args, code=0):
        return self.portcullis("status", *self.endpoint(), *self.address(), *args, code=code)

    def rows(self, *args):
        return {one["pod"].split("/")[1].removesuffix("-" + NODE_NAME): one
                for one in json.loads(self.status("-o", "json", *args).stdout)["containers"]}

    def start(self, name, *args):
        """A program that says on standard error when it is ready; ended by `finish`."""
        errors = f"{self.dir}/{name}.err"
        with open(errors, "w", encoding="utf-8") as file:
            process = subprocess.Popen([SUITE.portcullis, *args], stdout=subprocess.DEVNULL, stderr=file)
        self.addCleanup(self.end, process)

        def ready():
            self.assertIsNone(process.poll(), harness.read(errors))
            return "ready" in harness.read(errors) or "watching" in harness.read(errors)

        wait(f"{args[:2]} to be ready", ready)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def finish(self, process, name):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30 * harness.SLOW), 0, harness.read(f"{self.dir}/{name}.err"))

    def trace(self, name):
        return f"{self.dir}/{name}.jsonl.gz"

    def start_recorder(self, name, trace, *flags):
        return self.start(trace, "record", "--pod", f"default/{name}-{NODE_NAME}", *flags, "--init", "1s", "--run-dir",
                          self.node.run_dir, *self.endpoint(), "-o", self.trace(trace))

    def apply_affected(self):
        self.node.apply(*(workload.pod(workload.name) for workload in workloads.ALL[:2]), self.builder)
        for name in AFFECTED:
            self.node.wait_running(name)

    def exercise(self):
        for workload in workloads.ALL[:2]:
            workload.exercise(self.node, workload.name)

    def ask_node(self, *flags, code):
        evidence = [word for name in AFFECTED for word in ("--evidence", self.trace(name))]
        done = self.portcullis("preflight", *evidence, *self.address(), "--accept", "duration", "-o", "json", *flags, code=code)
        return {one["name"].split("/")[1].removesuffix("-" + NODE_NAME): one for one in json.loads(done.stdout)["containers"]}

    def specs(self):
        return {item["metadata"]["name"]: item["spec"] for item in self.node.pods()}

    def restart_node(self, on):
        self.node.stop()
        self.node.config["seccompDefault"] = on
        self.node.start()

    def restart_pod(self, name):
        """Ended in its grace period, unlike by `crictl stopp`, which kills."""
        manifest = f"{self.node.manifests}/{name}.json"
        os.rename(manifest, f"{self.dir}/{name}.json")
        self.node.wait_gone(name)
        os.rename(f"{self.dir}/{name}.json", manifest)
        self.node.wait_running(name)

    @staticmethod
    def container_of(name):
        return "main" if name in ("nginx", "redis") else "c"

    def kernel_mode(self, name):
        return harness.kernel_field(self.node.pid_of(name, self.container_of(name)), "Seccomp")

    # The steps of the document.

    def gate(self):
        self.node.start()
        self.assertIn("SeccompDefault is prepared and off", self.node.log_text())
        self.builder = builder_pod()
        self.node.apply(pod("admin", container("c", harness.FOREVER, securityContext={"privileged": True})),
                        pod("own", container("c", harness.FOREVER, securityContext=seccomp("RuntimeDefault"))))

    def record(self):
        self.apply_affected()
        recorders = {name: self.start_recorder(name, name, "--from-start") for name in AFFECTED}
        for name in AFFECTED:
            self.restart_pod(name)
        self.exercise()
        self.node.exec(self.node.id_of("builder", "c"), "sleep", "1.5")  # behind --init: it serves
        for name in AFFECTED:
            self.restart_pod(name)
        for name, process in recorders.items():
            self.finish(process, name)
        for name in ("admin", "own"):
            self.node.wait_running(name)
        rows = self.rows()
        self.assertEqual({name for name, row in rows.items() if row["declared"] == "-"}, {*AFFECTED, "admin"})
        self.before = self.specs()

    def ask(self):
        report, page = f"{self.dir}/node1.sarif", f"{self.dir}/node1.html"
        told = self.ask_node("--runtime", BASE, "-o", f"sarif={report}", "-o", f"html={page}", code=1)
        self.assertEqual({name: one["verdict"] in ("safe", "tolerated") for name, one in told.items()},
                         {"nginx": True, "redis": True, "builder": False, "admin": False, "own": False}, told)
        self.assertEqual([told[name]["verdict"] for name in ("builder", "admin", "own")],
                         ["breaks", "notAffected", "notAffected"])
        breaks = [one for one in told["builder"]["findings"] if one["effect"] == "breaks"]
        self.assertEqual([(one["calls"], one["known"]["name"]) for one in breaks], [(["unshare(CLONE_NEWUSER)"], "user-namespace")])
        self.command = told["builder"]["profileCommand"].split()[1:]
        self.assertIn("unshare", harness.read(page))

    def give_it_a_profile(self):
        made = self.portcullis(*self.command, "--format", "oci", "--install", CUSTOM, "--root-dir", self.node.root_dir)
        self.custom = f"{self.node.root_dir}/seccomp/{CUSTOM}"
        self.assertEqual(made.stdout.strip(), self.custom)
        self.assertIn("localhostProfile: " + CUSTOM, made.stderr)
        self.builder = builder_pod(securityContext=seccomp("Localhost", CUSTOM))
        old = self.node.id_of("builder", "c")
        self.node.apply(self.builder)
        wait("the pod to be made anew", lambda: self.node.id_of("builder", "c") != old, 60)
        self.node.wait_running("builder")
        self.before = self.specs()
        told = self.ask_node("--runtime", BASE, code=0)
        self.assertEqual(told["builder"]["verdict"], "notAffected")

    def try_its_suite(self):
        """The program's suite under the default, and under the profile that it has now."""
        program = f"{test_preflight.program_folder()}/denied-calls"
        results = f"{self.dir}/results.xml"
        suite = harness.write(f"{self.dir}/suite.sh", f"""{program} sandbox && exit 0
echo "<testsuite><testcase classname='browser' name='sandbox'><failure message='none'/></testcase></testsuite>" > {results}
exit 1
""")
        failed = self.portcullis("try", "--profile", BASE, "--junit", results, "--", "sh", suite, code=1).stdout
        for words in ("unshare(CLONE_NEWUSER)", "EPERM", "browser.sandbox"):
            self.assertIn(words, failed)
        self.portcullis("try", "--profile", self.custom, "--", program, "sandbox")

    def switch_on(self):
        """The default is told to log what it denies; it answers every call as before."""
        profile = json.loads(self.portcullis("profile", "show", BASE).stdout)
        profile["flags"] = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
        logging = harness.write(f"{self.dir}/default.json", profile)
        self.assertIn("0 differences", self.portcullis("profile", "diff", logging, BASE).stdout)
        self.node.args += ["--default-profile", logging]
        self.restart_node(on=True)
        self.assertIn("SeccompDefault is on", self.node.log_text())
        rows = self.rows()
        self.assertEqual({name: row["stale"] for name, row in rows.items()},
                         {"nginx": True, "redis": True, "builder": False, "admin": False, "own": False})
        table = self.status()
        self.assertEqual(len([line for line in table.stdout.splitlines() if line.endswith("stale")]), 2)
        self.assertEqual(self.kernel_mode("nginx"), "0")

    def restart_pods(self):
        for name in ("nginx", "redis", "own"):
            self.restart_pod(name)
        self.exercise()
        self.status("--verify")
        rows = self.rows("--verify")
        self.assertEqual([name for name, row in rows.items() if row["stale"]], [])
        self.assertEqual({name: (row["kernel"]["seccomp"], row["kernel"]["asMeant"]) for name, row in rows.items()},
                         {"nginx": (2, True), "redis": (2, True), "builder": (2, True), "admin": (0, True), "own": (2, True)})
        self.assertEqual(self.specs(), self.before)

    def watch_and_heal(self):
        """A call that no test had made is denied, found with its pod, caller and rule, and allowed by the smallest change."""
        recorder = self.start_recorder("builder", "watch")
        self.use_the_feature("no keyring: Operation not permitted\n")
        self.finish(recorder, "watch")
        shown = self.portcullis("evidence", "show", "--denied", self.trace("watch"))
        self.assertIn("keyctl", shown.stdout)
        told = self.portcullis("evidence", "show", "--under", self.custom, self.trace("watch")).stdout
        for words in (f"default/builder-{NODE_NAME}/c", "keyctl", "EPERM by the default action", "by /denied/denied-calls",
                      "-> ", "profile from-evidence --denied --base"):
            self.assertIn(words, told)
        command = next(line for line in told.splitlines() if "profile: " in line).split()[2:]
        self.assertEqual(self.portcullis(*command).stdout.splitlines()[1:], ["allow:", "  - keyctl  # /denied/denied-calls"])
        self.portcullis(*command, "--format", "oci", "--install", CUSTOM, "--root-dir", self.node.root_dir, "--overwrite")
        self.restart_pod("builder")
        self.use_the_feature("has a keyring\n")
        self.status("--verify")

    def use_the_feature(self, answer):
        self.node.exec(self.node.id_of("builder", "c"), "touch", "/tmp/feature")
        self.node.wait_log("builder", "c", answer)

    def upgrade(self):
        """The same traces are asked about the runtime's next release; the pods have other ids by now."""
        told = self.ask_node("--from", "containerd@1.7.29", "--to", "containerd@2.2.4", code=3)
        self.assertEqual(told["own"]["verdict"], "incomplete")  # it asks for the default itself, and was not recorded
        for name in ("nginx", "redis"):
            self.assertIn(told[name]["verdict"], ("safe", "tolerated"))
            self.assertGreater(told[name]["seen"]["calls"], 0)

    def back(self):
        self.restart_node(on=False)
        self.assertEqual({name for name, row in self.rows().items() if row["stale"]}, {"nginx", "redis"})
        for name in ("nginx", "redis"):
            self.restart_pod(name)
            self.assertEqual(self.kernel_mode(name), "0")
        self.exercise()
        self.status("--verify")
        self.assertEqual(self.specs(), self.before)


class Denials(unittest.TestCase):
    """What was denied under a profile that is in force: explained, and allowed in the profile or delta itself."""

    LIBC = {"location": "/usr/lib/libc.so.6+0x11e88d", "symbol": "keyctl+0xd"}
    DELTA = ("# of the web team\nbase: RuntimeDefault@containerd-2.2.4\nallow:\n  - io_uring_setup  # libuv\n\n"
             "# never\ndeny:\n  - perf_event_open\n")

    def setUp(self):
        self.dir = f"{SUITE.scratch}/denials"
        os.makedirs(self.dir, exist_ok=True)
        self.delta = harness.write(f"{self.dir}/web.delta.yaml", self.DELTA)
        denied = [("keyctl", 250, {}, "/usr/bin/web"), ("socket", 41, {"0": 40, "1": 5, "2": 0}, "/usr/bin/web"),
                  ("mbind", 237, {}, "/usr/sbin/mysqld"), ("perf_event_open", 298, {}, "/usr/bin/web")]
        calls = [{**test_preflight.call_line(0, {"auditArch": "c000003e", "number": number, "args": args, "errno": 1},
                                             executable=executable), **(self.LIBC if name == "keyctl" else {})}
                 for name, number, args, executable in denied]
        calls.append(test_preflight.call_line(0, {"auditArch": "c000003e", "number": 0, "errno": 0}))
        lines = [{"portcullisTrace": 1, "source": "ebpf"}, {"workload": 0, "namespace": "default", "pod": "web", "container": "c"},
                 *calls, {"end": {"losses": [], "unseen": []}}]
        self.trace = harness.write(f"{self.dir}/web.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    def run_it(self, *args, code=0):
        done = harness.run(SUITE.portcullis, *args, check=False)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}{done.stderr}")
        return done

    def from_evidence(self, *args, code=0):
        return self.run_it("profile", "from-evidence", "--start-test=false", *args, self.trace, code=code)

    def test_each_is_explained(self):
        text = self.run_it("evidence", "show", "--under", "containerd@2.2.4", self.trace).stdout
        for words in ("default/web/c", "keyctl: EPERM by the default action", "socket(AF_VSOCK, SOCK_SEQPACKET, 0): EPERM by ",
                      "by /usr/bin/web (/usr/lib/libc.so.6+0x11e88d: keyctl+0xd), serving, 1 time", "-> ",
                      "{names: [socket], args: [{index: 0, value: 0x28, op: SCMP_CMP_EQ}]}", self.trace):
            self.assertIn(words, text)
        self.assertNotIn("read(", text)
        other = self.run_it("evidence", "show", "--under", "cri-o@1.34.0", self.trace).stdout
        self.assertIn("keyctl (/usr/bin/web, errno): not denied by cri-o@1.34.0; another profile was in force", other)
        for word, told in (("containerd@9", 'unknown release "9"'), ("/no/such", "/no/such")):
            self.assertIn(told, self.run_it("evidence", "show", "--under", word, self.trace, code=2).stderr)

    def test_the_delta_itself_grows(self):
        done = self.from_evidence("--denied", "--base", self.delta)
        self.assertEqual(done.stdout, self.DELTA.replace("\n\n", "\n  - keyctl  # /usr/bin/web\n  - {names: [socket], args: "
                         "[{index: 0, value: 0x28, op: SCMP_CMP_EQ}]}  # /usr/bin/web\n\n"))
        self.assertIn("left denied: perf_event_open (/usr/bin/web): the delta denies it", done.stderr)
        self.assertIn("left denied: mbind (/usr/sbin/mysqld)", done.stderr)
        healed = harness.write(f"{self.dir}/healed.delta.yaml", done.stdout)
        whole = json.loads(self.from_evidence("--denied", "--base", self.delta, "--format", "oci").stdout)
        self.assertEqual(json.loads(self.run_it("profile", "delta", healed).stdout), whole)
        again = self.from_evidence("--denied", "--base", healed)
        self.assertEqual(again.stdout, "")
        self.assertIn(f"needs nothing beyond {healed}", again.stderr)

    def test_a_complete_profile_grows(self):
        installed = harness.write(f"{self.dir}/web.json", self.run_it("profile", "delta", self.delta).stdout)
        done = self.from_evidence("--denied", "--base", installed, "--format", "oci")
        healed = harness.write(f"{self.dir}/healed.json", done.stdout)
        answers = {call: self.run_it("profile", "eval", healed, *call.split()).stdout.split()[1]
                   for call in ("keyctl", "socket AF_VSOCK", "socket AF_ALG", "mbind")}
        self.assertEqual(answers, {"keyctl": "SCMP_ACT_ALLOW", "socket AF_VSOCK": "SCMP_ACT_ALLOW",
                                   "socket AF_ALG": "SCMP_ACT_ERRNO(1)", "mbind": "SCMP_ACT_ERRNO(1)"})

    def test_without_the_flag_it_says_so(self):
        done = self.from_evidence("--base", "containerd@2.2.4")
        self.assertEqual(done.stdout, "")
        self.assertIn("left denied: keyctl (/usr/bin/web): it got EPERM when it was recorded, too; if a filter denied it then, "
                      "--denied allows it", done.stderr)

    def test_a_base_that_is_neither(self):
        for text, told in (("allow: [keyctl]\n", "names no base"), ("alow: [keyctl]\n", "unknown key"),
                           ('{"defaultAction": "SCMP_ACT_DENY"}', "SCMP_ACT_DENY"), ("base: containerd@9\nallow: [keyctl]\n", "9")):
            with self.subTest(text):
                path = harness.write(f"{self.dir}/bad", text)
                self.assertIn(told, self.from_evidence("--base", path, code=2).stderr)

    def test_errors_name_what_is_wrong_and_what_to_do(self):
        nothing = harness.write(f"{self.dir}/nothing.jsonl", '{"portcullisTrace":1,"source":"x"}\n{"end":{"losses":[],"unseen":[]}}\n')
        log = harness.write(f"{self.dir}/a.log", "type=SECCOMP msg=audit(1:1): x\n")
        for args, told in ((["preflight", "--evidence", nothing], "there is nothing to judge"),
                           (["preflight", "--evidence", log], f"{log}:1: is not a trace; portcullis evidence log"),
                           (["preflight", "--evidnce", nothing], "portcullis preflight: The following argument was not expected: "
                                                                 "--evidnce (did you mean --evidence?)"),
                           (["evidence", "shwo", nothing], 'unknown verb "shwo" (did you mean show?)'),
                           (["evidence", "merge", nothing], "merge wants the trace to write: -o TRACE"),
                           (["evidence"], "want a verb: log, strace"),
                           (["evidence", "show"], "show wants files"),
                           (["evidence", "show", "--format=xml", nothing], 'want table or trace, not "xml"'),
                           (["profile", "from-evidence", "--container", "default/web/other", self.trace],
                            "no trace has calls of container default/web/other (they are of default/web/c)")):
            with self.subTest(args):
                done = self.run_it(*args, code=2)
                self.assertIn(told, done.stderr)
                self.assertEqual(done.stderr.count("portcullis " + args[0] + ": "), 1)
        self.assertIn("portcullis evidence host tells", self.run_it("evidence", "log", harness.write(f"{self.dir}/no.log", "x\n")).stderr)
