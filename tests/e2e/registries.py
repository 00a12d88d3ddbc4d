"""Real registries (Debian's docker-registry) on loopback, and servers in front of them that misbehave as told."""

import base64
import crypt
import gzip
import hashlib
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import free_port, wait

USER, PASSWORD = "alice", "s3:cret"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    """docker-registry with its own storage; `auth` asks for user and password."""

    def __init__(self, folder, auth=False, tls=None):
        self.folder = folder
        os.makedirs(folder)
        self.port = free_port()
        config = ("version: 0.1\nlog: {level: info, accesslog: {disabled: false}}\n"
                  f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
                  f"http: {{addr: '127.0.0.1:{self.port}'" +
                  (f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else "") + "}\n")
        self.tls = tls
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

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def answers(self):
        context = ssl._create_unverified_context() if self.tls else None  # pylint: disable=protected-access
        try:
            url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v2/"
            return urllib.request.urlopen(url, context=context).status == 200
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

    def get(self, path, accept="*/*"):
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def manifest(self, repository, tag="1"):
        return self.get(f"{repository}/manifests/{tag}", ", ".join((OCI_MANIFEST, DOCKER_MANIFEST)))

    def put_blob(self, repository, data):
        """Uploads in one piece; returns the descriptor without its media type."""
        digest = digest_of(data)
        start = urllib.request.Request(f"http://{self.host}/v2/{repository}/blobs/uploads/", method="POST", data=b"")
        with urllib.request.urlopen(start) as answer:
            location = answer.headers["Location"]
        end = urllib.request.Request(f"{location}&digest={urllib.parse.quote(digest)}", method="PUT", data=data,
                                     headers={"Content-Type": "application/octet-stream"})
        urllib.request.urlopen(end).close()
        return {"digest": digest, "size": len(data)}

    def put_manifest(self, repository, tag, document):
        data = json.dumps(document).encode()
        request = urllib.request.Request(f"http://{self.host}/v2/{repository}/manifests/{tag}", method="PUT", data=data,
                                         headers={"Content-Type": document["mediaType"]})
        urllib.request.urlopen(request).close()
        return {"mediaType": document["mediaType"], "digest": digest_of(data), "size": len(data)}

    def put_image(self, repository, tag, layers, architecture="amd64", zstd=False, **config):
        """An image of layers that are plain tar archives, stored as they are or packed by zstd."""
        config = {"architecture": architecture, "os": "linux", "config": {"Cmd": ["sh"], **config},
                  "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}}
        stored = self.put_blob(repository, json.dumps(config).encode())
        if zstd:
            layers = [subprocess.run(["zstd", "-q", "-c"], input=layer, check=True, capture_output=True).stdout for layer in layers]
        media_type = OCI_LAYER + ("+zstd" if zstd else "")
        return self.put_manifest(repository, tag, {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **stored},
            "layers": [{"mediaType": media_type, **self.put_blob(repository, layer)} for layer in layers]})

    def copy_with_zstd(self, source, repository):
        """An image that is here, its layers packed anew. (skopeo leaves layers as they are when it knows them.)"""
        manifest = json.loads(self.manifest(source))
        layers = [gzip.decompress(self.get(f"{source}/blobs/{one['digest']}")) for one in manifest["layers"]]
        config = json.loads(self.get(f"{source}/blobs/{manifest['config']['digest']}"))
        self.put_image(repository, "1", layers, config["architecture"], zstd=True, **config["config"])


class Handler(http.server.BaseHTTPRequestHandler):
    """What the servers here have in common: silence, and answers in one piece."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True


def serve(handler):
    """A server on a free port, in threads of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Front:
    """In front of a registry. `rules` are asked in turn, rule(handler, url) -> True when it has answered; else the
    request goes to the registry as it is."""

    def __init__(self, upstream, *rules):
        self.rules = list(rules)
        self.seen = []  # (method, path, headers)
        front = self

        class Asked(Handler):
            def do_GET(self):  # pylint: disable=invalid-name
                front.seen.append((self.command, self.path, dict(self.headers)))
                self.form = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                url = urllib.parse.urlparse(self.path)
                try:
                    if any(rule(self, url) for rule in front.rules):
                        return
                    self.forward(url)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_HEAD = do_POST = do_GET

            def forward(self, url):
                keep = {key: self.headers[key] for key in ("Accept", "Range", "Authorization") if self.headers[key]}
                request = urllib.request.Request(f"http://127.0.0.1:{upstream}{url.path}", headers=keep, method=self.command)
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error:
                    answer = error
                with answer:
                    body = answer.read()
                    kept = {key.replace("-", "_"): answer.headers[key] for key in
                            ("Content-Type", "Docker-Content-Digest", "WWW-Authenticate", "Content-Range") if answer.headers[key]}
                    self.answer(answer.status, body, **kept)

        self.server = serve(Asked)
        self.server.upstream = upstream
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"

    def count(self, text):
        return sum(text in path for _, path, _ in self.seen)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def drip(pause=0.05, piece=65536):
    """A rule: blobs come slowly, resumable."""

    def rule(handler, url):
        if "/blobs/" not in url.path or handler.command != "GET":
            return False
        with urllib.request.urlopen(f"http://127.0.0.1:{handler.server.upstream}{url.path}") as answer:
            body = answer.read()
        wanted = handler.headers["Range"]
        start = int(wanted[len("bytes="):-1]) if wanted else 0
        handler.send_response(206 if wanted else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        for at in range(start, len(body), piece):
            handler.wfile.write(body[at:at + piece])
            handler.wfile.flush()
            time.sleep(pause)
        return True

    return rule


class Door:
    """In front of a registry: a token server, redirects of blobs to a second port, and blobs that end half-way once."""

    def __init__(self, upstream):
        door = self
        self.tokens = 0
        self.leaked = []  # Authorization that reached the storage port
        self.broken = set()
        self.ranges = []

        class Entrance(Handler):
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

        self.servers = [serve(kind) for kind in (Entrance, Storage)]
        self.port, self.storage_port = (server.server_address[1] for server in self.servers)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
