"""The switch: what start-up says to each way of setting it, and what it does to pods before and after."""

import json
import os
import re
import subprocess
import unittest

import harness
from harness import FOREVER, SUITE, container, pod, seccomp

GATE = "--feature-gates=SeccompDefault=true"
NO_GATE = "--feature-gates=SeccompDefault=false"
SWITCH = "--seccomp-default"
E1 = "the SeccompDefault feature gate must be enabled in order to use the --seccomp-default flag"
E2 = "the SeccompDefault feature gate must be enabled in order to use the SeccompDefault configuration"
MISSING_STEP = "the SeccompDefault feature gate is enabled, but the switch is missing"
LOCKED = "cannot set feature gate SeccompDefault to false, feature is locked to true"
ON = "SeccompDefault is on"
OFF = "SeccompDefault is off"
PREPARED = "SeccompDefault is prepared and off"


class Case:
    def __init__(self, name, *args, file=None, drop_ins=None, says=(), fails=False):
        self.name, self.args, self.file, self.drop_ins, self.fails = name, list(args), file, drop_ins or {}, fails
        self.says = [says] if isinstance(says, str) else says


def emulated(version):
    return f"--emulated-version={version}"


# Section 8.5 of the specification; the gate is judged after merging file, drop-ins and flags, and a gate without a switch
# is an error while it is alpha.
CASES = [
    Case("nothing", says=OFF),
    Case("S01 switch without gate", SWITCH, says=E1, fails=True),
    Case("S02 gate without switch", GATE, says=[MISSING_STEP, "--seccomp-default", "seccompDefault: true"], fails=True),
    Case("gate, switch off by flag", GATE, "--seccomp-default=false", says=PREPARED),
    Case("gate, switch off in the file", GATE, file={"seccompDefault": False}, says=PREPARED),
    Case("both flags", GATE, SWITCH, says=ON),
    Case("both flags, go's spelling", "--feature-gates", "SeccompDefault=T", "--seccomp_default=1", says=ON),
    Case("S04 file switch without gate", file={"seccompDefault": True}, says=E2, fails=True),
    Case("S05 both in the file", file={"featureGates": {"SeccompDefault": True}, "seccompDefault": True}, says=ON),
    Case("S06 gate in the file, switch as flag", SWITCH, file={"featureGates": {"SeccompDefault": True}}, says=ON),
    Case("gate by AllAlpha is not by name", "--feature-gates=AllAlpha=true", says=OFF),
    Case("switch with AllAlpha", "--feature-gates=AllAlpha=true", SWITCH, says=ON),
    Case("flag over file gate", NO_GATE, SWITCH, file={"featureGates": {"SeccompDefault": True}}, says=E1, fails=True),
    Case("S08 beta gate is on", emulated("1.25"), SWITCH, says=ON),
    Case("beta gate by name, no switch", emulated("1.25"), GATE, says=OFF),
    Case("S09", emulated("1.25"), NO_GATE, SWITCH, says=E1, fails=True),
    Case("S10", emulated("1.26"), file={"featureGates": {"SeccompDefault": False}, "seccompDefault": True}, says=E2,
         fails=True),
    Case("S12", emulated("1.27"), NO_GATE, says=LOCKED, fails=True),
    Case("S13", emulated("1.28"), GATE, says=["GA feature gate", OFF]),
    # Kubernetes fails on a gate it no longer has (and panics from 1.32); here one configuration serves all releases.
    Case("S14", emulated("1.29"), GATE, says=[OFF, "warning: feature gate SeccompDefault is ignored"]),
    Case("S16", emulated("1.32"), file={"featureGates": {"SeccompDefault": True}},
         says=[OFF, "warning: feature gate SeccompDefault is ignored"]),
    Case("a removed gate and the switch", emulated("1.30"), GATE, SWITCH, says=[ON, "SeccompDefault is ignored"]),
    Case("S17 the flag cannot switch off", emulated("1.31"), "--seccomp-default=false", file={"seccompDefault": True},
         says=[ON, "warning: --seccomp-default=false does not switch off seccompDefault: true"]),
    Case("S18 the flag switches on", emulated("1.31"), SWITCH, file={"seccompDefault": False},
         says=[ON, "warning: seccompDefault: false of the configuration has no effect"]),
    Case("S20 last drop-in wins", emulated("1.31"), drop_ins={"10-a.conf": {"seccompDefault": True},
                                                              "20-b.conf": {"seccompDefault": False}}, says=OFF),
    Case("drop-in over file", emulated("1.31"), file={"seccompDefault": False},
         drop_ins={"10-a.conf": {"seccompDefault": True}}, says=[ON, "10-a.conf"]),
    Case("S21 null removes", emulated("1.31"), file={"seccompDefault": True}, drop_ins={"10-a.conf": {"seccompDefault": None}},
         says=OFF),
    Case("S22 only .conf counts", emulated("1.31"), drop_ins={"10-a.yaml": {"seccompDefault": True}}, says=OFF),
    Case("S24 a string is no boolean", file={"seccompDefault": "true"}, says="seccompDefault", fails=True),
    Case("S25 YAML 1.1 yes", emulated("1.31"), file="seccompDefault: yes\n", says=ON),
    Case("S26 maybe", "--seccomp-default=maybe", fails=True,
         says='failed to parse kubelet flag: invalid argument "maybe" for "--seccomp-default" flag: strconv.ParseBool: '
              'parsing "maybe": invalid syntax'),
    Case("S28 empty file", file="", says="was empty", fails=True),
    Case("S30 a word", "foo", says="unknown command foo", fails=True),
    Case("malformed gate", "--feature-gates=SeccompDefault", fails=True, says="malformed pair, expect string=bool"),
    Case("gate value", "--feature-gates=SeccompDefault=yes", fails=True, says="invalid value of SeccompDefault: yes"),
    Case("unknown gate", "--feature-gates=SeccompDefualt=true", fails=True, says="unrecognized feature gate: SeccompDefualt"),
    Case("mis-cased field", GATE, file={"seccompdefault": True}, fails=True, says=["seccompdefault", "seccompDefault"]),
    Case("misspelt field", GATE, file={"seccompDefualt": True}, fails=True, says=["seccompDefualt", "seccompDefault"]),
    Case("a field without effect here", file={"nodeStatusMaxImages": 80}, says=["warning: ", "nodeStatusMaxImages"]),
    Case("another kind", file="apiVersion: v1\nkind: Pod\n", fails=True, says="kind"),
]


