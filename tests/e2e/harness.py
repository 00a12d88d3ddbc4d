"""Starts `portcullis node` and `portcullis runtime` with a folder, socket, bridge, subnet and cgroup of their own.

    class MyTest(harness.NodeTest):
        ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

        def test_it(self):
            self.node.apply(pod("web", container("c", "sleep 1000")))
            self.node.wait_running("web")

Nothing outside of the scratch folder is used, so that the tests run beside a real node. A class's node is closed after
its tests: its pods are removed the ordinary way, and what is still there then is a failure (and is removed by force).
Waiting is polling with a bound; there are no fixed sleeps.
"""

import glob
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUSYBOX = "busybox:latest"
NODE_NAME = "e2e"
PROBE = "/usr/local/bin/seccomp-probe"
# How many times longer everything may take here (an emulator, a sanitizer's build); never less than on a plain machine.
SLOW = max(1.0, float(os.environ.get("PORTCULLIS_E2E_SLOW", "1")))
OCI_RUNTIME = os.environ.get("PORTCULLIS_E2E_OCI_RUNTIME", "auto")
CGROUP_DRIVER = os.environ.get("PORTCULLIS_E2E_CGROUP_DRIVER", "cgroupfs")
SYSTEMD = CGROUP_DRIVER == "systemd"
UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def wait(what, condition, timeout=30.0, step=0.05, explain=None):
    """Polls until `condition()` gives something true, and returns that. Errors that a busy system may give count as no.
    `explain()` is what a failure says was there instead."""
    timeout *= SLOW
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, LookupError, subprocess.SubprocessError, json.JSONDecodeError) as error:
            last = error
        if time.monotonic() > deadline:
            seen = explain() if explain else describe(last)
            raise AssertionError(f"{what}: not within {timeout:.0f} s; last seen: {seen}")
        time.sleep(step)


def describe(value):
    if isinstance(value, subprocess.CalledProcessError):
        return f"{value}: {value.stderr}"
    return repr(value)


def read(path, fallback=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return fallback


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    """Written beside and renamed, so that nobody reads half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = os.path.join(os.path.dirname(path), ".new-" + os.path.basename(path))
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text if isinstance(text, str) else json.dumps(text, indent=1))
    os.rename(beside, path)
    return path


def run(*command, check=True, timeout=60, env=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * SLOW, check=False, env=env)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kernel_field(pid, name):
    found = re.search(rf"^{name}:\s*(\S+)", read(f"/proc/{pid}/status"), re.MULTILINE)
    return found.group(1) if found else None


def is_alive(pid):
    """A zombie is not."""
    return kernel_field(pid, "State") not in (None, "Z", "X")


def is_exiting(pid):
    """It has been killed, and runs nothing any more."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return len(fields) > 6 and int(fields[6]) & 0x4 != 0  # PF_EXITING


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


# Pods as Python objects.


def container(name, script=None, image=BUSYBOX, **more):
    """`script` runs under sh, which ends at once on SIGTERM."""
    made = {"name": name, "image": image, "imagePullPolicy": "IfNotPresent"}
    if script is not None:
        made["command"] = ["sh", "-c", 'trap "exit 0" TERM\n' + script]
    made.update(more)
    return made


FOREVER = "while :; do sleep 1000 & wait; done"


def pod(name, *containers, **spec):
    """Entries of `metadata` go to the metadata, everything else to the spec."""
    metadata = {"name": name, **spec.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"terminationGracePeriodSeconds": 2, "containers": list(containers), **spec}}


def seccomp(kind, path=None):
    profile = {"type": kind}
    if path is not None:
        profile["localhostProfile"] = path
    return {"seccompProfile": profile}


