"""A profile that makes libseccomp spin for ever: its pod gets an error, and nothing goes on spinning."""

import time

import harness
from harness import FOREVER, container, pod, seccomp, wait

# Two rules with the same first test by LE, then LT in the first and NE in the second: libseccomp never returns.
SPINS = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_LE"}, {"index": 1, "value": 3, "op": "SCMP_CMP_LT"}]},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_LE"}, {"index": 1, "value": 38, "op": "SCMP_CMP_NE"}]},
    ],
}


def cpu_ticks(pid):
    fields = harness.read(f"/proc/{pid}/stat").rsplit(")", 1)[-1].split()
    return int(fields[11]) + int(fields[12]) if len(fields) > 12 else 0


class Hang(harness.NodeTest):
    ARGS = ["--compile-seccomp=false"]  # with crun libseccomp would not be asked otherwise
    CONFIG = {"runtimeRequestTimeout": "4s"}

    def spinning(self):
        """OCI runtimes and their children that belong to us, with the CPU time they used."""
        found = {}
        for pid in harness.SUITE.processes():
            words = harness.read(f"/proc/{pid}/cmdline").split("\0")
            if any(word in ("create", "init") for word in words) and "conmon" not in words[0]:
                found[pid] = cpu_ticks(pid)
        return found

    def test_it_ends(self):
        self.node.profile("spins.json", SPINS)
        self.node.apply(pod("bystander", container("c", FOREVER)))
        self.node.wait_running("bystander")
        before = self.node.pid_of("bystander", "c")
        began = time.monotonic()
        self.node.apply(pod("spins", container("c", FOREVER, securityContext=seccomp("Localhost", "spins.json"))))
        with self.subTest("other pods start meanwhile"):
            wait("the runtime to be at it", lambda: self.spinning(), 10, 0.02)
            self.node.apply(pod("other", container("c", FOREVER)))
            self.node.wait_running("other")
        with self.subTest("the error is told"):
            status = self.node.wait_state("spins", "c", "waiting", "CreateContainerError", timeout=30)
            self.assertRegex(status["state"]["waiting"]["message"], r"(?i)deadline|timed out|within|did not")
            self.assertLess(time.monotonic() - began, 25)
        # The manifest goes, so that there is no next attempt.
        self.node.remove("spins")
        self.node.wait_gone("spins")
        with self.subTest("nothing goes on spinning"):
            wait("no runtime at work", lambda: not self.spinning(), 10, explain=lambda: self.spinning())
            used = {pid: cpu_ticks(pid) for pid in harness.SUITE.processes()}
            time.sleep(0.5)
            busy = [pid for pid, ticks in used.items() if cpu_ticks(pid) - ticks > 25]
            self.assertEqual(busy, [])
        with self.subTest("the others are unharmed"):
            self.assertEqual(self.node.pid_of("bystander", "c"), before)
            self.assertEqual(self.node.container_status("bystander", "c")["restartCount"], 0)
            self.assertEqual(self.node.exec(self.node.id_of("other", "c"), "echo", "fine").stdout, "fine\n")
            self.assertEqual(self.node.get("/healthz"), "ok")