def config_text(content):
    if isinstance(content, str):
        return content if not content or "kind:" in content else header() + content
    return header() + "".join(f"{key}: {json.dumps(value)}\n" for key, value in content.items())


def header():
    return "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


class StartUp(unittest.TestCase):
    def arguments(self, case, folder):
        args = list(case.args)
        if case.file is not None:
            args += ["--config", harness.write(f"{folder}/config.yaml", config_text(case.file))]
        for name, content in case.drop_ins.items():
            harness.write(f"{folder}/drop-ins/{name}", config_text(content))
        if case.drop_ins:
            args += ["--config-dir", f"{folder}/drop-ins"]
        return args

    def check(self, case, done):
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode != 0, case.fails, f"exit code {done.returncode}\n{text}")
        for words in case.says:
            self.assertIn(words, text)

    def test_check_config(self):
        for number, case in enumerate(CASES):
            with self.subTest(case.name):
                folder = f"{SUITE.scratch}/start-up/{number}"
                done = harness.run(SUITE.portcullis, "node", "--check-config", *self.arguments(case, folder), check=False)
                self.check(case, done)

    def test_a_real_start_fails_the_same_way_and_makes_nothing(self):
        for number, case in enumerate(CASES):
            if not case.fails:
                continue
            with self.subTest(case.name):
                folder = f"{SUITE.scratch}/real-start/{number}"
                own = [f"--state-dir={folder}/state", f"--run-dir={folder}/run", f"--listen={folder}/s", "--healthz-port=0",
                       f"--root-dir={folder}/kubelet", f"--pod-manifest-path={folder}/m", f"--pod-logs-dir={folder}/l",
                       f"--cni-conf-dir={folder}/cni"]
                try:
                    done = harness.run(SUITE.portcullis, "node", *own, *self.arguments(case, folder), check=False, timeout=10)
                except subprocess.TimeoutExpired:
                    self.fail("the node started")
                self.check(case, done)
                for name in ("state", "run", "kubelet", "s"):
                    self.assertFalse(os.path.exists(f"{folder}/{name}"), name)

    def test_origins_are_told(self):
        folder = f"{SUITE.scratch}/origins"
        config = harness.write(f"{folder}/config.yaml", config_text({"healthzPort": 1234, "seccompDefault": True}))
        harness.write(f"{folder}/d/10.conf", config_text({"clusterDomain": "a.example"}))
        done = harness.run(SUITE.portcullis, "node", "--check-config", "--config", config, "--config-dir", f"{folder}/d",
                           GATE, "--pod-manifest-path=/m")
        lines = {line.split(":")[0].strip(): line.split("#")[-1] for line in done.stdout.splitlines() if ":" in line}
        self.assertIn("config.yaml", lines["healthzPort"])
        self.assertIn("10.conf", lines["clusterDomain"])
        self.assertIn("--pod-manifest-path", lines["staticPodPath"])
        self.assertIn("default", lines["podLogsDir"])


