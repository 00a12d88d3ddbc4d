"""The wire itself: a gRPC client that is not ours against our runtime, and our client against containerd."""

import json
import os
import stat
import unittest

import containerd
import cri_client
import harness
from cri_client import grpc
from harness import BUSYBOX, FOREVER, SUITE


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class AnotherClient(harness.RuntimeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cri_client.Client(cls.runtime.socket)
        cls.addClassCleanup(cls.client.close)

    def runtime_call(self, method, **fields):
        return self.client.call("RuntimeService", method, **fields)

    def image_call(self, method, **fields):
        return self.client.call("ImageService", method, **fields)

    def code_of(self, method, **fields):
        with self.assertRaises(grpc.RpcError) as caught:
            self.runtime_call(method, **fields)
        return caught.exception.code(), caught.exception.details()

    def test_socket_mode(self):
        info = os.stat(self.runtime.socket)
        self.assertTrue(stat.S_ISSOCK(info.st_mode))
        self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid), (0o660, 0))

    def test_version_and_status(self):
        version = self.runtime_call("Version", version="v1")
        self.assertEqual((version.version, version.runtime_name, version.runtime_api_version), ("0.1.0", "portcullis", "v1"))
        status = self.runtime_call("Status", verbose=True)
        self.assertEqual({c.type: c.status for c in status.status.conditions}, {"RuntimeReady": True, "NetworkReady": True})
        self.assertTrue(status.info)
        self.assertFalse(self.runtime_call("Status").info)
        self.assertEqual(self.runtime_call("RuntimeConfig").linux.cgroup_driver,
                         0 if harness.SYSTEMD else 1)  # SYSTEMD, CGROUPFS
        self.assertGreater(self.image_call("ImageFsInfo").image_filesystems[0].used_bytes.value, 0)

    def test_pod_and_container(self):
        api = self.client.api
        sandbox_config = api.PodSandboxConfig(
            metadata=api.PodSandboxMetadata(name="wire", uid="wire-uid", namespace="default"), log_directory=f"{self.runtime.dir}/logs",
            labels={"app": "wire"}, linux=api.LinuxPodSandboxConfig(security_context=api.LinuxSandboxSecurityContext(
                seccomp=api.SecurityProfile(profile_type=api.SecurityProfile.RuntimeDefault))))
        pod_id = self.runtime_call("RunPodSandbox", config=sandbox_config).pod_sandbox_id
        # Absent is unconfined, empty is RuntimeDefault: the difference that only the wire knows.
        wanted = {"absent": None, "empty": api.SecurityProfile(), "unconfined": api.SecurityProfile(profile_type=1)}
        ids = {}
        for name, profile in wanted.items():
            security = api.LinuxContainerSecurityContext(seccomp=profile)
            config = api.ContainerConfig(metadata=api.ContainerMetadata(name=name), image=api.ImageSpec(image=BUSYBOX),
                                         command=["sh", "-c", 'trap "exit 0" TERM; ' + FOREVER], log_path=name + ".log",
                                         envs=[api.KeyValue(key="WORD", value=b"v\xc3\xa4lue")], linux=api.LinuxContainerConfig(
                                             security_context=security))
            ids[name] = self.runtime_call("CreateContainer", pod_sandbox_id=pod_id, config=config,
                                          sandbox_config=sandbox_config).container_id
            self.runtime_call("StartContainer", container_id=ids[name])
        listed = self.runtime_call("ListContainers", filter=api.ContainerFilter(pod_sandbox_id=pod_id))
        self.assertEqual({c.id for c in listed.containers}, set(ids.values()))
        self.assertEqual({c.state for c in listed.containers}, {api.CONTAINER_RUNNING})
        for name, filtered in (("absent", False), ("empty", True), ("unconfined", False)):
            status = self.runtime_call("ContainerStatus", container_id=ids[name], verbose=True)
            self.assertEqual(list(status.info), ["info"])
            info = json.loads(status.info["info"])
            self.assertEqual("seccomp" in info["runtimeSpec"]["linux"], filtered, name)
            self.assertEqual(harness.kernel_field(info["pid"], "Seccomp"), "2" if filtered else "0", name)
            self.assertFalse(self.runtime_call("ContainerStatus", container_id=ids[name]).info)
        done = self.runtime_call("ExecSync", container_id=ids["empty"], cmd=["sh", "-c", "echo $WORD; echo e >&2; exit 4"], timeout=10)
        self.assertEqual((done.exit_code, done.stdout, done.stderr), (4, "väl".encode() + b"ue\n", b"e\n"))
        streamed = [c for part in self.client.stream("RuntimeService", "StreamContainers", "StreamContainersRequest",
                                                     "StreamContainersResponse") for c in containers_of(part)]
        self.assertTrue(set(ids.values()) <= {c.id for c in streamed})
        stats = self.runtime_call("ListContainerStats", filter=api.ContainerStatsFilter(pod_sandbox_id=pod_id)).stats
        self.assertEqual({s.attributes.id for s in stats}, set(ids.values()))
        self.runtime_call("StopContainer", container_id=ids["empty"], timeout=10)
        self.assertEqual(self.runtime_call("ContainerStatus", container_id=ids["empty"]).status.state, api.CONTAINER_EXITED)
        with self.subTest("the same pod again"):
            code, details = self.code_of("RunPodSandbox", config=sandbox_config)
            self.assertIn(code, (grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNKNOWN))
            self.assertIn("wire", details)
        self.runtime_call("StopPodSandbox", pod_sandbox_id=pod_id)
        self.runtime_call("RemovePodSandbox", pod_sandbox_id=pod_id)
        self.runtime_call("RemovePodSandbox", pod_sandbox_id=pod_id)  # again is fine
        self.assertEqual(len(self.runtime_call("ListPodSandbox").items), 0)

    def test_errors(self):
        api = self.client.api
        code, details = self.code_of("ContainerStatus", container_id="0" * 64)
        self.assertEqual(code, grpc.StatusCode.NOT_FOUND)
        self.assertIn("0" * 64, details)
        self.assertEqual(self.code_of("RunPodSandbox")[0], grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.code_of("CreateContainer", pod_sandbox_id="nope", config=api.ContainerConfig())[0],
                         grpc.StatusCode.INVALID_ARGUMENT)
        self.runtime_call("StopContainer", container_id="0" * 64)  # CRI: must not fail for what is gone
        self.runtime_call("RemoveContainer", container_id="0" * 64)
        self.assertFalse(self.image_call("ImageStatus", image=api.ImageSpec(image="nosuch:1")).HasField("image"))
        self.image_call("RemoveImage", image=api.ImageSpec(image="nosuch:1"))
        self.assertEqual(self.code_of("CheckpointContainer", container_id="x")[0], grpc.StatusCode.UNIMPLEMENTED)

    def test_image_of_a_container_as_kubelets_read_it(self):
        """They ask by id, show people the name of the status, and keep images that a listed container refers to."""
        api = self.client.api
        image = self.image_call("ImageStatus", image=api.ImageSpec(image=BUSYBOX)).image
        sandbox_config = api.PodSandboxConfig(metadata=api.PodSandboxMetadata(name="named", uid="u", namespace="d"))
        pod_id = self.runtime_call("RunPodSandbox", config=sandbox_config).pod_sandbox_id
        created = self.runtime_call("CreateContainer", pod_sandbox_id=pod_id, sandbox_config=sandbox_config,
                                    config=api.ContainerConfig(metadata=api.ContainerMetadata(name="c"), command=["true"],
                                                               image=api.ImageSpec(image=image.id, user_specified_image="busybox")))
        status = self.runtime_call("ContainerStatus", container_id=created.container_id, verbose=True)
        self.assertEqual((status.status.image.image, status.status.image.user_specified_image),
                         ("docker.io/library/busybox:latest", "busybox"))
        self.assertEqual((status.status.image_id, status.status.image_ref), (image.id, image.repo_digests[0]))
        self.assertEqual(json.loads(status.info["info"])["config"]["image"]["image"], image.id)
        listed = self.runtime_call("ListContainers", filter=api.ContainerFilter(id=created.container_id)).containers
        self.assertEqual([(c.image.image, c.image_id, c.image_ref) for c in listed], [(image.id, image.id, image.id)])
        self.runtime_call("RemovePodSandbox", pod_sandbox_id=pod_id)

    def test_limits_of_huge_pages_as_kubelets_send_them(self):
        """One for every page size of the host, whether or not there is a cgroup controller for them."""
        api = self.client.api
        sizes = [int(name.removeprefix("hugepages-").removesuffix("kB")) for name in os.listdir("/sys/kernel/mm/hugepages")]
        limits = [api.HugepageLimit(page_size=f"{kib >> 20}GB" if kib >> 20 else f"{kib >> 10}MB", limit=0) for kib in sizes]
        self.assertTrue(limits)
        resources = api.LinuxContainerResources(cpu_shares=2, hugepage_limits=limits)
        sandbox_config = api.PodSandboxConfig(metadata=api.PodSandboxMetadata(name="huge", uid="u", namespace="d"))
        pod_id = self.runtime_call("RunPodSandbox", config=sandbox_config).pod_sandbox_id
        config = api.ContainerConfig(metadata=api.ContainerMetadata(name="c"), image=api.ImageSpec(image=BUSYBOX),
                                     command=["sleep", "1000"], linux=api.LinuxContainerConfig(resources=resources))
        container_id = self.runtime_call("CreateContainer", pod_sandbox_id=pod_id, config=config, sandbox_config=sandbox_config).container_id
        self.runtime_call("StartContainer", container_id=container_id)
        resources.cpu_shares = 512
        self.runtime_call("UpdateContainerResources", container_id=container_id, linux=resources)
        status = self.runtime_call("ContainerStatus", container_id=container_id).status
        self.assertEqual(status.state, api.CONTAINER_RUNNING)
        self.assertEqual(status.resources.linux.cpu_shares, 512)
        self.runtime_call("RemovePodSandbox", pod_sandbox_id=pod_id)

    def test_enum_from_the_future(self):
        api = self.client.api
        config = api.PodSandboxConfig(metadata=api.PodSandboxMetadata(name="future", uid="u", namespace="d"), linux=api.LinuxPodSandboxConfig(
            security_context=api.LinuxSandboxSecurityContext(seccomp=api.SecurityProfile(profile_type=7))))
        code, details = self.code_of("RunPodSandbox", config=config)
        self.assertIn("unknown ProfileType", details)
        self.assertNotEqual(code, grpc.StatusCode.OK)
        self.assertEqual(self.runtime.ids("pods", "-q", "--name", "future"), [])


