"""What the project of CRI's own conformance suite (critest) sends and expects, over the wire, with a client that is not
ours: requests with no more in them than it sets. What other tests send already is not here."""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import uuid

import cri_client
import harness
import registries
from cri_client import grpc
from harness import BUSYBOX, SUITE, wait

TOP = ["sh", "-c", "top"]  # ends on SIGTERM, unless it is the first process of its namespace


class CriTest(harness.RuntimeTest):
    """Verbs as the suite has them; each test's pods are removed after it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cri_client.Client(cls.runtime.socket)
        cls.addClassCleanup(cls.client.close)
        cls.api = cls.client.api

    def runtime_call(self, method, **fields):
        return self.client.call("RuntimeService", method, **fields)

    def image_call(self, method, **fields):
        return self.client.call("ImageService", method, **fields)

    def refused(self, method, **fields):
        with self.assertRaises(grpc.RpcError) as caught:
            self.runtime_call(method, **fields)
        return caught.exception

    def folder(self):
        path = tempfile.mkdtemp(dir=self.runtime.dir)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def pod_config(self, **fields):
        fields.setdefault("linux", self.api.LinuxPodSandboxConfig())
        return self.api.PodSandboxConfig(metadata=self.api.PodSandboxMetadata(
            name="pod-" + str(uuid.uuid4()), uid="cri-test-uid" + str(uuid.uuid4()),
            namespace="cri-test-namespace" + str(uuid.uuid4()), attempt=2), **fields)

    def run_pod(self, config=None, **fields):
        config = config or self.pod_config(**fields)
        pod_id = self.runtime_call("RunPodSandbox", config=config).pod_sandbox_id
        self.addCleanup(self.remove_pod, pod_id)
        return pod_id, config

    def remove_pod(self, pod_id):
        self.runtime_call("StopPodSandbox", pod_sandbox_id=pod_id)
        self.runtime_call("RemovePodSandbox", pod_sandbox_id=pod_id)

    def security(self, **fields):
        return self.api.LinuxContainerConfig(security_context=self.api.LinuxContainerSecurityContext(**fields))

    def pod_security(self, **fields):
        return self.api.LinuxPodSandboxConfig(security_context=self.api.LinuxSandboxSecurityContext(**fields))

    def container_config(self, **fields):
        fields.setdefault("command", TOP)
        fields.setdefault("image", self.api.ImageSpec(image=BUSYBOX))
        return self.api.ContainerConfig(metadata=self.api.ContainerMetadata(name="c-" + str(uuid.uuid4()), attempt=2), **fields)

    def create(self, pod, **fields):
        return self.runtime_call("CreateContainer", pod_sandbox_id=pod[0], config=self.container_config(**fields),
                                 sandbox_config=pod[1]).container_id

    def start(self, pod, **fields):
        container_id = self.create(pod, **fields)
        self.runtime_call("StartContainer", container_id=container_id)
        return container_id

    def status(self, container_id, **fields):
        return self.runtime_call("ContainerStatus", container_id=container_id, **fields).status

    def wait_state(self, container_id, state):
        return wait("the state", lambda: self.status(container_id) if self.status(container_id).state == state else None)

    def exec(self, container_id, *command, timeout=30):
        done = self.runtime_call("ExecSync", container_id=container_id, cmd=command, timeout=timeout)
        return done.exit_code, done.stdout.decode(), done.stderr.decode()

    def output(self, container_id, *command):
        code, out, err = self.exec(container_id, *command)
        self.assertEqual((code, err), (0, ""), out)
        return out

    def log_of(self, container_id):
        """(stream, text) of each line."""
        lines = harness.read(self.status(container_id).log_path).splitlines()
        return [(stream, text) for _, stream, _, text in (line.split(" ", 3) for line in lines)]


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Containers(CriTest):
    def test_removing_in_every_state(self):
        pod = self.run_pod()
        created, running, stopped = self.create(pod), self.start(pod), self.start(pod)
        self.runtime_call("StopContainer", container_id=stopped, timeout=600)
        status = self.wait_state(stopped, self.api.CONTAINER_EXITED)
        self.assertEqual(status.exit_code, 128 + signal.SIGTERM)
        for container_id in (created, running, stopped):
            self.runtime_call("RemoveContainer", container_id=container_id)
            listed = self.runtime_call("ListContainers", filter=self.api.ContainerFilter(id=container_id)).containers
            self.assertEqual(len(listed), 0)
            self.runtime_call("RemoveContainer", container_id=container_id)

    def test_what_is_not_there(self):
        for verb, field in (("StopPodSandbox", "pod_sandbox_id"), ("RemovePodSandbox", "pod_sandbox_id"),
                            ("StopContainer", "container_id"), ("RemoveContainer", "container_id")):
            self.runtime_call(verb, **{field: str(uuid.uuid4())})
        for _ in range(2):
            self.image_call("RemoveImage", image=self.api.ImageSpec(image="0" * 64))

    def test_stopping_a_pod_twice(self):
        pod_id, _ = self.run_pod()
        for _ in range(2):
            self.runtime_call("StopPodSandbox", pod_sandbox_id=pod_id)
            self.assertEqual(self.runtime_call("PodSandboxStatus", pod_sandbox_id=pod_id).status.state, self.api.SANDBOX_NOTREADY)

    def test_exec_sync_with_a_timeout(self):
        container_id = self.start(self.run_pod(), command=["top"], linux=self.api.LinuxContainerConfig())
        error = self.refused("ExecSync", container_id=container_id, cmd=["sleep", "4321"], timeout=1)
        self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(self.output(container_id, "sh", "-c", "pidof sleep || true").strip(), "")

    def test_statistics(self):
        pod = self.run_pod()
        ids = {self.start(pod, labels={"foo": "bar"}) for _ in range(2)}
        one = min(ids)
        stats = self.runtime_call("ContainerStats", container_id=one).stats
        self.assertEqual(stats.attributes.id, one)
        self.assertTrue(stats.attributes.metadata.name.startswith("c-"))
        self.assertTrue(stats.cpu.timestamp and stats.memory.timestamp)
        self.assertLessEqual(ids, {s.attributes.id for s in self.runtime_call("ListContainerStats").stats})
        for labels, found in (({"foo": "bar"}, ids), ({"foo": "baz"}, set())):
            listed = self.runtime_call("ListContainerStats", filter=self.api.ContainerStatsFilter(label_selector=labels)).stats
            self.assertEqual({s.attributes.id for s in listed}, found)

    def test_volumes_and_symlinks(self):
        path = self.folder()
        harness.write(path + "/volume.file", "")
        os.symlink(path, path + "-symlink")
        self.addCleanup(os.unlink, path + "-symlink")
        for host_path in (path, path + "-symlink"):
            mounts = [self.api.Mount(host_path=host_path, container_path=host_path, selinux_relabel=True)]
            container_id = self.start(self.run_pod(), mounts=mounts)
            self.assertEqual(self.output(container_id, "ls", "-A", host_path), "volume.file\n")

    def test_log_and_reopening_it(self):
        pod = self.run_pod(log_directory=self.folder(), linux=None)
        once = self.start(pod, command=["echo", "hello World"], log_path="once.log")
        self.wait_state(once, self.api.CONTAINER_EXITED)
        self.assertEqual(self.log_of(once), [("stdout", "hello World")])
        loop = self.start(pod, command=["sh", "-c", "while true; do echo hello World; sleep 0.1; done"], log_path="loop.log")
        wait("a line", lambda: self.log_of(loop))
        path = self.status(loop).log_path
        os.rename(path, path + ".new")
        self.runtime_call("ReopenContainerLog", container_id=loop)
        self.assertTrue(os.path.exists(path))
        wait("a line of the new file", lambda: self.log_of(loop))
        old = harness.read(path + ".new")
        wait("more lines of the new file", lambda: len(self.log_of(loop)) > 3)
        self.assertEqual(harness.read(path + ".new"), old)

    def test_without_a_log_directory(self):
        container_id = self.start(self.run_pod(), log_path="")
        self.assertEqual(self.status(container_id).log_path, "")

    def test_out_of_memory(self):
        pod = self.run_pod(linux=self.pod_security(privileged=True))
        limit = 15 * 1024 * 1024
        container_id = self.start(pod, command=["sh", "-c", "dd if=/dev/zero of=/dev/null bs=20M"], linux=self.api.LinuxContainerConfig(
            resources=self.api.LinuxContainerResources(memory_limit_in_bytes=limit, memory_swap_limit_in_bytes=limit)))
        status = self.wait_state(container_id, self.api.CONTAINER_EXITED)
        self.assertEqual((status.reason, status.exit_code), ("OOMKilled", 137))


def mount(*command):
    harness.run("mount", *command)


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Mounts(CriTest):
    def source(self, propagation):
        path = self.folder()
        for name in ("mnt/propagationMnt", "src"):
            os.makedirs(f"{path}/{name}")
        harness.write(path + "/src/flag", "")
        mount("--rbind", path + "/mnt", path + "/mnt")
        self.addCleanup(harness.run, "umount", "-R", "-l", path + "/mnt")
        mount("--make-rprivate" if propagation == self.api.PROPAGATION_PRIVATE else "--make-rshared", path + "/mnt")
        return path

    def test_propagation(self):
        for propagation, into, out_of in ((self.api.PROPAGATION_PRIVATE, False, False), (self.api.PROPAGATION_BIDIRECTIONAL, True, True),
                                          (self.api.PROPAGATION_HOST_TO_CONTAINER, True, False)):
            with self.subTest(self.api.MountPropagation.Name(propagation)):
                path = self.source(propagation)
                pod = self.run_pod(linux=self.pod_security(privileged=True))
                container_id = self.start(pod, linux=self.security(privileged=True), mounts=[
                    self.api.Mount(host_path=path + "/mnt", container_path=path + "/mnt", propagation=propagation)])
                seen = self.status(container_id, verbose=True).mounts
                self.assertEqual([(m.container_path, m.host_path, m.readonly, m.selinux_relabel, m.propagation) for m in seen],
                                 [(path + "/mnt", path + "/mnt", False, False, propagation)])
                mount("--rbind", path + "/src", path + "/mnt/propagationMnt")
                self.assertEqual(bool(self.output(container_id, "ls", "-A", path + "/mnt/propagationMnt")), into)
                self.output(container_id, "sh", "-c", f"mkdir {path}/mnt/in && mount --bind /etc {path}/mnt/in")
                self.assertEqual(bool(os.listdir(path + "/mnt/in")), out_of)

    def test_read_only(self):
        handlers = {h.name: h.features for h in self.runtime_call("Status").runtime_handlers}
        self.assertTrue(handlers[""].recursive_read_only_mounts)
        path = self.folder()
        os.mkdir(path + "/tmpfs")
        mount("-t", "tmpfs", "none", path + "/tmpfs")
        self.addCleanup(harness.run, "umount", "-l", path + "/tmpfs")
        pod = self.run_pod(linux=self.pod_security(privileged=True))

        def volume(**fields):
            return [self.api.Mount(host_path=path, container_path="/mnt", selinux_relabel=True, **fields)]

        for recursive, code in ((False, 0), (True, 1)):
            container_id = self.start(pod, mounts=volume(readonly=True, recursive_read_only=recursive))
            self.assertEqual(len(self.status(container_id).mounts), 1)
            self.assertEqual(self.exec(container_id, "touch", "/mnt/tmpfs/file")[0], code)
        for fields in ({"readonly": True, "propagation": self.api.PROPAGATION_HOST_TO_CONTAINER},
                       {"readonly": True, "propagation": self.api.PROPAGATION_BIDIRECTIONAL}, {"readonly": False}):
            self.refused("CreateContainer", pod_sandbox_id=pod[0], sandbox_config=pod[1],
                         config=self.container_config(mounts=volume(recursive_read_only=True, **fields)))

    def test_images_as_volumes_are_not_implemented(self):
        pod = self.run_pod()
        volume = self.api.Mount(container_path="/mnt/image-volume", readonly=True, image=self.api.ImageSpec(image=BUSYBOX))
        error = self.refused("CreateContainer", pod_sandbox_id=pod[0], sandbox_config=pod[1], config=self.container_config(mounts=[volume]))
        self.assertEqual(error.code(), grpc.StatusCode.UNIMPLEMENTED)


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Pods(CriTest):
    def test_sysctls(self):
        for name, value in (("kernel.shm_rmid_forced", "1"), ("fs.mqueue.msg_max", "100")):
            pod = self.run_pod(linux=self.api.LinuxPodSandboxConfig(sysctls={name: value}))
            container_id = self.start(pod, command=["top"])
            self.assertEqual(self.output(container_id, "cat", "/proc/sys/" + name.replace(".", "/")).strip(), value)

    def test_names(self):
        dns = self.api.DNSConfig(servers=["10.10.10.10"], searches=["google.com"], options=["ndots:8"])
        container_id = self.start(self.run_pod(dns_config=dns), command=["top"])
        text = self.output(container_id, "cat", "/etc/resolv.conf")
        for line in ("nameserver 10.10.10.10", "search google.com", "options ndots:8"):
            self.assertIn(line, text)
        container_id = self.start(self.run_pod(hostname="test-hostname"), command=["top"])
        self.assertEqual(self.output(container_id, "hostname").strip().lower(), "test-hostname")

    def test_port_without_a_host_port(self):
        pod = self.run_pod(port_mappings=[self.api.PortMapping(container_port=80)])
        self.start(pod, image=self.api.ImageSpec(image="docker.io/library/nginx:1.21"), command=None, linux=self.api.LinuxContainerConfig())
        address = self.runtime_call("PodSandboxStatus", pod_sandbox_id=pod[0]).status.network.ip
        wait("the page", lambda: harness.urllib.request.urlopen(f"http://{address}/", timeout=5).status == 200)

    def test_host_namespaces(self):
        api = self.api
        segment = re.search(r"\d+", harness.run("ipcmk", "-M", "1048576").stdout).group()
        self.addCleanup(harness.run, "ipcrm", "-m", segment)
        own = subprocess.Popen(["sleep", "600"])  # pylint: disable=consider-using-with
        self.addCleanup(own.wait)
        self.addCleanup(own.kill)
        for mode in (api.POD, api.NODE):
            options = api.NamespaceOption(pid=api.POD, ipc=mode, network=api.POD)
            pod = self.run_pod(linux=self.pod_security(namespace_options=options), dns_config=api.DNSConfig())
            container_id = self.start(pod, linux=self.security(namespace_options=options))
            listed = [line.split()[1] for line in self.output(container_id, "cat", "/proc/sysvipc/shm").splitlines()]
            self.assertEqual(segment in listed, mode == api.NODE)
        for mode, first in ((api.NODE, None), (api.POD, "pause"), (api.CONTAINER, "top")):
            options = api.NamespaceOption(pid=mode, ipc=api.POD, network=api.POD)
            pod = self.run_pod(linux=self.pod_security(namespace_options=options))
            container_id = self.start(pod, linux=self.security(namespace_options=options), command=["top"])
            if mode == api.NODE:
                self.assertIn(str(own.pid), self.output(container_id, "pidof", "sleep").split())
            else:
                self.assertIn(first, self.output(container_id, "cat", "/proc/1/cmdline"))

    def test_host_network(self):
        api = self.api
        with harness.socket.create_server(("", 0)) as server:
            port = server.getsockname()[1]
            for mode in (api.NODE, api.POD):
                options = api.NamespaceOption(pid=api.POD, ipc=api.POD, network=mode)
                pod = self.run_pod(linux=self.pod_security(namespace_options=options), log_directory=self.folder())
                container_id = self.start(pod, linux=self.security(namespace_options=options), command=["sh", "-c", "netstat -ln"],
                                          log_path="netstat.log")
                self.wait_state(container_id, api.CONTAINER_EXITED)
                self.assertEqual(any(f":{port} " in text for _, text in self.log_of(container_id)), mode == api.NODE)

    def test_user_namespaces(self):
        api = self.api
        node = api.NamespaceOption(userns_options=api.UserNamespace(mode=api.NODE))
        pod = self.run_pod(linux=self.pod_security(namespace_options=node), log_directory=self.folder())
        container_id = self.start(pod, command=["cat", "/proc/self/uid_map"], log_path="map.log", linux=self.security(namespace_options=node))
        self.wait_state(container_id, api.CONTAINER_EXITED)
        self.assertEqual([text.split() for _, text in self.log_of(container_id)], [harness.read("/proc/self/uid_map").split()])
        mapping = api.IDMapping(container_id=0, host_id=1000, length=100000)
        for options in (api.UserNamespace(mode=api.POD, uids=[mapping, mapping], gids=[mapping, mapping]),
                        api.UserNamespace(mode=api.CONTAINER), api.UserNamespace(mode=api.TARGET)):
            config = self.pod_config(linux=self.pod_security(namespace_options=api.NamespaceOption(userns_options=options)))
            self.refused("RunPodSandbox", config=config)


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class SecurityContexts(CriTest):
    def test_identities(self):
        api = self.api
        pod = self.run_pod()
        number = api.Int64Value
        for fields, command, expected in (
                ({"supplemental_groups": [1234, 5678]}, ["id", "-G"], "0 1234 5678\n"), ({"run_as_user": number(value=1001)}, ["id", "-u"], "1001\n"),
                ({"run_as_username": "nobody"}, ["id", "-nu"], "nobody\n"),
                ({"run_as_user": number(value=1001), "run_as_group": number(value=1002)}, ["sh", "-c", "echo $(id -u):$(id -g)"], "1001:1002\n")):
            with self.subTest(str(fields)):
                self.assertEqual(self.output(self.start(pod, linux=self.security(**fields)), *command), expected)
        self.refused("CreateContainer", pod_sandbox_id=pod[0], sandbox_config=pod[1],
                     config=self.container_config(linux=self.security(run_as_group=number(value=1002))))

    def test_root_file_system(self):
        pod = self.run_pod(log_directory=self.folder())
        for readonly, line in ((False, ("stdout", "Found")), (True, ("stderr", "touch: test.go: Read-only file system"))):
            container_id = self.start(pod, command=["sh", "-c", "touch test.go && [ -f test.go ] && echo 'Found'"],
                                      log_path=f"{readonly}.log", linux=self.security(readonly_rootfs=readonly))
            self.wait_state(container_id, self.api.CONTAINER_EXITED)
            self.assertEqual(self.log_of(container_id), [line])

    def test_capabilities(self):
        api = self.api
        pod = self.run_pod()

        def bounding(**changes):
            container_id = self.start(pod, linux=self.security(capabilities=api.Capability(**changes)))
            return container_id, int(re.search(r"CapBnd:\s*(\w+)", self.output(container_id, "cat", "/proc/self/status")).group(1), 16)

        net_admin, net_raw = 1 << 12, 1 << 13
        default = bounding()[1]
        self.assertEqual(bounding(add_capabilities=["NET_ADMIN"])[1], default | net_admin)
        without, bits = bounding(drop_capabilities=["NET_RAW"])
        self.assertEqual(bits, default & ~net_raw)
        code, out, err = self.exec(without, "ping", "-c", "1", "127.0.0.1")
        self.assertNotEqual(code, 0)
        self.assertTrue(out)
        self.assertIn("permission denied", err)
        self.assertEqual(bounding(add_capabilities=["ALL"])[1] & (default | net_admin), default | net_admin)
        self.assertEqual(bounding(drop_capabilities=["ALL"])[1], 0)

    def test_privileged(self):
        for privileged in (True, False):
            pod = self.run_pod(linux=self.pod_security(privileged=privileged))
            container_id = self.start(pod, linux=self.security(privileged=privileged))
            self.assertEqual(self.exec(container_id, "ip", "link", "add", "foobar", "type", "bridge")[0] == 0, privileged)

    def test_paths(self):
        pod = self.run_pod()
        container_id = self.start(pod, linux=self.security(masked_paths=[harness.PROBE]))
        self.assertEqual(self.exec(container_id, "/bin/sh", "-c", "seccomp-probe")[2], "/bin/sh: seccomp-probe: Permission denied\n")
        container_id = self.start(pod, linux=self.security(readonly_paths=["/tmp"]))
        self.assertEqual(self.exec(container_id, "touch", "/tmp/test")[2], "touch: /tmp/test: Read-only file system\n")

    def test_seccomp(self):
        api = self.api
        folder = f"{self.runtime.dir}/seccomp"
        profile = api.SecurityProfile

        def denying(*names):
            return profile(profile_type=profile.Localhost, localhost_ref=harness.write(f"{folder}/{names[0]}.json", {
                "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO"}]}))

        mode = ["grep", "Seccomp:", "/proc/self/status"]
        for wanted, command, expected in (
                (None, mode, (0, "Seccomp:\t0\n", "")), (profile(), mode, (0, "Seccomp:\t2\n", "")),
                (profile(profile_type=profile.Unconfined), mode, (0, "Seccomp:\t0\n", "")),
                (denying("chmod", "fchmodat"), ["chmod", "400", "/"], (1, "", "chmod: /: Operation not permitted\n"))):
            with self.subTest(str(wanted)):
                pod = self.run_pod(linux=self.pod_security(seccomp=wanted))
                self.assertEqual(self.exec(self.start(pod, linux=self.security(seccomp=wanted)), *command), expected)
        hostname = denying("sethostname")
        admin = api.Capability(add_capabilities=["SYS_ADMIN"])
        for wanted, fields, settable in ((profile(profile_type=profile.Unconfined), {"capabilities": admin}, True),
                                         (hostname, {"capabilities": admin}, False),
                                         (hostname, {"capabilities": api.Capability(), "privileged": True}, True)):
            pod = self.run_pod(linux=self.pod_security(privileged=fields.get("privileged", False)))
            container_id = self.start(pod, command=["sleep", "60"], linux=self.security(seccomp=wanted, **fields),
                                      image=api.ImageSpec(image=BUSYBOX, user_specified_image=BUSYBOX))
            self.assertEqual(self.exec(container_id, "hostname", "ANewHostName")[0] == 0, settable)


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Images(CriTest):
    """Of a registry, each image of one small layer and a name, tag or user of its own."""

    ACCOUNTS = {"passwd": "root:x:0:0:root:/root:/bin/sh\ndefault-user:x:1000:1000::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n",
                "group": "root:x:0:\ndefault-user:x:1000:\nwww-data:x:33:\ngroup-defined-in-image:x:50000:default-user\n"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = registries.Registry(f"{cls.runtime.dir}/registry")
        cls.addClassCleanup(cls.registry.close)
        for names, flags in ((["tag:test"], []), (["latest:latest"], ["--label=n=1"]), (["digest:1"], ["--label=n=2"]),
                             (["all:all"], ["--label=n=3"]), (["tags:1", "tags:2", "tags:3"], ["--label=n=4"]),
                             (["1:latest"], ["--label=n=5"]), (["2:latest"], ["--label=n=6"]), (["3:latest"], ["--label=n=7"]),
                             (["uid:latest"], ["--user=1002"]), (["username:latest"], ["--user=www-data"]),
                             (["uid-group:latest"], ["--user=1003:1003"]), (["username-group:latest"], ["--user=www-data:www-data"])):
            archive = cls.archive(names[0], *flags)
            for name in names:
                cls.registry.push(f"oci-archive:{archive}", "test-image-" + name)

    @classmethod
    def archive(cls, name, *flags):
        root = f"{cls.runtime.dir}/rootfs"
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp"):
            os.makedirs(f"{root}/{folder}", exist_ok=True)
        shutil.copy(f"{SUITE.build}/images/busybox", f"{root}/bin/sh")
        for file, text in cls.ACCOUNTS.items():
            harness.write(f"{root}/etc/{file}", text)
        output = f"{cls.runtime.dir}/{name.replace(':', '-')}.tar"
        harness.run(f"{harness.REPO}/scripts/make-oci-archive", "--rootfs", root, "--ref", "localhost/" + name, "--output", output,
                    "--cmd", '["sh", "-c", "sleep 1000"]', *flags)
        return output

    def spec(self, name):
        return self.api.ImageSpec(image=name)

    def name(self, short):
        return f"{self.registry.host}/test-image-{short}"

    def image(self, name):
        answer = self.image_call("ImageStatus", image=self.spec(name))
        return answer.image if answer.HasField("image") else None

    def pull(self, name):
        # A pod's configuration with nothing in it.
        self.addCleanup(self.image_call, "RemoveImage", image=self.spec(name))
        return self.image_call("PullImage", image=self.spec(name), sandbox_config=self.api.PodSandboxConfig()).image_ref

    def remove(self, name):
        self.image_call("RemoveImage", image=self.spec(self.image(name).id))
        self.assertIsNone(self.image(name))
        listed = self.image_call("ListImages", filter=self.api.ImageFilter()).images
        self.assertNotIn(name, [tag for image in listed for tag in image.repo_tags])

    def test_pulled_and_removed(self):
        manifest = harness.run("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://" + self.name("digest:1"))
        by_digest = self.name("digest@" + manifest.stdout.strip())
        for name, tags in ((self.name("tag:test"), [self.name("tag:test")]), (self.name("latest"), [self.name("latest:latest")]), (by_digest, [])):
            with self.subTest(name):
                image_ref = self.pull(name)
                image = self.image(name)
                self.assertEqual((image.id, list(image.repo_tags)), (image_ref, tags))
                self.assertGreater(image.size, 0)
                self.assertEqual(len(image.repo_digests), 1)
                if name == by_digest:
                    self.assertEqual(list(image.repo_digests), [name])
                self.assertIn(image, self.image_call("ListImages", filter=self.api.ImageFilter()).images)
                self.assertEqual(list(self.image_call("ListImages", filter=self.api.ImageFilter(image=self.spec(name))).images), [image])
                self.remove(name)

    def test_any_reference(self):
        self.pull(self.name("all:all"))
        image = self.image(self.name("all:all"))
        for name in (image.id, image.id.removeprefix("sha256:"), *image.repo_tags, *image.repo_digests):
            self.assertEqual(self.image(name), image, name)

    def test_lists(self):
        ids = {self.pull(self.name(f"{number}:latest")) for number in (1, 2, 3)}
        self.assertEqual(len(ids), 3)
        names = [self.name(f"tags:{number}") for number in (1, 2, 3)]
        same = {self.pull(name) for name in names}
        self.assertEqual(len(same), 1)
        tags = {image.id: sorted(image.repo_tags) for image in self.image_call("ListImages").images}
        self.assertEqual(sorted(tags[image_id][0] for image_id in ids), [self.name(f"{number}:latest") for number in (1, 2, 3)])
        self.assertEqual(tags[same.pop()], names)
        streamed = self.client.stream("ImageService", "StreamImages", "StreamImagesRequest", "StreamImagesResponse")
        self.assertEqual({image.id for part in streamed for image in part.images}, set(tags))

    def test_users(self):
        for name, uid, user in (("uid", 1002, ""), ("username", 0, "www-data"), ("uid-group", 1003, ""), ("username-group", 0, "www-data")):
            self.pull(self.name(name))
            image = self.image(self.name(name))
            self.assertEqual((image.uid.value, image.username), (uid, user), name)

    def test_one_identifier(self):
        name = self.name("tag:test")
        image_ref = self.pull(name)
        container_id = self.start(self.run_pod(), image=self.api.ImageSpec(image=image_ref, user_specified_image=name), command=None)
        listed = self.runtime_call("ListContainers", filter=self.api.ContainerFilter(id=container_id)).containers
        self.assertEqual({self.image(name).id, self.status(container_id).image_id, listed[0].image_id}, {image_ref})

    def test_groups_of_the_image(self):
        api = self.api
        self.pull(self.name("tag:test"))
        pod = self.run_pod(log_directory=self.folder())
        for policy, groups in ((api.Merge, [1000, 1234, 50000]), (api.Strict, [1000, 1234])):
            container_id = self.start(pod, image=self.spec(self.name("tag:test")), command=["sh", "-c", "id -G; sleep 1000"],
                                      log_path=f"{policy}.log", linux=self.security(run_as_user=api.Int64Value(value=1000),
                                                                                    supplemental_groups=[1234], supplemental_groups_policy=policy))
            user = self.status(container_id).user.linux
            self.assertEqual((user.uid, user.gid, sorted(user.supplemental_groups)), (1000, 1000, groups))
            text = " ".join(map(str, groups))
            wait("its output", lambda container_id=container_id: self.log_of(container_id))
            self.assertEqual(self.log_of(container_id), [("stdout", text)])
            self.assertEqual(self.output(container_id, "sh", "-c", "id -G"), text + "\n")

    def test_a_user_by_name(self):
        self.pull(self.name("tag:test"))
        container_id = self.start(self.run_pod(), image=self.spec(self.name("tag:test")), command=["sh", "-c", "sleep 1000"],
                                  linux=self.security(run_as_username="www-data"))
        self.assertEqual(self.output(container_id, "sh", "-c", "id -nu"), "www-data\n")

    def test_removed_by_many_at_once(self):
        self.pull(self.name("tag:test"))
        image_id = self.image(self.name("tag:test")).id

        def remove(_):
            self.image_call("RemoveImage", image=self.spec(image_id))
            return self.image(image_id)

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            self.assertEqual(list(pool.map(remove, range(5))), [None] * 5)

    def test_a_deadline(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.image_call("PullImage", deadline=0.001, image=self.spec(self.name("tag:test")))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Streams(CriTest):
    """Lists as server streams, of which the newest kubelet asks."""

    def streamed(self, method, field, **fields):
        parts = self.client.stream("RuntimeService", method, method + "Request", method + "Response", **fields)
        return [item for part in parts for item in getattr(part, field)]

    def test_pods_and_containers(self):
        api = self.api
        pod = self.run_pod(labels={"stream-test": "yes"})
        ids = [self.create(pod) for _ in range(3)]
        for labels, found in (({"stream-test": "yes"}, [pod[0]]), ({"stream-test": "no"}, [])):
            listed = self.streamed("StreamPodSandboxes", "pod_sandboxes", filter=api.PodSandboxFilter(label_selector=labels))
            self.assertEqual([item.id for item in listed], found)
        self.assertEqual(self.streamed("StreamPodSandboxes", "pod_sandboxes", filter=api.PodSandboxFilter(id="non-existent-id")), [])
        listed = self.streamed("StreamContainers", "containers", filter=api.ContainerFilter(pod_sandbox_id=pod[0]))
        self.assertEqual({item.id for item in listed}, set(ids))
        running = api.ContainerFilter(state=api.ContainerStateValue(state=api.CONTAINER_RUNNING))
        self.runtime_call("StartContainer", container_id=ids[0])
        self.assertEqual([item.id for item in self.streamed("StreamContainers", "containers", filter=running)], ids[:1])

    def test_statistics(self):
        api = self.api
        pod = self.run_pod(labels={"stream-pod-stats": "yes"})
        container_id = self.start(pod, labels={"stream-stats": "yes"})
        for labels, found in (({"stream-stats": "yes"}, [container_id]), ({"stream-stats": "no"}, [])):
            listed = self.streamed("StreamContainerStats", "container_stats", filter=api.ContainerStatsFilter(label_selector=labels))
            self.assertEqual([item.attributes.id for item in listed], found)
        for wanted in (api.PodSandboxStatsFilter(id=pod[0]), api.PodSandboxStatsFilter(label_selector={"stream-pod-stats": "yes"}), None):
            listed = self.streamed("StreamPodSandboxStats", "pod_sandbox_stats", filter=wanted)
            self.assertEqual([item.attributes.id for item in listed], [pod[0]])

    def test_metrics(self):
        pod = self.run_pod()
        container_id = self.start(pod)
        described = {d.name: list(d.label_keys) for d in self.runtime_call("ListMetricDescriptors").descriptors}
        listed = self.runtime_call("ListPodSandboxMetrics").pod_metrics
        self.assertEqual([item.pod_sandbox_id for item in listed], [pod[0]])
        self.assertEqual([item.container_id for item in listed[0].container_metrics], [container_id])
        of_pod, of_container = listed[0].metrics, listed[0].container_metrics[0].metrics
        for metric in (*of_pod, *of_container):
            self.assertEqual(len(metric.label_values), len(described[metric.name]), metric.name)
            self.assertGreater(metric.timestamp, 0)
        self.assertEqual({m.name for m in (*of_pod, *of_container)}, set(described))
        labels = dict(zip(described["container_memory_working_set_bytes"], of_container[0].label_values))
        self.assertEqual((labels["name"], labels["pod"], labels["namespace"], labels["container"]),
                         (container_id, pod[1].metadata.name, pod[1].metadata.namespace, self.status(container_id).metadata.name))
        self.assertGreater(next(m for m in of_container if m.name == "container_memory_working_set_bytes").value.value, 0)
        self.assertEqual([item.pod_sandbox_id for item in self.streamed("StreamPodSandboxMetrics", "pod_sandbox_metrics")], [pod[0]])
