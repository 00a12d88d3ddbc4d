"""Debian's programs as containers: recorded without a profile, given the profile that they need, run under it.

Each is put to work, worked on by exec, ended by its stop signal, restarted, and put to work once more; first while it is
recorded from its first instruction, then under the minimal profile made of the recording.
"""

import json
import os
import signal
import subprocess
import unittest

import harness
import workloads
from harness import NODE_NAME, SLOW, SUITE, run, wait
from machine_code import kernel_has_i386

# None of these programs calls them, and the default profile permits all but the last three.
NEVER_SEEN = ("vmsplice", "mq_open", "io_submit", "mount", "kexec_load", "bpf")


class Workloads(harness.NodeTest):
    """The node's own default is off: what is recorded ran free."""

    def put_to_work(self, workload, pod):
        node = self.node
        node.wait_running(pod, timeout=60)
        workload.exercise(node, pod)
        first = node.id_of(pod, "main")
        node.crictl("stop", "--timeout", "20", first)
        self.assertIn(node.inspect(first)["status"]["exitCode"], workload.end, node.crictl("logs", first).stdout)
        wait("a new container", lambda: node.id_of(pod, "main") != first, timeout=40)
        node.wait_running(pod, timeout=60)
        workload.exercise(node, pod)

    def record(self, workload, trace):
        node, pod = self.node, f"{workload.name}-seen"
        recorder = subprocess.Popen(
            [SUITE.portcullis, "record", "--pod", f"default/{pod}-{NODE_NAME}", "--from-start", "--out", trace,
             "--run-dir", node.run_dir, "--runtime-endpoint", f"unix://{node.socket}", "--init", "500ms"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait("the recorder to be armed", lambda: os.path.isdir(f"{node.run_dir}/recorders") and os.listdir(f"{node.run_dir}/recorders"))
            node.apply(workload.pod(pod))
            try:
                self.put_to_work(workload, pod)
            finally:
                node.remove(pod)
                node.wait_gone(pod)
        finally:
            recorder.send_signal(signal.SIGINT)
            said = recorder.communicate(timeout=30 * SLOW)[1]
        self.assertEqual(recorder.returncode, 0, said)

    def derive(self, workload, trace):
        name = f"{workload.name}.json"
        run(SUITE.portcullis, "profile", "from-evidence", trace, "--minimal", "--format", "oci", "--start-test",
            "--container", f"default/{workload.name}-seen-{NODE_NAME}/main", "--install", name, "--root-dir", self.node.root_dir)
        with open(f"{self.node.root_dir}/seccomp/{name}", encoding="utf-8") as file:
            profile = json.load(file)
        self.assertEqual(profile["defaultAction"], "SCMP_ACT_ERRNO")
        allowed = {call for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for call in rule["names"]}
        self.assertEqual(allowed.intersection(NEVER_SEEN), set())
        self.assertIn("execve", allowed)
        return name

    def check(self, workload):
        node, pod = self.node, f"{workload.name}-confined"
        workload.load(node)
        trace = f"{node.dir}/{workload.name}.jsonl.gz"
        self.record(workload, trace)
        profile = self.derive(workload, trace)
        node.apply(workload.pod(pod, securityContext=harness.seccomp("Localhost", profile)))
        try:
            node.wait_running(pod, timeout=60)
            self.assertEqual(harness.kernel_field(node.pid_of(pod, "main"), "Seccomp"), "2")
            self.put_to_work(workload, pod)
        finally:
            node.remove(pod)
            node.wait_gone(pod)


def of(workload):
    @unittest.skipIf(workload.is_32_bit and not kernel_has_i386(), "this kernel runs no 32-bit programs of x86")
    def test(self):
        self.check(workload)

    return test


for each in workloads.ALL:
    setattr(Workloads, f"test_{each.name}", of(each))
