"""Images from a real registry (Debian's docker-registry, filled by skopeo) on loopback, plain and behind a door that
asks for tokens, redirects blobs to another host and breaks off."""

import base64
import concurrent.futures
import crypt
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import wait

USER, PASSWORD = "alice", "s3:cret"


class Registry:
    """docker-registry with its own storage; `auth` asks for user and password."""

    def __init__(self, folder, auth=False):
        self.folder = folder
        os.makedirs(folder)
        self.port = harness.free_port()
        config = ("version: 0.1\nlog: {level: info, accesslog: {disabled: false}}\n"
                  f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
                  f"http: {{addr: '127.0.0.1:{self.port}'}}\n")
        if auth:
            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)).replace("$2b$", "$2y$", 1)
            with open(f"{folder}/htpasswd", "w", encoding="utf-8") as file:
                file.write(f"{USER}:{hashed}\n")
            config += f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
        with open(f"{folder}/config.yml", "w", encoding="utf-8") as file:
            file.write(config)
        self.log = open(f"{folder}/log", "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(["docker-registry", "serve", f"{folder}/config.yml"],  # pylint: disable=R1732
                                        stdout=self.log, stderr=subprocess.STDOUT)
        wait("the registry answers", self.answers)

    def answers(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/").status == 200
        except urllib.error.HTTPError as error:
            return error.code == 401

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def said(self):
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def push(self, archive, name, *flags):
        subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", *flags, archive,
                        f"docker://127.0.0.1:{self.port}/{name}"], check=True, capture_output=True)


class Door:
    """In front of a registry: a token server, redirects of blobs to a second port, and blobs that end half-way once."""

    def __init__(self, upstream):
        door = self
        self.tokens = 0
        self.leaked = []  # Authorization that reached the storage port
        self.broken = set()
        self.ranges = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):  # pylint: disable=invalid-name
                url = urllib.parse.urlparse(self.path)
                if url.path == "/token":
                    query = urllib.parse.parse_qs(url.query)
                    login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                    if self.headers["Authorization"] != login or query["scope"] != ["repository:busybox:pull"]:
                        return self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}')
                    door.tokens += 1
                    return self.answer(200, json.dumps({"token": "good"}).encode())
                if self.headers["Authorization"] != "Bearer good":
                    return self.answer(401, WWW_Authenticate=f'Bearer realm="http://127.0.0.1:{door.port}/token",'
                                       'service="door",scope="repository:busybox:pull"')
                if "/blobs/" in url.path:
                    return self.answer(307, Location=f"http://127.0.0.1:{door.storage_port}{url.path}")
                request = urllib.request.Request(f"http://127.0.0.1:{upstream}{url.path}",
                                                 headers={"Accept": self.headers["Accept"]})
                with urllib.request.urlopen(request) as answer:
                    return self.answer(200, answer.read(), Content_Type=answer.headers["Content-Type"])

        class Storage(Handler):
            def do_GET(self):
                if self.headers["Authorization"]:
                    door.leaked.append(self.headers["Authorization"])
                with urllib.request.urlopen(f"http://127.0.0.1:{upstream}{self.path}") as answer:
                    body = answer.read()
                wanted = self.headers["Range"]
                if wanted:
                    door.ranges.append(wanted)
                    return self.answer(206, body[int(wanted[len("bytes="):-1]):])
                if len(body) < 100_000 or self.path in door.broken:
                    return self.answer(200, body)
                door.broken.add(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:len(body) // 2])
                self.close_connection = True
                return None

        self.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in (Handler, Storage)]
        self.port, self.storage_port = (server.server_address[1] for server in self.servers)
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


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
