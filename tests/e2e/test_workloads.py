"""Debian's programs as containers: each works, restarts and ends in order under the runtime's default profile."""

import harness
import workloads
from harness import wait


class UnderTheDefault(harness.NodeTest):
    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def check(self, workload):
        node = self.node
        workload.load(node)
        self.addCleanup(node.wait_gone, workload.name)
        node.apply(workload.pod(workload.name))
        self.addCleanup(node.remove, workload.name)
        node.wait_running(workload.name, timeout=60)
        self.assertEqual(harness.kernel_field(node.pid_of(workload.name, "main"), "Seccomp"), "2")
        workload.exercise(node, workload.name)
        first = node.id_of(workload.name, "main")
        node.crictl("stop", "--timeout", "20", first)
        self.assertIn(node.inspect(first)["status"]["exitCode"], workload.end)
        wait("a new container", lambda: node.id_of(workload.name, "main") != first, timeout=40)
        node.wait_running(workload.name, timeout=60)
        workload.exercise(node, workload.name)


def of(workload):
    return lambda self: self.check(workload)


for each in workloads.ALL:
    setattr(UnderTheDefault, f"test_{each.name}", of(each))