def containers_of(response):
    """StreamContainersResponse has one container or several, by CRI version."""
    for _, value in response.ListFields():
        yield from value if hasattr(value, "__len__") else [value]


class AnotherRuntime(unittest.TestCase):
    """`portcullis crictl` and `portcullis node` against containerd."""

    @classmethod
    def setUpClass(cls):
        cls.peer = containerd.Containerd()
        cls.peer.start("pause-3.10", "busybox", "nginx-1.21")
        cls.addClassCleanup(cls.peer.stop)

    def test_version_and_info(self):
        self.assertIn("RuntimeName:  containerd\n", self.peer.crictl("version").stdout)
        info = json.loads(self.peer.crictl("info").stdout)
        self.assertIn("conditions", info["status"])
        self.assertEqual(info["config"]["containerdEndpoint"], self.peer.socket)

    def version(self):
        fields = dict(line.split(":", 1) for line in self.peer.crictl("version").stdout.splitlines())
        return f"{fields['RuntimeName'].strip()}@{fields['RuntimeVersion'].strip()}"

    def test_images_and_pods(self):
        tags = {tag for image in json.loads(self.peer.crictl("images", "-o", "json").stdout)["images"] for tag in image["repoTags"]}
        self.assertIn("docker.io/library/nginx:1.21", tags)
        self.assertEqual(self.peer.crictl("pods").stdout.split()[0], "POD")
        self.assertEqual(self.peer.crictl("ps", "-q").stdout, "")

    def test_a_pod(self):
        pod_file = harness.write(f"{self.peer.dir}/pod.json", {
            "metadata": {"name": "peer", "namespace": "default", "uid": "peer-uid"}, "log_directory": f"{self.peer.dir}/logs",
            "linux": {"cgroup_parent": self.peer.cgroup}})
        container_file = harness.write(f"{self.peer.dir}/container.json", {
            "metadata": {"name": "peer"}, "image": {"image": BUSYBOX}, "command": ["sh", "-c", 'trap "exit 0" TERM; echo hello; ' + FOREVER],
            "log_path": "peer.log", "linux": {"security_context": {"seccomp": {"profile_type": 0}}}})
        started = self.peer.crictl("run", container_file, pod_file, check=False)
        if started.returncode != 0:
            self.skipTest("containerd cannot run pods on this host: " + started.stderr.strip())
        container_id = started.stdout.strip()
        seen = json.loads(self.peer.crictl("inspect", container_id).stdout)
        self.assertEqual(seen["info"]["runtimeSpec"]["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(self.peer.crictl("exec", "-s", container_id, "echo", "hi").stdout, "hi\n")
        harness.wait("its log", lambda: "hello\n" in self.peer.crictl("logs", container_id).stdout)
        row = json.loads(harness.run(SUITE.portcullis, "status", "--runtime-endpoint", "unix://" + self.peer.socket, "-o", "json").stdout)
        self.assertEqual([(r["effective"], r["kernel"]["seccomp"]) for r in row["containers"]], [(f"RuntimeDefault ({self.version()})", 2)])
        self.peer.crictl("stop", "-t", "5", container_id)
        self.peer.crictl("rm", container_id)
        self.peer.crictl("rmp", "-f", "-a")
        self.assertEqual(self.peer.crictl("pods", "-q").stdout, "")
