"""What the kernel holds of a pod's cpu, memory and process limits, on every cgroup layout and with both drivers; and what it does to those who want more."""

import glob
import os
import subprocess
import unittest

import harness
from harness import FOREVER, SUITE, SYSTEMD, UNIFIED, container, pod, read, wait

LIMITS = {"requests": {"cpu": "250m"}, "limits": {"cpu": "500m", "memory": "64Mi"}}
HOG = "x=$(head -c 400000000 /dev/zero | tr '\\0' x); echo survived\n" + FOREVER


def cgroup_of(pid):
    """As the kernel says it: on v1 that of the memory controller."""
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" if UNIFIED else "memory" in controllers.split(","):
            return path
    raise LookupError(f"process {pid} has no cgroup")


def value(controller, cgroup, v1, v2):
    """Content of the layout's file; None when there is no such cgroup."""
    path = f"/sys/fs/cgroup{cgroup}/{v2}" if UNIFIED else f"/sys/fs/cgroup/{controller}{cgroup}/{v1}"
    return read(path).strip() if os.path.exists(path) else None


def weight(shares):
    return str(1 + (shares - 2) * 9999 // 262142 if UNIFIED else shares)


def shares_of(cgroup):
    return value("cpu", cgroup, "cpu.shares", "cpu.weight")


def quota_of(cgroup):
    return (value("cpu", cgroup, "cpu.cfs_quota_us", "cpu.max") or "").split(" ")[0]


def memory_of(cgroup):
    return value("memory", cgroup, "memory.limit_in_bytes", "memory.max")


def counter(controller, cgroup, name, v1, v2):
    lines = (value(controller, cgroup, v1, v2) or "").splitlines()
    return next((int(line.split()[1]) for line in lines if line.split()[0] == name), 0)


class Limits(harness.NodeTest):
    CONFIG = {"podPidsLimit": 40}

    def runs(self, name, *containers, **spec):
        self.node.apply(pod(name, *containers, **spec))
        self.addCleanup(self.ended, name)
        self.node.wait_running(name, containers[0]["name"])
        return cgroup_of(self.node.pid_of(name, containers[0]["name"]))

    def ended(self, name):
        if os.path.exists(f"{self.node.manifests}/{name}.json"):
            self.node.remove(name)
        self.node.wait_gone(name)

    def test_names_numbers_and_throttling(self):
        cgroup = self.runs("busy", container("c", "while :; do :; done", resources=LIMITS))
        pod_cgroup, own = os.path.split(cgroup)
        of_class, name = os.path.split(pod_cgroup)
        of_pods = os.path.dirname(of_class)
        container_id = self.node.id_of("busy", "c")
        uid = self.node.pod("busy")["metadata"]["uid"]
        if SYSTEMD:
            self.assertEqual(own, f"portcullis-{container_id}.scope")
            self.assertTrue(name.endswith(f"-kubepods-burstable-pod{uid.replace('-', '_')}.slice"), name)
            self.assertTrue(of_class.endswith("-kubepods-burstable.slice"), of_class)
            for unit in (own, name):
                active = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False).stdout
                self.assertEqual(active.strip(), "active", unit)
            conmon = glob.glob(f"/sys/fs/cgroup{'' if UNIFIED else '/systemd'}{pod_cgroup}/portcullis-conmon-{container_id}.scope")
            self.assertEqual(len(conmon), 1)
        else:
            self.assertEqual((own, name), (container_id, f"pod{uid}"))
            self.assertEqual(of_class, f"{self.node.cgroup}/kubepods/burstable")
        with self.subTest("container"):
            self.assertEqual((shares_of(cgroup), quota_of(cgroup), memory_of(cgroup)), (weight(256), "50000", str(64 << 20)))
        with self.subTest("pod"):
            wait("the pod's limits", lambda: (shares_of(pod_cgroup), quota_of(pod_cgroup), memory_of(pod_cgroup)) ==
                 (weight(256), "50000", str(64 << 20)),
                 explain=lambda: str((shares_of(pod_cgroup), quota_of(pod_cgroup), memory_of(pod_cgroup))))
            wait("podPidsLimit", lambda: value("pids", pod_cgroup, "pids.max", "pids.max") == "40")
        with self.subTest("classes of pods"):
            wait("the class's shares", lambda: shares_of(of_class) == weight(256), explain=lambda: shares_of(of_class))
            wait("all pods' shares", lambda: shares_of(of_pods) == weight(os.cpu_count() * 1024),
                 explain=lambda: shares_of(of_pods))
        with self.subTest("oom_score_adj"):
            own_score = int(read(f"/proc/{self.node.process.pid}/oom_score_adj"))
            self.assertGreaterEqual(int(read(f"/proc/{self.node.pid_of('busy', 'c')}/oom_score_adj")), max(3, own_score))
        with self.subTest("the kernel holds it back"):
            wait("it to be throttled", lambda: counter("cpu", cgroup, "nr_throttled", "cpu.stat", "cpu.stat") > 0)
        with self.subTest("stats say the same"):
            stats = self.node.json("statsp", "-o", "json", "--name", "busy")["stats"][0]["linux"]
            self.assertGreaterEqual(int(stats["process"]["processCount"]["value"]), 2)
            memory = stats["containers"][0]["memory"]
            self.assertEqual(int(memory["availableBytes"]["value"]) + int(memory["workingSetBytes"]["value"]), 64 << 20)
        self.ended("busy")
        self.assertFalse(glob.glob(f"/sys/fs/cgroup/{'' if UNIFIED else '*/'}{pod_cgroup[1:]}"))

    def test_best_effort_has_the_least(self):
        cgroup = self.runs("least", container("c", FOREVER))
        of_class = os.path.dirname(os.path.dirname(cgroup))
        self.assertIn("besteffort", of_class)
        wait("the class's shares", lambda: shares_of(of_class) == weight(2), explain=lambda: shares_of(of_class))
        self.assertIn(quota_of(cgroup), ("-1", "max"))

    def test_a_small_pod(self):
        # Its monitor, its pause process and the OCI runtime at work count as the pod's.
        small = {"requests": {"cpu": "50m"}, "limits": {"cpu": "50m", "memory": "12Mi"}}
        self.runs("small", container("c", FOREVER, resources=small))
        status = self.node.container_status("small", "c")
        self.assertEqual(status["restartCount"], 0)

    def test_processes(self):
        # A shell's failed fork ends it, so the forks are a child's.
        cgroup = self.runs("forks", container("c", "(for i in $(seq 100); do sleep 1000 & done) 2>/dev/null; echo done\n" + FOREVER))
        pod_cgroup = os.path.dirname(cgroup)
        wait("the kernel to refuse a fork", lambda: counter("pids", pod_cgroup, "max", "pids.events", "pids.events") > 0 or
             counter("pids", cgroup, "max", "pids.events", "pids.events") > 0)
        self.assertLessEqual(int(value("pids", pod_cgroup, "pids.current", "pids.current")), 40)

    def test_out_of_memory(self):
        self.runs("oom", container("other", FOREVER, resources=LIMITS), container("hog", HOG, resources=LIMITS), restartPolicy="Never")
        hog = self.node.wait_state("oom", "hog", "terminated")["state"]["terminated"]
        self.assertEqual((hog["exitCode"], hog["reason"]), (137, "OOMKilled"))
        # Its neighbour is killed by hand: the hog's fate is not its own.
        os.kill(self.node.pid_of("oom", "other"), 9)
        other = self.node.wait_state("oom", "other", "terminated")["state"]["terminated"]
        self.assertEqual((other["exitCode"], other["reason"]), (137, "Error"))


