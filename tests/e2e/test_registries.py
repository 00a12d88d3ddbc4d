"""Registries that misbehave, ask for logins, speak TLS or die, and what daemons and pods make of them."""

import base64
import concurrent.futures
import io
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tarfile
import tempfile
import unittest

import containerd
import harness
from harness import SUITE, container, pod, wait
from certificates import make_ca, make_certificate
from registries import (DOCKER_LIST, OCI_INDEX, PASSWORD, USER, Front, Registry, digest_of, drip)


def layer(seed, size=1_000_000):
    """A tar archive of one file that does not compress."""
    data = random.Random(seed).randbytes(size)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(f"data-{seed}")
        entry.size = size
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Store(unittest.TestCase):
    """`portcullis image pull` against a registry of the class, with a state folder of the test's own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(SUITE.scratch, cls.__name__)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.registry = Registry(cls.folder + "/registry")
        cls.addClassCleanup(cls.registry.close)
        cls.archive = f"oci-archive:{SUITE.build}/images/busybox.tar"
        cls.registry.push(cls.archive, "busybox:1")

    def setUp(self):
        self.state = f"{self.folder}/{self._testMethodName}"
        os.makedirs(self.state)

    def front(self, *rules, registry=None):
        front = Front((registry or self.registry).port, *rules)
        self.addCleanup(front.close)
        return front

    def write(self, name, text):
        return harness.write(f"{self.state}.{name}", text)

    def command(self, *args):
        return [SUITE.portcullis, "image", "pull", "--state-dir", self.state, *args]

    def run_pull(self, *args, env=None):
        return subprocess.run(self.command(*args), capture_output=True, text=True, timeout=120, check=False,
                              env={"PATH": os.environ["PATH"], **(env or {})})

    def pull(self, *args, env=None):
        done = self.run_pull(*args, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(os.listdir(self.state + "/pulls"), [], "nothing is left beside the store")
        return done.stdout

    def refuse(self, *args, env=None):
        done = self.run_pull(*args, env=env)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(self.listed(), "")
        return done.stderr

    def listed(self):
        return harness.run(SUITE.portcullis, "image", "list", "--state-dir", self.state).stdout

    def files(self):
        """Blobs, layers and what is on its way."""
        found = []
        for folder in ("blobs/sha256", "layers", "pulls", "tmp"):
            found += [f"{folder}/{name}" for name in os.listdir(f"{self.state}/{folder}") if name != "l"]
        return found


class Formats(Store):
    def test_an_index_gives_the_image_of_this_platform(self):
        other = "arm64" if os.uname().machine == "x86_64" else "amd64"
        ours = "amd64" if other == "arm64" else "arm64"
        entries = {}
        for architecture in (ours, other):
            made = self.registry.put_image("multi", architecture, [layer(architecture, 1000)], architecture)
            entries[architecture] = {**made, "platform": {"os": "linux", "architecture": architecture}}
        for kind, tag in ((OCI_INDEX, "oci"), (DOCKER_LIST, "docker")):
            made = self.registry.put_manifest("multi", tag, {"schemaVersion": 2, "mediaType": kind,
                                                             "manifests": [entries[other], entries[ours]]})
            name = f"{self.registry.host}/multi:{tag}"
            self.pull(name)
            self.pull(f"{self.registry.host}/multi@{made['digest']}")
            config = json.loads(self.registry.manifest("multi", ours))["config"]["digest"]
            self.assertIn(f"{config[7:20]}  {name} ", self.listed())
        self.registry.put_manifest("multi", "none", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entries[other]]})
        self.assertIn(f"nothing for linux/{ours}; it offers linux/{other}",
                      self.run_pull(f"{self.registry.host}/multi:none").stderr)

    def test_layers_plain_gzip_and_zstd(self):
        self.registry.copy_with_zstd("busybox", "zstd")
        self.registry.put_image("plain", "1", [layer("plain"), layer("above")])
        for repository, kind in (("busybox", "+gzip"), ("zstd", "+zstd"), ("plain", ".tar")):
            types = {one["mediaType"] for one in json.loads(self.registry.manifest(repository))["layers"]}
            self.assertTrue(all(one.endswith(kind) for one in types), types)
            self.pull(f"{self.registry.host}/{repository}:1")
        # gzip and zstd hold the same tree, so its layers are there once.
        layers = len(json.loads(self.registry.manifest("busybox"))["layers"]) + 2
        self.assertEqual(len([name for name in os.listdir(self.state + "/layers") if name != "l"]), layers)

    def test_schema_1_is_refused_in_words(self):
        def old(handler, url):
            return url.path.endswith("/manifests/1") and handler.answer(
                200, b'{"schemaVersion": 1, "name": "busybox", "fsLayers": []}',
                Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws")

        self.assertIn("schema 1, which is not supported", self.refuse(f"{self.front(old).host}/busybox:1"))
        self.assertEqual(self.files(), [])

    def test_damaged_content_leaves_nothing(self):
        def damaged(handler, url):
            return "/blobs/" in url.path and handler.answer(200, b"x" * 100)

        name = f"{self.front(damaged).host}/busybox:1"
        said = self.refuse(name)
        self.assertRegex(said, "sent sha256:[0-9a-f]{64} where blob|ended blob .* after 100 of|sent more than")

        def same_size(handler, url):
            blob = self.registry.get(url.path.removeprefix("/v2/")) if "/blobs/" in url.path else b""
            return "/blobs/" in url.path and handler.answer(200, b"x" * len(blob))

        before = self.files()
        self.assertIn("where blob", self.refuse(f"{self.front(same_size).host}/busybox:1"))
        self.assertEqual(self.files(), before)

        def wrong_manifest(handler, url):
            return "/manifests/sha256:" in url.path and handler.answer(200, self.registry.manifest("busybox") + b" ",
                                                                       Content_Type="application/vnd.oci.image.manifest.v1+json")

        digest = digest_of(self.registry.manifest("busybox"))
        self.assertIn(f"where manifest {digest} was asked for", self.refuse(f"{self.front(wrong_manifest).host}/busybox@{digest}"))

    def test_images_that_share_a_layer_fetch_it_once(self):
        shared = layer("shared", 3_000_000)
        for name in ("one", "two"):
            self.registry.put_image(name, "1", [shared, layer(name, 1000)])
        front = self.front(drip())
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(self.run_pull, [f"{front.host}/one:1", f"{front.host}/two:1"]))
        self.assertEqual([one.returncode for one in done], [0, 0], [one.stderr for one in done])
        self.assertEqual(front.count(f"/blobs/{digest_of(shared)}"), 1)
        self.assertEqual(len(self.listed().splitlines()), 2)
        self.assertEqual(os.listdir(self.state + "/pulls"), [])

    def test_what_is_up_to_date_is_asked_for_by_head_alone(self):
        front = self.front()
        self.pull(f"{front.host}/busybox:1")
        front.seen.clear()
        self.pull(f"{front.host}/busybox:1")
        self.assertEqual([(method, path) for method, path, _ in front.seen], [("HEAD", "/v2/busybox/manifests/1")])

    def test_progress_in_lines_and_live(self):
        name = f"{self.registry.host}/busybox:1"
        big = json.loads(self.registry.manifest("busybox"))["layers"][0]["digest"][7:19]
        out = self.pull(name)
        self.assertRegex(out, rf"(?m)^{big}  +[0-9.]+[kM]?B of +[0-9.]+[kM]?B +100%$")
        shutil.rmtree(self.state)
        # util-linux's script gives it a terminal.
        done = harness.run("script", "-qec", " ".join(self.command(name)), "/dev/null")
        self.assertRegex(done.stdout, rf"\x1b\[\d+A\x1b\[J[^\x1b]*{big}  \[=+>? *\] ")


class Patience(Store):
    def test_a_busy_registry_is_waited_for_as_long_as_it_says(self):
        left = [2]

        def busy(handler, url):
            if "/manifests/" not in url.path or left[0] == 0:
                return False
            left[0] -= 1
            return handler.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', Retry_After="1")

        self.pull(f"{self.front(busy).host}/busybox:1")
        self.assertEqual(left, [0])

        def closed(handler, _):
            return handler.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', Retry_After="3600")

        shutil.rmtree(self.state)
        said = self.refuse(f"{self.front(closed).host}/busybox:1")
        self.assertIn("TOOMANYREQUESTS: slow down", said)
        self.assertIn("come back after 3600 s", said)

    def test_a_killed_pull_is_no_image_and_is_resumed(self):
        self.registry.put_image("slow", "1", [layer("slow", 4_000_000)])
        front = self.front(drip())
        name = f"{front.host}/slow:1"
        with subprocess.Popen(self.command(name), stdout=subprocess.DEVNULL) as process:
            wait("some of the layer is here", lambda: self.partial() > 200_000)
            process.kill()
        self.assertEqual(self.listed(), "")
        half = self.partial()
        front.seen.clear()
        self.pull(name)
        self.assertIn(name, self.listed())
        ranges = [headers["Range"] for _, path, headers in front.seen if "Range" in headers]
        self.assertEqual(ranges, [f"bytes={half}-"])

    def partial(self):
        for folder, _, names in os.walk(self.state + "/pulls"):
            for name in names:
                if name.endswith(".partial") and os.path.getsize(f"{folder}/{name}") > 1000:
                    return os.path.getsize(f"{folder}/{name}")
        return 0

    def test_a_full_disk_leaves_nothing_and_the_next_pull_succeeds(self):
        self.registry.put_image("big", "1", [layer("big", 3_000_000)])
        name = f"{self.registry.host}/big:1"
        # Full while it downloads, and full while it unpacks.
        for size in ("2m", "4m"):
            with self.subTest(size):
                harness.run("mount", "-t", "tmpfs", "-o", f"size={size}", "pull-test", self.state)
                try:
                    self.assertIn("no space left on device", self.refuse(name))
                    self.assertEqual(self.files(), [])
                    harness.run("mount", "-o", "remount,size=64m", self.state)
                    self.pull(name)
                    self.assertIn(name, self.listed())
                finally:
                    harness.run("umount", self.state)


class Logins(Store):
    def setUp(self):
        super().setUp()
        self.locked = Registry(f"{self.state}.locked", auth=True)
        self.addCleanup(self.locked.close)
        self.locked.push(self.archive, "busybox:1", f"--dest-creds={USER}:{PASSWORD}")
        self.name = f"{self.locked.host}/busybox:1"

    def test_credential_helpers(self):
        helper = f"{self.state}.bin/docker-credential-ours"
        harness.write(helper, f"""#!/bin/sh
