"""What the benches of pods share: a persistent CRI client, the pod that every side runs, and memory by process."""

import concurrent.futures
import os
import statistics
import sys
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests", "e2e"))
sys.dont_write_bytecode = True

import cri_client  # noqa: E402
import harness  # noqa: E402  (the tests' harness is on the path only now)
from harness import FOREVER, SUITE  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


class CriPods:
    """Pods of one busybox container each, made and removed by CRI calls over one connection."""

    def __init__(self, runtime):
        self.client = cri_client.Client(runtime.socket)
        self.api = self.client.api
        self.folder, self.cgroup = runtime.dir, f"{runtime.cgroup}/bench"

    def call(self, method, **fields):
        return self.client.call("RuntimeService", method, deadline=120, **fields)

    def close(self):
        self.client.close()

    def start(self, name):
        """Sandbox, container, start: (ids, seconds by step)."""
        api = self.api
        runtime_default = api.SecurityProfile(profile_type=api.SecurityProfile.RuntimeDefault)
        pod = api.PodSandboxConfig(
            metadata=api.PodSandboxMetadata(name=name, namespace="bench", uid=name),
            log_directory=f"{self.folder}/bench-logs/{name}",
            linux=api.LinuxPodSandboxConfig(cgroup_parent=self.cgroup, security_context=api.LinuxSandboxSecurityContext(
                seccomp=runtime_default)))
        config = api.ContainerConfig(
            metadata=api.ContainerMetadata(name="c"), image=api.ImageSpec(image=harness.BUSYBOX), log_path="c.log",
            command=["sh", "-c", 'trap "exit 0" TERM; ' + FOREVER],
            linux=api.LinuxContainerConfig(security_context=api.LinuxContainerSecurityContext(seccomp=runtime_default)))
        times = [time.monotonic()]
        sandbox = self.call("RunPodSandbox", config=pod).pod_sandbox_id
        times.append(time.monotonic())
        container = self.call("CreateContainer", pod_sandbox_id=sandbox, config=config, sandbox_config=pod).container_id
        times.append(time.monotonic())
        self.call("StartContainer", container_id=container)
        times.append(time.monotonic())
        return (sandbox, container), [after - before for before, after in zip(times, times[1:])]

    def end(self, ids):
        """Stop container and sandbox, remove both: seconds."""
        sandbox, container = ids
        began = time.monotonic()
        self.call("StopContainer", container_id=container, timeout=10)
        self.call("StopPodSandbox", pod_sandbox_id=sandbox)
        self.call("RemoveContainer", container_id=container)
        self.call("RemovePodSandbox", pod_sandbox_id=sandbox)
        return time.monotonic() - began

    def burst(self, count, width):
        """`count` pods, `width` at a time: (ids, seconds of each, seconds of all)."""

        def one(number):
            began = time.monotonic()
            ids, _ = self.start(f"burst{number}")
            return ids, time.monotonic() - began

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(width) as pool:
            done = list(pool.map(one, range(count)))
        whole = time.monotonic() - began
        return [ids for ids, _ in done], [seconds for _, seconds in done], whole

    def end_all(self, all_ids, width):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(width) as pool:
            list(pool.map(self.end, all_ids))
        return time.monotonic() - began


def pss_kib(pid):
    for line in harness.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def needed_processes(daemon, folder, cgroup):
    """By what it is: the daemon, the monitors beside containers and the pause processes; not what the user runs."""
    found = {"daemon": [daemon], "monitors": [], "pause": []}
    for pid in harness.pids():
        if pid == daemon or not harness.is_alive(pid):
            continue
        command = harness.read(f"/proc/{pid}/cmdline").split("\0")
        if command[0] == "/pause" and cgroup + "/" in harness.read(f"/proc/{pid}/cgroup"):
            found["pause"].append(pid)
        elif any(folder + "/" in word for word in command):
            found["monitors"].append(pid)
    return found


def memory(daemon, folder, cgroup):
    """PSS in KiB by what it is, after a moment without calls: the lowest of some samples of the sum."""
    best = None
    for _ in range(4):
        time.sleep(0.5)
        sums = {what: sum(pss_kib(pid) for pid in pids) for what, pids in needed_processes(daemon, folder, cgroup).items()}
        if best is None or sum(sums.values()) < sum(best.values()):
            best = sums
    return best


def spread(times):
    values = [1000 * value for value in times]
    return f"{statistics.median(values):.0f} ({min(values):.0f} .. {max(values):.0f})"


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if theirs else "-"


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