class Driver(harness.RuntimeTest):
    def refused(self, driver):
        command = [SUITE.portcullis, "runtime", "--state-dir", f"{self.runtime.dir}/s2", "--run-dir", f"{self.runtime.dir}/r2",
                   "--listen", f"{self.runtime.dir}/r2/sock", "--cgroup-driver", driver]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30 * harness.SLOW, check=False)
        self.assertEqual(done.returncode, 1)
        return done.stderr.splitlines()[-1]

    def test_an_unknown_one(self):
        self.assertEqual(self.refused("cgroup"), 'portcullis runtime: cgroup driver "cgroup": want cgroupfs or systemd')

    @unittest.skipIf(os.path.exists("/run/systemd/system"), "PID 1 is systemd here")
    def test_systemd_without_systemd(self):
        comm = read("/proc/1/comm").strip()
        self.assertEqual(self.refused("systemd"), 'portcullis runtime: cgroup driver "systemd" needs systemd as PID 1, and that '
                                                  f'is "{comm}" here: use cgroup driver "cgroupfs"')

    def test_the_runtime_tells_its_own(self):
        self.assertEqual(self.runtime.crictl("runtime-config").stdout.split()[-1], "SYSTEMD" if SYSTEMD else "CGROUPFS")

    def test_a_parent_of_the_other(self):
        parent = "/kubepods/pod1" if SYSTEMD else "kubepods-pod1.slice"
        file = harness.write(f"{self.runtime.dir}/pod.json", {"metadata": {"name": "p", "namespace": "d", "uid": "u"},
                                                              "linux": {"cgroup_parent": parent}})
        done = self.runtime.crictl("runp", file, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f'cgroup parent "{parent}" is {"no" if SYSTEMD else "a"} systemd slice but the cgroup driver is '
                      f"{harness.CGROUP_DRIVER}", done.stderr)
        self.assertEqual(self.runtime.ids("pods", "-q"), [])


