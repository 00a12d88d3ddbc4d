"""The containerd of PATH (1.6, 1.7 or 2.x) on a socket and folders of its own, as a peer for our client."""

import os
import re
import shutil
import subprocess
import unittest

import harness
from harness import SUITE

COMMON = """\
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
  address = "{socket}"

"""

CONFIG_2 = """\
version = 2
""" + COMMON + """\
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.10"
  disable_apparmor = true
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{dir}/cni"
"""

# The CRI plugin in three.
CONFIG_3 = """\
version = 3
""" + COMMON + """\
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:3.10"

[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{dir}/cni"

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
"""

NETWORK = """\
{{"cniVersion": "1.0.0", "name": "peer", "plugins": [
  {{"type": "bridge", "bridge": "{bridge}", "isGateway": true, "ipMasq": true,
   "ipam": {{"type": "host-local", "dataDir": "{dir}/ipam", "ranges": [[{{"subnet": "{subnet}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"""


def version():
    """Of the containerd in PATH, as (2, 1)."""
    if shutil.which("containerd") is None:
        raise CannotStart("containerd is not installed")
    told = harness.run("containerd", "--version").stdout
    found = re.search(r" v?(\d+)\.(\d+)\.\d+", told)
    if found is None:
        raise CannotStart(f"containerd does not tell its version: {told}")
    return int(found.group(1)), int(found.group(2))


class CannotStart(unittest.SkipTest):
    """containerd is missing or does not run on this host; the text says why. What needs it is skipped."""


class Containerd:
    def __init__(self):
        number = next(SUITE.numbers)
        self.dir = f"{SUITE.scratch}/{number}"
        self.socket = f"{self.dir}/c.sock"
        self.log = f"{self.dir}/log"
        self.cgroup = SUITE.cgroup(number)
        self.bridge = SUITE.bridge(number)
        self.process = None
        harness.write(f"{self.dir}/cni/10-peer.conflist",
                      NETWORK.format(dir=self.dir, bridge=self.bridge, subnet=SUITE.subnet()))
        config = CONFIG_3 if version() >= (2, 0) else CONFIG_2
        self.config = harness.write(f"{self.dir}/config.toml", config.format(dir=self.dir, socket=self.socket))

    def start(self, *images):
        """`images` are names of archives, imported once it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["containerd", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.dir)
        try:
            harness.wait("containerd to answer", self.answers, 20)
            for name in images:
                harness.run("ctr", "-a", self.socket, "-n", "k8s.io", "images", "import",
                            f"{SUITE.build}/images/{name}.tar")
        except AssertionError as error:
            end = harness.read(self.log)[-500:]
            self.stop()
            raise CannotStart(f"containerd does not start here: {error}; {end}") from error
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}")
        return os.path.exists(self.socket) and self.crictl("version", check=False).returncode == 0

    def crictl(self, *args, check=True, timeout=60):
        return harness.run(SUITE.portcullis, "crictl", "-r", "unix://" + self.socket, *args, check=check, timeout=timeout)

    def end(self):
        """Ends the daemon alone: its shims and containers run on."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop(self):
        """Removes its pods, ends it, and takes away the mounts and the bridge that it leaves."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.crictl("rmp", "-f", "-a", check=False)
        self.end()
        for path in sorted((path for path in SUITE.mounts() if path.startswith(self.dir + "/")), reverse=True):
            harness.run("umount", "-l", path, check=False)
        if os.path.exists(f"/sys/class/net/{self.bridge}"):
            harness.run("ip", "link", "del", self.bridge, check=False)
        for cgroup in [path for path in SUITE.cgroups() if path.endswith(self.cgroup)]:
            for folder, _, _ in os.walk(cgroup, topdown=False):
                os.rmdir(folder)


class NodeOn(harness.Node):
    """`portcullis node` with this containerd behind it."""

    def __init__(self, peer, *args, config=None):
        super().__init__(*args, config={"cgroupRoot": peer.cgroup, "containerRuntimeEndpoint": "unix://" + peer.socket,
                                        **(config or {})})
        self.peer = peer
        self.socket = peer.socket
        self.companions = []  # daemons that the node needs, closed after it

    def runtime_flags(self):
        return []

    def end_companions(self):
        """The node has removed its pods: containerd must have nothing left of them, and no cgroup of them be there."""
        left = [f"containerd's {line}" for line in self.peer.crictl("ps", "-a", "-q", check=False).stdout.split()]
        left += [f"sandbox {line}" for line in self.peer.crictl("pods", "-q", check=False).stdout.split()]
        for cgroup in [path for path in SUITE.cgroups() if path.endswith(self.peer.cgroup)]:
            left += [f"cgroup {folder}" for folder, _, _ in os.walk(cgroup) if os.path.basename(folder).startswith("pod")]
        left += [f"IP {name}" for name in os.listdir(f"{self.peer.dir}/ipam/peer") if name[0].isdigit()]
        self.peer.stop()
        for companion in self.companions:
            left += companion.close()
        return left


class ContainerdNodeTest(harness.NodeTest):
    """One containerd, and one node in front of it, for all tests of a class; both leave nothing."""

    IMAGES = ("pause-3.10", "busybox")

    @classmethod
    def setUpClass(cls):
        cls.peer = Containerd()
        cls.addClassCleanup(cls.peer.stop)
        cls.peer.start(*cls.IMAGES)
        super().setUpClass()

    @classmethod
    def make(cls):
        cls.node = NodeOn(cls.peer, *cls.ARGS, config=cls.CONFIG)
        return cls.node
