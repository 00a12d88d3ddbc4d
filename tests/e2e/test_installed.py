"""The Debian package under systemd: installed, started, restarted, killed, in the kubelet's place, drained, stopped, purged.
Only in a guest of our own (scripts/vm-test): it uses the real places."""

import glob
import json
import os
import shutil
import signal
import subprocess
import unittest
import urllib.request

import harness
from harness import FOREVER, SUITE, container, pod, read, run, wait

PACKAGES = glob.glob(os.path.join(os.environ.get("PORTCULLIS_E2E_PACKAGE_DIR", "/portcullis/build/package"), "*.deb"))
MANIFESTS = "/etc/kubernetes/manifests"
EXAMPLES = f"{harness.REPO}/deploy/examples"
STAND_IN = "[Unit]\nDescription=stands in for kubeadm's kubelet\n[Service]\nExecStart=/bin/sh -c '{command}'\n"


def systemctl(*args, check=True):
    return run("systemctl", *args, check=check, timeout=90).stdout.strip()


def main_pid(unit):
    return int(systemctl("show", "--property=MainPID", "--value", unit))


def journal(unit):
    return run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout[-3000:]


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("PORTCULLIS_E2E_VM") != "1" or read("/proc/1/comm").strip() != "systemd" or not PACKAGES:
            raise unittest.SkipTest("installs the package: needs a machine of its own, with systemd, and the package")

    def setUp(self):
        self.addCleanup(self.remove_by_force)
        run("dpkg", "-i", *PACKAGES, timeout=120)

    def remove_by_force(self):
        """Where the test came to its end there is nothing left to do."""
        for unit in ("portcullis", "portcullis-runtime", "kubelet"):
            systemctl("stop", unit, check=False)
        shutil.rmtree("/etc/systemd/system/kubelet.service.d", ignore_errors=True)
        for path in ("/etc/systemd/system/kubelet.service", f"{MANIFESTS}/web.json"):
            if os.path.exists(path):
                os.remove(path)
        run("dpkg", "-P", "portcullis", check=False)
        systemctl("daemon-reload")
        systemctl("reset-failed", check=False)
        if os.path.exists("/sys/class/net/portcullis0"):
            run("ip", "link", "del", "portcullis0")
        shutil.rmtree("/etc/cni/net.d", ignore_errors=True)

    def crictl(self, *args):
        return run("/usr/lib/portcullis/bin/crictl", *args).stdout

    def web(self):
        """Process and restarts of the pod's container while it runs."""
        with urllib.request.urlopen("http://127.0.0.1:10248/pods", timeout=10) as answer:
            for item in json.load(answer)["items"]:
                for status in item["status"].get("containerStatuses", []):
                    if "running" in status["state"]:
                        inspected = json.loads(self.crictl("inspect", status["containerID"].split("://")[1]))
                        return inspected["info"]["pid"], status["restartCount"]
        raise LookupError("no running container")

    def wait_web(self, unit):
        return wait(f"the pod to run under {unit}", self.web, 60, explain=lambda: journal(unit))

    def test_from_installation_to_purge(self):
        with self.subTest("an installation starts nothing"):
            self.assertEqual(systemctl("is-active", "portcullis", check=False), "inactive")
            self.assertEqual(systemctl("is-enabled", "portcullis", check=False), "disabled")
        run("/usr/bin/portcullis", "image", "load", *glob.glob(f"{SUITE.build}/images/pause*.tar"), f"{SUITE.build}/images/busybox.tar",
            timeout=120)
        harness.write(f"{MANIFESTS}/web.json", pod("web", container("c", FOREVER)))

        systemctl("start", "portcullis.service")
        first = self.wait_web("portcullis")
        with self.subTest("as the unit and the configuration say"):
            daemon = main_pid("portcullis")
            self.assertEqual(os.readlink(f"/proc/{daemon}/exe"), "/usr/bin/portcullis")
            self.assertEqual(read(f"/proc/{daemon}/oom_score_adj").strip(), "-999")
            self.assertEqual(harness.kernel_field(daemon, "Seccomp"), "2", "the daemon's own filter")
            self.assertEqual(harness.kernel_field(first[0], "Seccomp"), "2", "SeccompDefault is on")
            self.assertIn("portcullis-default", read(f"/proc/{first[0]}/attr/current"))
            self.assertIn("kubepods", read(f"/proc/{first[0]}/cgroup"))

        with self.subTest("a restart keeps pods"):
            systemctl("restart", "portcullis")
            self.assertNotEqual(main_pid("portcullis"), daemon)
            self.assertEqual(self.wait_web("portcullis"), first)
        with self.subTest("a killed daemon is started again"):
            daemon = main_pid("portcullis")
            os.kill(daemon, signal.SIGKILL)
            wait("another daemon", lambda: main_pid("portcullis") not in (0, daemon), 60)
            self.assertEqual(self.wait_web("portcullis"), first)
        with self.subTest("an upgrade restarts the daemon and keeps pods"):
            daemon = main_pid("portcullis")
            run("dpkg", "-i", *PACKAGES, timeout=120)
            self.assertNotEqual(main_pid("portcullis"), daemon)
            self.assertEqual(self.wait_web("portcullis"), first)
        with self.subTest("in the kubelet's place"):
            harness.write("/etc/systemd/system/kubelet.service", STAND_IN.format(command="exit 1"))
            os.makedirs("/etc/systemd/system/kubelet.service.d")
            shutil.copy(f"{EXAMPLES}/portcullis-as-kubelet.conf", "/etc/systemd/system/kubelet.service.d/90-portcullis-node.conf")
            systemctl("daemon-reload")
            systemctl("start", "kubelet")
            wait("the other unit to end", lambda: systemctl("is-active", "portcullis", check=False) == "inactive", 60)
            self.assertEqual(os.readlink(f"/proc/{main_pid('kubelet')}/exe"), "/usr/bin/portcullis")
            self.assertEqual(self.wait_web("kubelet"), first)
            systemctl("start", "portcullis")
            wait("the kubelet's unit to end", lambda: systemctl("is-active", "kubelet", check=False) == "inactive", 60)
            self.assertEqual(self.wait_web("portcullis"), first)
        with self.subTest("with pods it is not removed"):
            refused = run("dpkg", "-r", "portcullis", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("portcullis drain", refused.stderr)

        said = run("/usr/bin/portcullis", "drain", timeout=120).stdout
        self.assertTrue(said.endswith("drained\n"), said)
        self.assertFalse(harness.is_alive(first[0]))
        run("/usr/bin/portcullis", "uncordon")
        again = self.wait_web("portcullis")
        run("/usr/bin/portcullis", "drain", timeout=120)
        self.assertFalse(harness.is_alive(again[0]))
        systemctl("stop", "portcullis")
        self.assertEqual(systemctl("is-failed", "portcullis", check=False), "inactive", journal("portcullis"))

        with self.subTest("a kubelet's runtime"):
            harness.write("/etc/systemd/system/kubelet.service", STAND_IN.format(command="echo said $KUBELET_EXTRA_ARGS; exec sleep 1000"))
            shutil.copy(f"{EXAMPLES}/kubelet-with-portcullis-runtime.conf", "/etc/systemd/system/kubelet.service.d/50-portcullis.conf")
            os.remove("/etc/systemd/system/kubelet.service.d/90-portcullis-node.conf")
            systemctl("daemon-reload")
            systemctl("start", "kubelet")
            self.assertEqual(systemctl("is-active", "portcullis-runtime"), "active")
            wait("the runtime to answer",
                 lambda: "RuntimeName:  portcullis" in run("/usr/lib/portcullis/bin/crictl", "version", check=False).stdout, 60,
                 explain=lambda: journal("portcullis-runtime"))
            wait("the kubelet to be told", lambda: "said --container-runtime-endpoint=unix:///run/portcullis/portcullis.sock" in journal("kubelet"))
            systemctl("stop", "kubelet", "portcullis-runtime")

        os.remove(f"{MANIFESTS}/web.json")
        run("dpkg", "-P", "portcullis", timeout=120)
        with self.subTest("nothing is left"):
            for path in ("/usr/bin/portcullis", "/var/lib/portcullis", "/run/portcullis", "/etc/portcullis", "/etc/default/portcullis"):
                self.assertFalse(os.path.exists(path), path)
            mounts = [path for path in (line.split()[4] for line in read("/proc/self/mountinfo").splitlines())
                      if path.startswith(("/run/portcullis", "/var/lib/portcullis"))]
            self.assertEqual(mounts, [])
            left = [pid for pid in harness.pids() if "conmon" in read(f"/proc/{pid}/comm") or
                    os.path.basename(read(f"/proc/{pid}/cmdline").split("\0")[0]) == "portcullis"]
            self.assertEqual([read(f"/proc/{pid}/cmdline") for pid in left], [])
            self.assertEqual(glob.glob("/sys/fs/cgroup/kubepods*/**/pod*", recursive=True), [])
            self.assertNotIn("portcullis-default", read("/sys/kernel/security/apparmor/profiles"))
            failed = subprocess.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"], capture_output=True, text=True,
                                    check=True).stdout
            self.assertEqual(failed, "")