V1 = [path for path in glob.glob("/sys/fs/cgroup/*") if os.path.exists(f"{path}/cgroup.procs") and not os.path.exists(f"{path}/cgroup.controllers")]


@unittest.skipIf(not V1 or SYSTEMD, "a kubelet makes cgroups in v1 hierarchies only where there are some")
class OfAKubelet(harness.RuntimeTest):
    """A kubelet makes the cgroups of its pods and their classes, in the v1 hierarchies alone, and removes them itself."""

    def make_cgroup(self, cgroup):
        for hierarchy in V1:
            path = hierarchy
            for name in cgroup[1:].split("/"):
                above, path = path, f"{path}/{name}"
                if not os.path.isdir(path):
                    os.mkdir(path)
                    for file in ("cpuset.cpus", "cpuset.mems"):
                        if os.path.exists(f"{path}/{file}"):
                            with open(f"{path}/{file}", "w", encoding="ascii") as setting:
                                setting.write(read(f"{above}/{file}"))

    @staticmethod
    def remove_cgroup(cgroup, hierarchies):
        for hierarchy in hierarchies:
            if os.path.isdir(hierarchy + cgroup):
                os.rmdir(hierarchy + cgroup)

    def run_pod(self, name):
        """Runs and removes a pod in a cgroup that was there before."""
        cgroup = f"{self.runtime.cgroup}/kubepods/besteffort/pod-{name}"
        self.make_cgroup(cgroup)
        file = harness.write(f"{self.runtime.dir}/{name}.json", {"metadata": {"name": name, "namespace": "d", "uid": name},
                                                                 "linux": {"cgroup_parent": cgroup}})
        self.runtime.crictl("rmp", "-f", self.runtime.crictl("runp", file).stdout.strip())
        return cgroup

    def remove_all(self):
        everywhere = [path for path in glob.glob("/sys/fs/cgroup/*") if os.path.isdir(path)]
        below = f"{self.runtime.cgroup}/kubepods"
        for cgroup in (f"{below}/besteffort/pod-a", f"{below}/besteffort/pod-b", f"{below}/besteffort", below, self.runtime.cgroup):
            self.remove_cgroup(cgroup, everywhere)

    def test_they_are_left_to_it(self):
        self.addCleanup(self.remove_all)
        first = self.run_pod("a")
        self.assertEqual([path for path in V1 if not os.path.isdir(path + first)], [])
        self.remove_cgroup(first, V1)
        second = self.run_pod("b")
        self.assertEqual([path for path in V1 if not os.path.isdir(path + second)], [])
        self.assertEqual(glob.glob(f"/sys/fs/cgroup/*{first}"), [], "what the runtime made of the removed one is gone too")


def capacity():
    """Bytes of memory, and processes that the kernel allows at a time."""
    limits = [int(read(f"/proc/sys/kernel/{name}")) for name in ("pid_max", "threads-max")]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), min(limits)


