"""Every CRI call at once, on few pods, in no order: afterwards everything can be removed, and nothing is left.

PORTCULLIS_STORM_SECONDS says for how long (8 unless told); the seed is printed, PORTCULLIS_STORM_SEED repeats it.
"""

import collections
import concurrent.futures
import os
import random
import threading
import time
import unittest

import cri_client
import harness
from cri_client import grpc
from harness import FOREVER, SUITE, wait

SECONDS = float(os.environ.get("PORTCULLIS_STORM_SECONDS", "8"))
CALLERS = 200
PODS = 5
CONTAINERS = 3
# What no call may answer, whatever state it meets.
BAD = {"UNKNOWN", "INTERNAL", "DATA_LOSS", "UNIMPLEMENTED"}
# Answers of those kinds that say what others did in that moment.
RACES = ("is not running", "does not exist", "was killed", "did not run", "no answer", "exec in container",
         "container start failed", "container create failed", "update failed", "the pause process ended at once")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Storm(harness.RuntimeTest):
    def setUp(self):
        seed = os.environ.get("PORTCULLIS_STORM_SEED") or str(random.randrange(1 << 32))
        print(f"storm: seed {seed}, {SECONDS:.0f} s", flush=True)
        self.random = random.Random(seed)
        self.client = cri_client.Client(self.runtime.socket)
        self.addCleanup(self.client.close)
        self.answers = collections.Counter()
        self.bad = []
        self.lock = threading.Lock()
        self.sandboxes = []
        self.containers = []

    def call(self, method, **fields):
        service = "ImageService" if "Image" in method else "RuntimeService"
        try:
            answer = self.client.call(service, method, 120, **fields)
            code, text = "OK", ""
        except grpc.RpcError as error:
            answer, code, text = None, error.code().name, error.details()
        with self.lock:
            self.answers[f"{method} {code}"] += 1
            if code in BAD and not any(known in text for known in RACES):
                self.bad.append(f"{method}: {code}: {text}")
        return answer

    def pod_config(self, number):
        folder = self.runtime.dir
        return {"metadata": {"name": f"p{number}", "namespace": "storm", "uid": f"u{number}"},
                "log_directory": f"{folder}/logs/p{number}", "linux": {"cgroup_parent": f"{self.runtime.cgroup}/storm-p{number}"}}

    def remember(self, names, value):
        with self.lock:
            names.append(value)
            if len(names) > 12:
                names.pop(0)

    def forget(self, names, value):
        with self.lock:
            if value in names:
                names.remove(value)

    def any_of(self, names, rnd):
        with self.lock:
            return rnd.choice(names) if names else "0" * 64

    def step(self, rnd):
        sandbox = self.any_of(self.sandboxes, rnd)
        container = self.any_of(self.containers, rnd)
        number = rnd.randrange(PODS)

        def run():
            made = self.call("RunPodSandbox", config=self.pod_config(number))
            if made:
                self.remember(self.sandboxes, made.pod_sandbox_id)

        def create():
            name = f"c{rnd.randrange(CONTAINERS)}"
            command = rnd.choice([FOREVER, "exit 3", 'trap "exit 0" TERM\n' + FOREVER, "echo hello; sleep 0.2"])
            made = self.call("CreateContainer", pod_sandbox_id=sandbox, sandbox_config=self.pod_config(number),
                             config={"metadata": {"name": name}, "image": {"image": harness.BUSYBOX}, "log_path": f"{name}.log",
                                     "command": ["sh", "-c", command],
                                     "linux": {"security_context": {"seccomp": {"profile_type": rnd.choice([0, 1])}}}})
            if made:
                self.remember(self.containers, made.container_id)
                if rnd.random() < 0.8:
                    self.call("StartContainer", container_id=made.container_id)

        by_container = dict(container_id=container)
        by_sandbox = dict(pod_sandbox_id=sandbox)
        rnd.choice([
            run, run, create, create, create,
            lambda: self.call("StartContainer", **by_container),
            lambda: self.call("StopContainer", timeout=rnd.choice([0, 0, 1]), **by_container),
            lambda: self.call("RemoveContainer", **by_container) and self.forget(self.containers, container),
            lambda: self.call("ExecSync", cmd=["echo", "x"], timeout=10, **by_container),
            lambda: self.call("ExecSync", cmd=["sleep", "60"], timeout=1, **by_container),
            lambda: self.call("Exec", cmd=["sh"], stdout=True, **by_container),
            lambda: self.call("Attach", stdout=True, **by_container),
            lambda: self.call("PortForward", port=[80], **by_sandbox),
            lambda: self.call("ContainerStatus", verbose=True, **by_container),
            lambda: self.call("ContainerStats", **by_container),
            lambda: self.call("UpdateContainerResources", linux={"cpu_shares": rnd.randrange(2, 4096)}, **by_container),
            lambda: self.call("ReopenContainerLog", **by_container),
            lambda: self.call("PodSandboxStatus", verbose=True, **by_sandbox),
            lambda: self.call("ListContainers"), lambda: self.call("ListPodSandbox"),
            lambda: self.call("ListPodSandboxStats"), lambda: self.call("ListContainerStats"),
            lambda: self.call("Status"), lambda: self.call("ImageFsInfo"), lambda: self.call("ListImages"),
            lambda: self.call("StopPodSandbox", **by_sandbox) if rnd.random() < 0.1 else None,
            lambda: self.call("RemovePodSandbox", **by_sandbox) and self.forget(self.sandboxes, sandbox)
            if rnd.random() < 0.1 else None,
        ])()

    def left(self):
        state, run = self.runtime.state_dir, self.runtime.run_dir
        folders = [f"{state}/{name}" for name in ("bundles", "sandboxes", "snapshots", "cni")]
        folders += [f"{run}/{name}" for name in ("netns", "shm", "snapshots", "exits", "attach", "exec", "oci")]
        found = [f"{folder}/{name}" for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)
                 if not name.startswith(".")]
        leases = f"{run}/cni/ipam/portcullis"
        found += [f"{leases}/{name}" for name in (os.listdir(leases) if os.path.isdir(leases) else [])
                  if name != "lock" and not name.startswith("last_reserved")]
        found += SUITE.mounts()
        found += [f"link {link}" for link in SUITE.links() if link != self.runtime.bridge]
        found += [f"process {pid}: {harness.read(f'/proc/{pid}/cmdline')!r}" for pid in SUITE.processes()
                  if pid != self.runtime.process.pid and harness.read(f"/proc/{pid}/comm").strip() != "portc-spawner"]
        return found

    def test_storm(self):
        pid = self.runtime.process.pid
        self.runtime.crictl("version")
        before = descriptors(pid), threads(pid)
        end = time.monotonic() + SECONDS
        seeds = [self.random.randrange(1 << 32) for _ in range(CALLERS)]

        def caller(seed):
            rnd = random.Random(seed)
            while time.monotonic() < end:
                self.step(rnd)

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            for done in [pool.submit(caller, seed) for seed in seeds]:
                done.result()
        self.runtime.check_lives()
        for sandbox in self.call("ListPodSandbox").items:
            self.call("StopPodSandbox", pod_sandbox_id=sandbox.id)
            self.call("RemovePodSandbox", pod_sandbox_id=sandbox.id)
        print("storm: " + ", ".join(f"{what} {count}" for what, count in sorted(self.answers.items())), flush=True)
        self.assertGreater(self.answers["RunPodSandbox OK"], 1)
        self.assertGreater(self.answers["StartContainer OK"], 1)
        self.assertEqual(sorted(set(self.bad)), [])
        self.assertEqual((self.runtime.ids("pods", "-q"), self.runtime.ids("ps", "-a", "-q")), ([], []))
        wait("nothing to be left", lambda: not self.left(), 60, explain=self.left)
        # Threads that were kept for the next calls go by and by; descriptors that are lost do not.
        wait("descriptors to be given back", lambda: descriptors(pid) <= before[0] + 8, 60, explain=lambda: descriptors(pid))
        wait("threads to end", lambda: threads(pid) <= before[1] + 64, 60, explain=lambda: threads(pid))
