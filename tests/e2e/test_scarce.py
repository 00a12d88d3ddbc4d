"""The machine has no thread, or no descriptor, to give: calls fail with an error that says so, the daemon and what runs
live on, and once there is room again everything works and nothing is left."""

import concurrent.futures
import os
import resource
import unittest

import cri_client
import harness
from cri_client import grpc
from harness import FOREVER, SUITE, wait

PODS = 8


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Scarce(harness.RuntimeTest):
    def setUp(self):
        self.client = cri_client.Client(self.runtime.socket)
        self.addCleanup(self.client.close)

    def call(self, method, deadline=30, **fields):
        """The answer, or the error's text."""
        try:
            return self.client.call("RuntimeService", method, deadline, **fields), ""
        except grpc.RpcError as error:
            return None, f"{error.code().name}: {error.details()}"

    def pod_config(self, name):
        return {"metadata": {"name": name, "namespace": "scarce", "uid": name}, "log_directory": f"{self.runtime.dir}/logs/{name}",
                "linux": {"cgroup_parent": f"{self.runtime.cgroup}/scarce-{name}"}}

    def run_pod(self, name):
        """Runs a pod with a container; the two ids, and what went wrong."""
        config = self.pod_config(name)
        sandbox, problem = self.call("RunPodSandbox", config=config)
        if not sandbox:
            return None, None, problem
        container, problem = self.call("CreateContainer", pod_sandbox_id=sandbox.pod_sandbox_id, sandbox_config=config, config={
            "metadata": {"name": "c"}, "image": {"image": harness.BUSYBOX}, "log_path": "c.log", "command": ["sh", "-c", FOREVER],
            "linux": {"security_context": {"seccomp": {"profile_type": 0}}}})
        if container:
            _, problem = self.call("StartContainer", container_id=container.container_id)
        return sandbox.pod_sandbox_id, container and container.container_id, problem

    def round_trip(self, name):
        sandbox, container, problem = self.run_pod(name)
        self.call("ExecSync", container_id=container or "none", cmd=["true"], timeout=5)
        self.call("ListPodSandboxStats")
        self.call("Status")
        stops = [self.call("StopPodSandbox", pod_sandbox_id=sandbox or "none")[1]]
        stops.append(self.call("RemovePodSandbox", pod_sandbox_id=sandbox or "none")[1])
        return [text for text in [problem, *stops] if text]

    def check(self, take, give_back):
        """Between the two, calls may fail; the daemon may not."""
        pid = self.runtime.process.pid
        _, container, problem = self.run_pod("kept")
        self.assertEqual(problem, "")
        kept = self.runtime.inspect(container)["info"]["pid"]
        take(pid)
        try:
            with concurrent.futures.ThreadPoolExecutor(PODS) as pool:
                problems = [text for texts in pool.map(self.round_trip, [f"p{n}" for n in range(PODS)]) for text in texts]
            self.runtime.check_lives()
        finally:
            give_back(pid)
        self.assertTrue(problems, "there was enough of everything")
        self.assertTrue(harness.is_alive(kept))
        wait("the runtime to answer", lambda: self.call("Version")[0])
        sandbox, container, problem = self.run_pod("after")
        self.assertEqual(problem, "")
        self.assertEqual(self.runtime.exec(container, "echo", "works").stdout, "works\n")
        for item in self.call("ListPodSandbox")[0].items:
            for method in ("StopPodSandbox", "RemovePodSandbox"):
                self.assertEqual(self.call(method, pod_sandbox_id=item.id)[1], "")
        self.assertFalse(harness.is_alive(kept))
        wait("what failed half-way to go", lambda: not self.left(), 60, explain=self.left)
        return problems

    def left(self):
        """Bundles, attachments, and addresses that nobody has any more."""
        leases = f"{self.runtime.run_dir}/cni/ipam/portcullis"
        return [*os.listdir(f"{self.runtime.state_dir}/bundles"), *os.listdir(f"{self.runtime.state_dir}/cni"),
                *(name for name in os.listdir(leases) if name[0].isdigit())]

    def test_no_thread(self):
        """As when a container that forks without end has taken all of pid_max, but for the daemon alone."""
        hierarchy = "/sys/fs/cgroup/pids" if os.path.isdir("/sys/fs/cgroup/pids") else "/sys/fs/cgroup"
        group = hierarchy + SUITE.cgroup("threads")

        def take(pid):
            os.mkdir(group)
            self.addCleanup(os.rmdir, group)
            with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
                paths = [line.strip().split(":", 2) for line in file]
            self.home = next(path for _, controllers, path in paths if controllers == "pids" or hierarchy == "/sys/fs/cgroup")
            move(f"{group}/cgroup.procs", pid)
            move(f"{group}/pids.max", int(harness.read(f"{group}/pids.current")) + 1)

        def give_back(pid):
            move(f"{hierarchy}{self.home}/cgroup.procs", pid)

        def move(file, value):
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(f"{value}\n")

        problems = self.check(take, give_back)
        self.assertTrue(any("no thread for it" in text for text in problems), problems)

    def test_no_descriptor(self):
        limits = []

        def take(pid):
            limits.append(resource.prlimit(pid, resource.RLIMIT_NOFILE))
            highest = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 4, limits[0][1]))

        problems = self.check(take, lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, limits[0]))
        self.assertTrue(any("too many open files" in text.lower() for text in problems), problems)