read -r server
if [ "$1 $server" = "get {self.locked.host}" ]; then
  echo '{{"ServerURL":"'$server'","Username":"{USER}","Secret":"{PASSWORD}"}}'
else
  echo "credentials not found in native keychain"
  exit 1
fi
""")
        os.chmod(helper, stat.S_IRWXU)
        path = {"PATH": f"{os.path.dirname(helper)}:{os.environ['PATH']}"}
        own = self.write("own.json", {"credHelpers": {self.locked.host: "ours"}})
        every = self.write("every.json", {"credsStore": "ours"})
        said = self.refuse("--registry-auth-file", own, self.name)
        self.assertIn(f"credential helper docker-credential-ours for {self.locked.host} is not installed", said)
        for logins in (own, every):
            self.pull("--registry-auth-file", logins, self.name, env=path)
            shutil.rmtree(self.state)
        # It knows nothing of this one, and nobody needs to.
        self.pull("--registry-auth-file", every, f"{self.registry.host}/busybox:1", env=path)

    def test_identity_tokens_and_one_token_for_all_layers(self):
        asked = []

        def token(handler, url):
            if url.path == "/token":
                asked.append((handler.command, handler.form))
                return handler.answer(200, b'{"access_token":"good","expires_in":300}')
            if handler.headers["Authorization"] == "Bearer good":
                del handler.headers["Authorization"]
                return False
            handler.answer(401, WWW_Authenticate=f'Bearer realm="http://{front.host}/token",service="s",'
                           'scope="repository:busybox:pull"')
            return True

        front = self.front(token)
        logins = self.write("json", {"auths": {front.host: {"auth": base64.b64encode(b"x:y").decode(), "identitytoken": "long/lived"}}})
        self.pull("--registry-auth-file", logins, f"{front.host}/busybox:1")
        self.assertEqual(asked, [("POST", "grant_type=refresh_token&client_id=portcullis&service=s"
                                  "&scope=repository%3Abusybox%3Apull&refresh_token=long%2Flived")])

    def test_logins_do_not_go_to_mirrors(self):
        front = self.front()
        mirrors = self.write("yaml", {"mirrors": {"docker.io": {"endpoint": [f"http://{front.host}"]}}})
        self.registry.push(self.archive, "library/busybox:1")
        self.pull("--registries-file", mirrors, "--creds", "me:secret", "busybox:1")
        self.assertEqual([headers["Authorization"] for _, _, headers in front.seen if "Authorization" in headers], [])
        self.assertTrue(all(path.endswith("?ns=docker.io") for _, path, _ in front.seen), front.seen)

    def test_tls_of_a_private_authority(self):
        folder = self.state + ".tls"
        ours, another = make_ca(folder, "ours"), make_ca(folder, "another")
        registry = Registry(f"{self.state}.secure", tls=make_certificate(folder, ours))
        self.addCleanup(registry.close)
        registry.push(self.archive, "busybox:1")
        name = f"{registry.host}/busybox:1"

        def configured(**tls):
            return self.write("tls.yaml", {"configs": {registry.host: {"tls": tls}}})

        self.assertIn("certificate", self.refuse("--registries-file", configured(insecure_skip_verify=False), name))
        self.assertIn("certificate", self.refuse("--registries-file", configured(ca_file=another[0]), name))
        self.pull("--registries-file", configured(ca_file=ours[0]), name)
        shutil.rmtree(self.state)
        self.pull("--registries-file", configured(insecure_skip_verify=True), name)

    def test_proxies_of_the_environment(self):
        def proxied(handler, _):
            # A proxy is asked for whole URLs.
            handler.path = handler.path.removeprefix("http://registry.test")
            return False

        proxy = self.front(proxied)
        mirrors = self.write("yaml", {"mirrors": {"registry.test": {"endpoint": ["http://registry.test"]}}})
        self.pull("--registries-file", mirrors, "registry.test/busybox:1", env={"HTTP_PROXY": f"http://{proxy.host}"})
        self.assertGreater(proxy.count("http://registry.test/v2/busybox/"), 2)
        shutil.rmtree(self.state)
        proxy.seen.clear()
        self.refuse("--registries-file", mirrors, "registry.test/busybox:1",
                    env={"HTTP_PROXY": f"http://{proxy.host}", "NO_PROXY": "registry.test", "HTTPS_PROXY": "http://127.0.0.1:1"})
        self.pull(f"{self.registry.host}/busybox:1", env={"http_proxy": f"http://{proxy.host}"})
        self.assertEqual(proxy.seen, [], "NO_PROXY and loopback")


class Examples(Store):
    """scripts/get-images, which quickstart.sh runs."""

    def get(self, endpoint):
        mirrors = self.write("yaml", {
            "mirrors": {name: {"endpoint": [endpoint]} for name in ("docker.io", "registry.k8s.io")},
            "configs": {name: {"tls": {"ca_file": "/nonexistent"}} for name in ("docker.io", "registry.k8s.io")}})
        return harness.run(f"{harness.REPO}/scripts/get-images", SUITE.portcullis, f"{SUITE.build}/images", "--state-dir",
                           self.state, "--registries-file", mirrors, timeout=300).stdout

    def test_from_a_registry_when_it_answers(self):
        for archive, name in (("pause-3.10", "pause:3.10"), ("nginx-1.21", "library/nginx:1.21"),
                              ("redis-6.2", "library/redis:6.2")):
            self.registry.push(f"oci-archive:{SUITE.build}/images/{archive}.tar", name)
        self.assertIn("These are the real images.", self.get(f"http://{self.registry.host}"))
        for name in ("registry.k8s.io/pause:3.10", "docker.io/library/nginx:1.21", "docker.io/library/redis:6.2"):
            self.assertIn(f" {name} ", self.listed())
        self.assertNotIn("busybox", self.listed())

    def test_stand_ins_without_one(self):
        self.assertIn("stand-ins made from Debian's", self.get("http://127.0.0.1:1"))
        for name in ("registry.k8s.io/pause:3.10", "docker.io/library/nginx:1.21", "docker.io/library/busybox:latest"):
            self.assertIn(f" {name} ", self.listed())


class Daemons(harness.RuntimeTest):
    @classmethod
    def make(cls):
        cls.folder = tempfile.mkdtemp(prefix="pcr-")  # not in the suite's folder: it outlives the daemon
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.registry = Registry(cls.folder + "/locked", auth=True)
        cls.addClassCleanup(cls.registry.close)
        cls.registry.push(f"oci-archive:{SUITE.build}/images/busybox.tar", "busybox:1", f"--dest-creds={USER}:{PASSWORD}")
        cls.open = Registry(cls.folder + "/open")
        cls.addClassCleanup(cls.open.close)
        cls.open.put_image("slow", "1", [layer("slow", 6_000_000)])
        cls.open.push(f"oci-archive:{SUITE.build}/images/pause-3.10.tar", "pause:3.10")
        cls.registries_file = cls.folder + "/registries.yaml"
        harness.write(cls.registries_file,
                      {"mirrors": {"registry.k8s.io": {"endpoint": [f"http://{cls.open.host}"]}}})
        cls.ARGS = ["--registries-file", cls.registries_file, "--registry-auth-file", cls.folder + "/config.json"]
        harness.write(cls.folder + "/config.json", {})
        return super().make()

    def test_crictl_pull_with_logins(self):
        name = f"{self.registry.host}/busybox:1"
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        refused = self.runtime.crictl("pull", name, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("asks for a user and a password", refused.stderr)
        for login in (["--creds", f"{USER}:{PASSWORD}"], ["--auth", auth]):
            with self.subTest(login):
                out = self.runtime.crictl("pull", *login, name).stdout
                image = self.runtime.json("inspecti", name)["status"]["id"]
                self.assertEqual(out, f"Image is up to date for {image}\n")
                self.runtime.crictl("rmi", name)
        harness.write(self.folder + "/config.json", {"auths": {self.registry.host: {"auth": auth}}})
        self.runtime.crictl("pull", name)
        self.runtime.crictl("rmi", name)

    def test_a_daemon_ends_or_dies_while_it_pulls(self):
        front = Front(self.open.port, drip())
        self.addCleanup(front.close)
        name = f"{front.host}/slow:1"
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how.name):
                before = front.count("/blobs/")
                with subprocess.Popen([SUITE.portcullis, "crictl", "--runtime-endpoint", "unix://" + self.runtime.socket, "pull",
                                       name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
                    wait("blobs are being fetched", lambda before=before: front.count("/blobs/") > before)
                    code = self.runtime.stop(how)
                    self.assertEqual(code, 0 if how == signal.SIGTERM else -how)
                    self.assertNotEqual(client.wait(20), 0)
                self.runtime.start()
                self.assertNotIn("slow", self.runtime.crictl("images").stdout)
        self.runtime.crictl("pull", name)
        self.assertEqual(os.listdir(self.runtime.state_dir + "/pulls"), [])
        self.assertIn("slow", self.runtime.crictl("images").stdout)
        self.runtime.crictl("rmi", name)

    def test_the_sandbox_image_is_pulled_when_it_is_missing(self):
        harness.run(SUITE.portcullis, "image", "remove", "--state-dir", self.runtime.state_dir, "registry.k8s.io/pause:3.10")
        config = harness.write(f"{self.runtime.dir}/pod.json", {"metadata": {"name": "p", "namespace": "default", "uid": "u"}})
        mirrors = harness.read(self.registries_file)
        harness.write(self.registries_file, {"mirrors": {"registry.k8s.io": {"endpoint": ["http://127.0.0.1:1"]}},
                                             "configs": {"registry.k8s.io": {"tls": {"ca_file": "/nonexistent"}}}})
        refused = self.runtime.crictl("runp", config, check=False).stderr
        self.assertIn('failed to get sandbox image "registry.k8s.io/pause:3.10": it is not on this node', refused)
        self.assertIn("http://127.0.0.1:1/v2/pause/manifests/3.10", refused)
        self.assertIn("portcullis image load", refused)
        harness.write(self.registries_file, mirrors)
        sandbox = self.runtime.crictl("runp", config).stdout.strip()
        self.assertEqual(self.runtime.json("inspectp", sandbox)["status"]["state"], "SANDBOX_READY")


class Pods(harness.NodeTest):
    @classmethod
    def make(cls):
        cls.folder = tempfile.mkdtemp(prefix="pcr-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.registry = Registry(cls.folder + "/registry")
        cls.addClassCleanup(cls.registry.close)
        cls.registry.push(f"oci-archive:{SUITE.build}/images/busybox.tar", "busybox:1")
        cls.registry.copy_with_zstd("busybox", "library/hello")
        cls.registries_file = cls.folder + "/registries.yaml"
        cls.mirror(f"http://{cls.registry.host}")
        cls.ARGS = ["--registries-file", cls.registries_file]
        return super().make()

    @classmethod
    def mirror(cls, endpoint):
        """docker.io itself is never reached: its certificate could not be checked."""
        harness.write(cls.registries_file, {"mirrors": {"docker.io": {"endpoint": [endpoint]}},
                                            "configs": {"docker.io": {"tls": {"ca_file": "/nonexistent"}}}})

    def test_pull_policies(self):
        always = container("c", harness.FOREVER, image="hello:1", imagePullPolicy="Always")
        self.node.apply(pod("never", container("c", harness.FOREVER, image="hello:1", imagePullPolicy="Never")))
        status = self.node.wait_state("never", "c", "waiting", "ErrImageNeverPull")
        self.assertEqual(status["state"]["waiting"]["message"],
                         'Container image "hello:1" is not present with pull policy of Never')
        # A name of one word is one of docker.io, here of its mirror; Always asks, and gets it.
        self.node.apply(pod("always", always))
        status = self.node.wait_running("always")["c"]
        self.assertEqual(status["image"], "docker.io/library/hello:1")
        self.assertIn("docker.io/library/hello:1", self.node.json("inspecti", "hello:1")["status"]["repoTags"])
        self.node.wait_running("never")
        # The registry has the last word, even if the image is here.
        self.mirror("http://127.0.0.1:1")
        self.node.apply(pod("again", always), pod("here", container("c", harness.FOREVER, image="hello:1")))
        status = self.node.wait_state("again", "c", "waiting", "ErrImagePull")
        message = status["state"]["waiting"]["message"]
        self.assertIn("http://127.0.0.1:1/v2/library/hello/manifests/1", message)
        status = self.node.wait_state("again", "c", "waiting", "ImagePullBackOff")
        self.assertEqual(status["state"]["waiting"]["message"], f'Back-off pulling image "hello:1": ErrImagePull: {message}')
        self.node.wait_running("here")
        self.mirror(f"http://{self.registry.host}")
        self.node.wait_running("again", timeout=60)

    def test_secrets_for_pulls_are_refused(self):
        self.node.apply(pod("secret", container("c"), imagePullSecrets=[{"name": "s"}]))
        wait("the manifest is refused", lambda: "static pods may not reference secrets" in self.node.get("/manifests"))
        self.node.remove("secret")



class BehindContainerd(unittest.TestCase):
    """The kubelet's part when another runtime pulls: the login goes along."""

    def test_logins_of_the_node_reach_the_runtime(self):
        folder = tempfile.mkdtemp(prefix="pcr-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        registry = Registry(folder + "/locked", auth=True)
        self.addCleanup(registry.close)
        registry.push(f"oci-archive:{SUITE.build}/images/busybox.tar", "busybox:1", f"--dest-creds={USER}:{PASSWORD}")
        peer = containerd.Containerd()
        peer.start("pause-3.10")
        self.addCleanup(peer.stop)
        node = RemoteNode(config={"containerRuntimeEndpoint": "unix://" + peer.socket})
        node.socket = peer.socket
        node.start()
        self.addCleanup(lambda: self.assertEqual(node.end(), 0))
        node.apply(pod("private", container("c", harness.FOREVER, image=f"{registry.host}/busybox:1")))
        status = node.wait_state("private", "c", "waiting", "ErrImagePull")
        self.assertRegex(status["state"]["waiting"]["message"], "401|[Aa]uthorization|unauthorized|no basic auth")
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        harness.write(node.root_dir + "/config.json", {"auths": {registry.host: {"auth": auth}}})
        node.wait_running("private", timeout=60)


class RemoteNode(harness.Node):
    """With another runtime the embedded one's flags would have no effect, and are refused."""

    def runtime_flags(self):
        return []

    def end(self):
        self.remove_pods()
        code = self.stop()
        # Of another runtime's pods the node's cgroups stay.
        for top in [path for path in SUITE.cgroups() if path.endswith(self.cgroup)]:
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)
        return code
