"""Images from a real registry (Debian's docker-registry, filled by skopeo) on loopback, plain and behind a door that
asks for tokens, redirects blobs to another host and breaks off."""

import base64
import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import unittest
import urllib.request

import harness
from registries import PASSWORD, USER, Door, Registry


class Pull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(harness.SUITE.scratch, "pull")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.registry = Registry(cls.folder + "/registry")
        cls.addClassCleanup(cls.registry.close)
        archive = f"oci-archive:{harness.SUITE.build}/images/busybox.tar"
        for name in ("busybox:1", "library/busybox:1"):
            cls.registry.push(archive, name)
        cls.registry.push(archive, "docker/busybox:1", "--format=v2s2")

    def setUp(self):
        self.state = f"{self.folder}/{self._testMethodName}"
        os.makedirs(self.state)
        self.host = f"127.0.0.1:{self.registry.port}"

    def write(self, name, text):
        path = f"{self.state}.{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_pull(self, *args):
        return subprocess.run([harness.SUITE.portcullis, "image", "pull", "--state-dir", self.state, *args],
                              capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"]})

    def pull(self, *args):
        done = self.run_pull(*args)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(os.listdir(self.state + "/pulls"), [], "nothing is left beside the store")
        return done.stdout

    def listed(self):
        return subprocess.run([harness.SUITE.portcullis, "image", "list", "--state-dir", self.state],
                              capture_output=True, text=True, check=True).stdout

    def manifest(self, repository):
        request = urllib.request.Request(f"http://{self.host}/v2/{repository}/manifests/1", headers={"Accept": ", ".join((
            "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"))})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def blobs(self, repository):
        return 1 + len(json.loads(self.manifest(repository))["layers"])

    def test_by_tag_and_digest_in_both_formats(self):
        self.pull(f"{self.host}/busybox:1", f"{self.host}/docker/busybox:1")
        self.assertIn(f"{self.host}/busybox:1 ", self.listed())
        self.assertIn(f"{self.host}/docker/busybox:1 ", self.listed())
        digest = "sha256:" + hashlib.sha256(self.manifest("busybox")).hexdigest()
        self.assertIn("pulled", self.pull(f"{self.host}/docker/busybox:1"))
        self.pull(f"{self.host}/busybox@{digest}")
        missing = self.run_pull(f"{self.host}/busybox@sha256:{'0' * 64}")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("MANIFEST_UNKNOWN", missing.stderr)

    def test_a_mirror_is_asked_before_the_registry(self):
        mirrors = self.write("yaml", f'mirrors: {{docker.io: {{endpoint: ["http://127.0.0.1:1", "http://{self.host}"]}}}}')
        self.pull("--registries-file", mirrors, "busybox:1")
        self.assertIn("docker.io/library/busybox:1 ", self.listed())
        self.assertIn("/v2/library/busybox/manifests/1?ns=docker.io", self.registry.said())

    def test_basic_auth(self):
        locked = Registry(f"{self.state}.locked", auth=True)
        self.addCleanup(locked.close)
        locked.push(f"oci-archive:{harness.SUITE.build}/images/busybox.tar", "busybox:1",
                    f"--dest-creds={USER}:{PASSWORD}")
        name = f"127.0.0.1:{locked.port}/busybox:1"
        refused = self.run_pull(name)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("asks for a user and a password, and none are configured", refused.stderr)
        self.assertIn("answers 401", self.run_pull("--creds", "alice:wrong", name).stderr)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        logins = self.write("json", json.dumps({"auths": {f"127.0.0.1:{locked.port}": {"auth": auth}}}))
        self.pull("--registry-auth-file", logins, name)

    def test_tokens_redirects_and_a_broken_transfer(self):
        door = Door(self.registry.port)
        self.addCleanup(door.close)
        name = f"127.0.0.1:{door.port}/busybox:1"
        self.assertIn("who are you", self.run_pull("--creds", "alice:wrong", name).stderr)
        self.pull("--creds", f"{USER}:{PASSWORD}", name)
        self.assertEqual(door.leaked, [], "credentials stay with the registry")
        self.assertEqual(len(door.ranges), len(door.broken))
        self.assertTrue(door.broken)

    def test_resumes_what_a_killed_pull_left_and_mends_what_is_wrong(self):
        name = f"{self.host}/busybox:1"
        layer = json.loads(self.manifest("busybox"))["layers"][0]
        with urllib.request.urlopen(f"http://{self.host}/v2/busybox/blobs/{layer['digest']}") as answer:
            blob = answer.read()
        half = len(blob) // 2
        for content in (blob[:half], b"x" * half):
            shutil.rmtree(self.state)
            blobs = f"{self.state}/pulls/{hashlib.sha256(name.encode()).hexdigest()}/blobs/sha256"
            os.makedirs(blobs)
            with open(f"{blobs}/{layer['digest'][7:]}.partial", "wb") as file:
                file.write(content)
            before = self.registry.said().count("http.response.status=206")
            self.pull(name)
            self.assertEqual(self.registry.said().count("http.response.status=206"), before + 1)
            self.assertIn(name, self.listed())

    def test_one_name_by_many_at_once_is_fetched_once(self):
        name = f"{self.host}/docker/busybox:1"
        before = self.registry.said().count("GET /v2/docker/busybox/blobs/")
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = list(pool.map(self.run_pull, [name] * 6))
        self.assertEqual([one.returncode for one in done], [0] * 6, [one.stderr for one in done])
        self.assertIn(name, self.listed())
        fetched = self.registry.said().count("GET /v2/docker/busybox/blobs/") - before
        self.assertEqual(fetched, self.blobs("docker/busybox"))