class Reserved(unittest.TestCase):
    """systemReserved, kubeReserved and what is enforced of them."""

    def node(self, **config):
        node = harness.Node(config=config)
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        return node

    def of_all_pods(self, node):
        return f"/{node.cgroup[1:].replace('-', '_')}.slice/{node.cgroup[1:].replace('-', '_')}-kubepods.slice" if SYSTEMD \
            else f"{node.cgroup}/kubepods"

    def limits_of(self, cgroup):
        return memory_of(cgroup), value("pids", cgroup, "pids.max", "pids.max"), shares_of(cgroup)

    def test_pods_get_what_is_left(self):
        memory, pids = capacity()
        node = self.node(systemReserved={"memory": "100Mi", "cpu": "100m", "pid": "200"},
                         kubeReserved={"memory": "28Mi", "cpu": "50m", "ephemeral-storage": "1Gi"})
        node.start()
        ask = [{"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
               {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}]
        node.apply(pod("left", container("c", "echo cpu=$CPU memory=$MEMORY\n" + FOREVER, env=ask)))
        node.wait_running("left")
        milli = os.cpu_count() * 1000 - 150
        left = (memory - (128 << 20)) // 4096 * 4096
        wait("the limits of all pods", lambda: self.limits_of(self.of_all_pods(node)) ==
             (str(left), str(pids - 200), weight(milli * 1024 // 1000)), explain=lambda: self.limits_of(self.of_all_pods(node)))
        self.assertEqual(node.wait_log("left", "c", "memory="), f"cpu={milli} memory={memory - (128 << 20)}\n")

    def test_not_enforced(self):
        memory, pids = capacity()
        node = self.node(systemReserved={"memory": "100Mi"}, enforceNodeAllocatable=["none"])
        node.start()
        node.apply(pod("all", container("c", FOREVER)))
        node.wait_running("all")
        wait("the limits of all pods", lambda: self.limits_of(self.of_all_pods(node)) ==
             (str(memory), str(pids), weight(os.cpu_count() * 1024)), explain=lambda: self.limits_of(self.of_all_pods(node)))

    def test_more_than_there_is(self):
        node = self.node(kubeReserved={"memory": "1Ei"})
        node.start(wait_ready=False)
        self.assertEqual(node.process.wait(20), 1)
        self.assertIn('invalid Node Allocatable configuration. Resource "memory" has a reservation of 1152921504606846976 but '
                      "capacity of", node.log_text())
        node.process = None

    def test_reserved_cgroups(self):
        if SYSTEMD:
            self.skipTest("the cgroup of this test would be systemd's")
        node = self.node(systemReserved={"memory": "64Mi", "cpu": "250m"}, enforceNodeAllocatable=["pods", "system-reserved"])
        theirs = node.config["systemReservedCgroup"] = f"{node.cgroup}/system"
        node.start(wait_ready=False)
        self.assertEqual(node.process.wait(20), 1)
        self.assertIn(f'Failed to enforce System Reserved Cgroup Limits on "{theirs}": "{theirs}" cgroup does not exist', node.log_text())
        tops = ["/sys/fs/cgroup"] if UNIFIED else [path for path in glob.glob("/sys/fs/cgroup/*") if os.path.exists(f"{path}/cgroup.procs")]
        for top in tops:
            os.makedirs(f"{top}{theirs}")
            self.addCleanup(lambda path=f"{top}{theirs}": (os.rmdir(path), os.rmdir(os.path.dirname(path))))
        if UNIFIED:
            harness.run("sh", "-c", f"echo +memory +cpu > /sys/fs/cgroup{node.cgroup}/cgroup.subtree_control")
        node.start()
        self.assertEqual((memory_of(theirs), shares_of(theirs)), (str(64 << 20), weight(256)))
        # The cleanups of the cgroups run first.
        node.remove_pods()
        node.stop()
        node.process = None

    def test_without_cgroups_of_pods(self):
        """cgroupsPerQOS: false: all containers lie in the runtime's own parent."""
        node = self.node(cgroupsPerQOS=False, enforceNodeAllocatable=[])
        node.start()
        node.apply(pod("flat", container("c", FOREVER, resources=LIMITS)))
        node.wait_running("flat")
        cgroup = cgroup_of(node.pid_of("flat", "c"))
        self.assertEqual(os.path.dirname(cgroup), node.cgroup_parent)
        self.assertEqual((shares_of(cgroup), memory_of(cgroup)), (weight(256), str(64 << 20)))
        self.assertFalse(glob.glob(f"/sys/fs/cgroup/{'' if UNIFIED else '*/'}{self.of_all_pods(node)[1:]}"))
        node.remove("flat")
        node.wait_gone("flat")