class TheSwitch(unittest.TestCase):
    def test_off_then_on(self):
        node = harness.Node()
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        node.start()
        old = pod("old", container("says-nothing", FOREVER), container("unconfined", FOREVER,
                                                                       securityContext=seccomp("Unconfined")))
        node.apply(old)
        node.wait_running("old")
        self.assertIn(OFF, node.log_text())
        specs_off = node.pod("old")["spec"]
        annotations_off = node.pod("old")["metadata"].get("annotations", {})
        container_id, pid = node.id_of("old", "says-nothing"), node.pid_of("old", "says-nothing")
        self.assertEqual(harness.kernel_field(pid, "Seccomp"), "0")
        self.assertFalse(node.status()[("old", "says-nothing")]["stale"])
        node.stop()

        node.args += [GATE, SWITCH]
        node.start()
        node.apply(pod("new", container("says-nothing", FOREVER)))
        node.wait_running("new")
        with self.subTest("the pod object never changes"):
            self.assertEqual(node.pod("old")["spec"], specs_off)
            without_time = re.compile(r"kubernetes.io/config\.seen")
            self.assertEqual({k: v for k, v in node.pod("old")["metadata"]["annotations"].items() if not without_time.match(k)},
                             {k: v for k, v in annotations_off.items() if not without_time.match(k)})
            self.assertNotIn("seccomp", json.dumps(node.pod("new")["spec"]).lower())
        with self.subTest("what runs keeps its filter, and is told as stale"):
            self.assertEqual((node.id_of("old", "says-nothing"), node.pid_of("old", "says-nothing")), (container_id, pid))
            self.assertEqual(harness.kernel_field(pid, "Seccomp"), "0")
            rows = node.status()
            self.assertTrue(rows[("old", "says-nothing")]["stale"])
            self.assertFalse(rows[("old", "unconfined")]["stale"])
            self.assertFalse(rows[("new", "says-nothing")]["stale"])
            table = harness.run(SUITE.portcullis, "status", "--runtime-endpoint", "unix://" + node.socket, "--node-address",
                                f"127.0.0.1:{node.port}").stdout
            self.assertEqual([line.split()[1] for line in table.splitlines() if line.endswith("stale")], ["says-nothing"])
        with self.subTest("what starts now has the default"):
            self.assertEqual(harness.kernel_field(node.pid_of("new", "says-nothing"), "Seccomp"), "2")
        with self.subTest("a new pod of the old name has it too"):
            old["spec"]["containers"][0]["env"] = [{"name": "CHANGED", "value": "yes"}]
            node.apply(old)
            harness.wait("the pod to be made anew", lambda: node.id_of("old", "says-nothing") != container_id)
            node.wait_running("old")
            self.assertEqual(harness.kernel_field(node.pid_of("old", "says-nothing"), "Seccomp"), "2")
            self.assertFalse(node.status()[("old", "says-nothing")]["stale"])