class Suite:
    """What all tests share: the build, the scratch folder, the loaded images, and the marks that our things bear."""

    def __init__(self):
        self.build = self.scratch = self.portcullis = self.template = ""
        self.token = "%04x" % random.randrange(1 << 16)
        self.numbers = itertools.count(1)
        self.subnets = []
        self.bridges = []
        self.empty_chains = set()

    def prepare(self, build):
        self.build = os.path.abspath(build)
        self.portcullis = os.path.join(self.build, "bin", "portcullis")
        # Short: socket paths may have no more than 107 characters.
        self.scratch = tempfile.mkdtemp(prefix="pce-", dir=os.environ.get("PORTCULLIS_E2E_DIR", "/tmp"))
        os.chmod(self.scratch, 0o755)
        # Several runs of one machine may share it (the guest of scripts/vm-test takes its time to load images).
        self.template = os.environ.get("PORTCULLIS_E2E_TEMPLATE") or os.path.join(self.scratch, "template")
        self.empty_chains = empty_cni_chains()
        if not os.path.isdir(self.template):
            archives = sorted(glob.glob(os.path.join(self.build, "images", "*.tar")))
            run(self.portcullis, "image", "load", "--state-dir", self.template + ".new", *archives, timeout=120)
            os.rename(self.template + ".new", self.template)

    def cgroup(self, number):
        return f"/pce-{self.token}-{number}"

    def bridge(self, number):
        self.bridges.append(f"pce{self.token}x{number}")
        return self.bridges[-1]

    def subnet(self):
        """A private /24 that no route of this host knows."""
        routes = run("ip", "-4", "route", "show", "table", "all").stdout
        for _ in range(1000):
            third = random.randrange(256)
            if f"10.201.{third}." not in routes and f"10.201.{third}.0/24" not in self.subnets:
                self.subnets.append(f"10.201.{third}.0/24")
                return self.subnets[-1]
        raise AssertionError("no free subnet in 10.201.0.0/16")

    def subnet6(self):
        self.subnets.append(f"fdce:{random.randrange(1, 1 << 16):x}:{random.randrange(1, 1 << 16):x}::/64")
        return self.subnets[-1]

    # What bears our marks and should be gone.

    def mounts(self):
        lines = read("/proc/self/mountinfo").splitlines()
        return [line.split()[4] for line in lines if self.scratch + "/" in line]

    def cgroups(self):
        found = []
        for hierarchy in [*glob.glob("/sys/fs/cgroup/*/"), "/sys/fs/cgroup/"]:
            found += glob.glob(os.path.join(hierarchy, f"pce[-_]{self.token}[-_]*"))
        return found

    def processes(self):
        """Processes in our cgroups, or with our scratch folder in their command line; not this one."""
        mine = []
        for pid in pids():
            if pid == os.getpid() or not is_alive(pid):
                continue
            if re.search(f"/pce[-_]{self.token}[-_]", read(f"/proc/{pid}/cgroup")) or self.scratch + "/" in read(f"/proc/{pid}/cmdline"):
                if is_alive(pid):  # still: it may have ended while it was looked at
                    mine.append(pid)
        return mine

    def links(self):
        return [name for name in os.listdir("/sys/class/net") if name in self.bridges or self.master_of(name) in self.bridges]

    @staticmethod
    def master_of(link):
        try:
            return os.path.basename(os.readlink(f"/sys/class/net/{link}/master"))
        except OSError:
            return ""

    def rules(self, v6=False):
        """Rules with addresses of our subnets, and chains and rules of our bridges."""
        marks = [subnet.split("::")[0] + "::" if ":" in subnet else subnet.rsplit(".", 1)[0] + "." for subnet in self.subnets]
        lines = run("ip6tables-save" if v6 else "iptables-save", check=False).stdout.splitlines()
        bridges = re.compile("|".join(rf"\b{bridge}\b" for bridge in self.bridges) or "(?!)")
        return [line for line in lines if any(mark in line for mark in marks) or bridges.search(line)]

    def leftovers(self):
        # What has been killed may wait for its parent, PID 1 by now, to take note of its children.
        deadline = time.monotonic() + 5 * SLOW
        while any(is_exiting(pid) for pid in self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        found = [f"mount {path}" for path in self.mounts()]
        found += [f"cgroup {path}" for path in self.cgroups()]
        found += [f"process {pid}: {read(f'/proc/{pid}/cmdline')[:200]!r}" for pid in self.processes()]
        found += [f"network link {name}" for name in self.links()]
        found += [f"iptables rule {line}" for line in self.rules()]
        found += [f"ip6tables rule {line}" for line in self.rules(v6=True)]
        found += [f"iptables chain {name}" for name in sorted(empty_cni_chains() - self.empty_chains)]
        return found

    def remove_by_force(self):
        """After a failure: everything that bears our marks, by its id."""
        for _ in range(5):
            processes = self.processes()
            for pid in processes:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not processes:
                break
            time.sleep(0.2)
        for path in sorted(self.mounts(), reverse=True):
            run("umount", "-l", path.encode().decode("unicode_escape"), check=False)
        for link in self.links():
            run("ip", "link", "del", link, check=False)
        for top in self.cgroups():
            if top.endswith(".slice"):
                run("systemctl", "stop", os.path.basename(top), check=False)
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        self.remove_rules()
        for chain in empty_cni_chains() - self.empty_chains:
            run("iptables", "-t", "nat", "-X", chain, check=False)

    def remove_rules(self):
        for v6, tool in ((False, "iptables"), (True, "ip6tables")):
            lines = self.rules(v6)
            for line in lines:
                if line.startswith("-A "):
                    run("sh", "-c", f"{tool} -t nat -D {line[3:]}", check=False)
            for line in lines:
                if line.startswith(":"):
                    run(tool, "-t", "nat", "-X", line[1:].split()[0], check=False)

    def clean_up(self):
        if not self.scratch:
            return
        if self.leftovers():
            self.remove_by_force()
        if os.environ.get("PORTCULLIS_E2E_KEEP"):
            print(f"e2e: kept {self.scratch}", flush=True)
        elif not self.mounts():
            shutil.rmtree(self.scratch, ignore_errors=True)


def empty_cni_chains():
    """CNI's chains for one container each, with no rule in them and none leading to them."""
    text = run("iptables-save", "-t", "nat", check=False).stdout
    chains = re.findall(r"^:(CNI-[0-9a-f]{16,}) ", text, re.MULTILINE)
    return {chain for chain in chains if not re.search(rf"^-A .*\b{chain}\b", text, re.MULTILINE)}


SUITE = Suite()


class Daemon:
    """A `portcullis node` or `portcullis runtime` with folders of its own; may be started again after it ended."""

    VERB = ""

    def __init__(self, *args):
        self.number = next(SUITE.numbers)
        self.dir = os.path.join(SUITE.scratch, str(self.number))
        self.args = list(args)
        self.process = None
        self.socket = f"{self.dir}/run/p.sock"
        self.log = f"{self.dir}/log"
        self.state_dir = f"{self.dir}/state"
        self.run_dir = f"{self.dir}/run"
        self.cgroup = SUITE.cgroup(self.number)
        # Of pods that name none; with systemd the name of a slice says where it is.
        self.cgroup_parent = f"/{self.cgroup[1:].replace('-', '_')}.slice" if SYSTEMD else f"{self.cgroup}/cri"
        self.bridge = SUITE.bridge(self.number)
        self.subnet = SUITE.subnet()
        os.makedirs(self.dir)
        run("cp", "-a", "--reflink=auto", SUITE.template, self.state_dir)

    def runtime_flags(self):
        return ["--state-dir", self.state_dir, "--run-dir", self.run_dir, "--listen", self.socket,
                "--cni-conf-dir", f"{self.dir}/cni", "--cni-default", "--cni-bridge", self.bridge,
                "--cni-subnet", self.subnet, "--default-cgroup-parent", self.cgroup_parent,
                "--oci-runtime", OCI_RUNTIME, "--conmon", shutil.which("conmon")]

    def command(self):
        return [SUITE.portcullis, self.VERB, *self.runtime_flags(), *self.args]

    def start(self, *args, wait_ready=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.command(), *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.dir)
        if wait_ready:
            wait(f"portcullis {self.VERB} to be ready", self.is_ready)
        return self

    def check_lives(self):
        if self.process.poll() is not None:
            raise AssertionError(f"portcullis {self.VERB} ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")

    def is_ready(self):
        self.check_lives()
        return os.path.exists(self.socket) and self.crictl("version", check=False).returncode == 0

    def stop(self, how=signal.SIGTERM, timeout=20):
        """Ends the daemon; its containers run on."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired as expired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"portcullis {self.VERB} did not end within {timeout * SLOW:.0f} s of signal {how}") from expired

    def log_text(self):
        return read(self.log)

    def crictl(self, *args, check=True, timeout=60):
        return run(SUITE.portcullis, "crictl", "--runtime-endpoint", "unix://" + self.socket, *args, check=check,
                   timeout=timeout)

    def ids(self, *args):
        return self.crictl(*args).stdout.split()

    def json(self, *args):
        return json.loads(self.crictl(*args).stdout)

    def inspect(self, container_id):
        return self.json("inspect", container_id)

    def exec(self, container_id, *command, check=True):
        return self.crictl("exec", "-s", container_id, *command, check=check)

    def probe(self, container_id, *names):
        return json.loads(self.exec(container_id, PROBE, "--json", *names).stdout)

    def remove_pods(self):
        if self.crictl("pods", "-q", check=False).stdout.split():
            self.crictl("rmp", "-f", "-a", check=False)

    def end_companions(self):
        """Ends what runs beside the daemon for it alone, and gives what is wrong with what that leaves."""
        return []

    def close(self):
        """Removes pods the ordinary way, ends the daemon, and tells what is left although it should not be."""
        problems = []
        try:
            if self.process is not None and self.process.poll() is not None:
                self.start()
            if self.process is not None:
                self.remove_pods()
                code = self.stop()
                if code != 0:
                    problems.append(f"portcullis {self.VERB} ended with {code}")
        except (AssertionError, subprocess.SubprocessError) as error:
            problems.append(str(error))
            if self.process is not None:
                self.process.kill()
                self.process.wait()
        problems += self.end_companions()
        veths = [link for link in os.listdir("/sys/class/net") if SUITE.master_of(link) == self.bridge]
        problems += [f"network link {link}" for link in veths]
        # As on a real node, the bridge stays for the next pod; here it is not wanted any more.
        if os.path.exists(f"/sys/class/net/{self.bridge}"):
            run("ip", "link", "del", self.bridge)
        problems += SUITE.leftovers()
        if problems:
            SUITE.remove_by_force()
            problems.append("end of the log:\n" + self.log_text()[-4000:])
        return problems


class Runtime(Daemon):
    VERB = "runtime"

    def command(self):
        return [*super().command(), "--seccomp-root", f"{self.dir}/seccomp", "--cgroup-driver", CGROUP_DRIVER]


class Node(Daemon):
    VERB = "node"

    def __init__(self, *args, config=None):
        super().__init__(*args)
        self.manifests = f"{self.dir}/manifests"
        self.root_dir = f"{self.dir}/kubelet"
        self.logs = f"{self.dir}/logs"
        self.port = free_port()
        self.config = {"cgroupRoot": self.cgroup, "cgroupDriver": CGROUP_DRIVER, "runtimeRequestTimeout": "60s",
                       **(config or {})}
        os.makedirs(self.manifests)
        os.makedirs(f"{self.root_dir}/seccomp")

    def command(self):
        write(f"{self.dir}/config.yaml",
              {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", **self.config})
        return [*super().command(), "--config", f"{self.dir}/config.yaml", "--root-dir", self.root_dir,
                "--pod-manifest-path", self.manifests, "--pod-logs-dir", self.logs, "--healthz-port", str(self.port),
                "--hostname-override", NODE_NAME]

    def is_ready(self):
        self.check_lives()
        return self.get("/healthz") == "ok"

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def pods(self):
        return json.loads(self.get("/pods"))["items"]

    def pod(self, name):
        """As /pods shows it; LookupError when it does not."""
        for item in self.pods():
            if item["metadata"]["name"] == f"{name}-{NODE_NAME}":
                return item
        raise LookupError(f"no pod {name} in /pods")

    def container_status(self, name, container_name, kind="containerStatuses"):
        for status in self.pod(name)["status"].get(kind, []):
            if status["name"] == container_name:
                return status
        raise LookupError(f"no container {container_name} in {kind} of pod {name}")

    def profile(self, name, content):
        return write(f"{self.root_dir}/seccomp/{name}", content)

    def apply(self, *manifests):
        for manifest in manifests:
            write(f"{self.manifests}/{manifest['metadata']['name']}.json", manifest)

    def remove(self, name):
        os.remove(f"{self.manifests}/{name}.json")

    def pod_is_gone(self, name):
        listed = any(item["metadata"]["name"] == f"{name}-{NODE_NAME}" for item in self.pods())
        return not listed and not self.ids("pods", "-q", "--name", f"^{name}-{NODE_NAME}$")

    def wait_gone(self, name, timeout=60):
        wait(f"pod {name} to be gone", lambda: self.pod_is_gone(name), timeout)

    def wait_running(self, name, *containers, timeout=30):
        """Waits until the containers (or all of the pod) run, and returns their statuses by name."""

        def running():
            statuses = {s["name"]: s for s in self.pod(name)["status"].get("containerStatuses", [])}
            wanted = containers or [c["name"] for c in self.pod(name)["spec"]["containers"]]
            up = all(wanted_name in statuses and "running" in statuses[wanted_name]["state"] for wanted_name in wanted)
            return statuses if up else None

        return wait(f"pod {name} to run", running, timeout, explain=lambda: self.explain(name))

    def wait_state(self, name, container_name, state, reason=None, kind="containerStatuses", timeout=60):
        """Waits for {"waiting"|"running"|"terminated": {...}} (of that reason), and returns the container's status."""

        def there():
            status = self.container_status(name, container_name, kind)
            body = status["state"].get(state)
            return status if body is not None and reason in (None, body.get("reason")) else None

        return wait(f"container {container_name} of pod {name} to be {state} {reason or ''}", there, timeout,
                    explain=lambda: self.explain(name))

    def explain(self, name):
        """The pod's status, or what the node says about manifests when there is no such pod."""
        try:
            return json.dumps(self.pod(name)["status"])
        except LookupError:
            return self.get("/manifests")

    def id_of(self, name, container_name):
        return self.container_status(name, container_name)["containerID"].split("://", 1)[1]

    def pid_of(self, name, container_name):
        return self.inspect(self.id_of(name, container_name))["info"]["pid"]

    def logs_of(self, name, container_name):
        return self.crictl("logs", self.id_of(name, container_name)).stdout

    def wait_log(self, name, container_name, text, timeout=30):
        """Waits until the log has the text, and returns all of it."""

        def there():
            log = self.crictl("logs", self.id_of(name, container_name), check=False).stdout
            return log if text in log else None

        return wait(f"log of {container_name} to have {text!r}", there, timeout)

    def status(self, *args):
        """What `portcullis status` says, by (pod, container)."""
        done = run(SUITE.portcullis, "status", "--runtime-endpoint", "unix://" + self.socket, "--node-address",
                   f"127.0.0.1:{self.port}", "-o", "json", *args)
        return {(row["pod"].split("/")[-1].removesuffix(f"-{NODE_NAME}"), row["container"]): row
                for row in json.loads(done.stdout)["containers"]}

    def remove_pods(self):
        for manifest in glob.glob(f"{self.manifests}/*"):
            os.remove(manifest)
        wait("all pods to be gone", lambda: not self.pods() and not self.ids("pods", "-q"), 60)


class DaemonTest(unittest.TestCase):
    """One daemon for all tests of a class."""

    maxDiff = None
    ARGS: list = []

    @classmethod
    def make(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.make()
        cls.addClassCleanup(cls.close)
        cls.daemon.start()

    @classmethod
    def close(cls):
        problems = cls.daemon.close()
        if problems:
            raise AssertionError("left behind by " + cls.__name__ + ":\n" + "\n".join(problems))


class NodeTest(DaemonTest):
    CONFIG: dict = {}

    @classmethod
    def make(cls):
        cls.node = Node(*cls.ARGS, config=cls.CONFIG)
        return cls.node


class RuntimeTest(DaemonTest):
    @classmethod
    def make(cls):
        cls.runtime = Runtime(*cls.ARGS)
        return cls.runtime


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
