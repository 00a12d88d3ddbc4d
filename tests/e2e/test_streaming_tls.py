"""The streaming server over TLS: certificates of servers and clients, changed files, every transport."""

import os
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

import harness
import spdy
import test_streaming
import test_streaming_websocket
from certificates import make_ca, make_certificate
from harness import SUITE

try:
    import channels
except ImportError:
    channels = None


class Secured(test_streaming_websocket.ByMessages):
    """A runtime with a certificate of `ours`; DEMANDS: clients must have one too."""

    DEMANDS = False

    @classmethod
    def make(cls):
        # On the class, because the runtime's flags name the files.
        folder = tempfile.TemporaryDirectory(dir=SUITE.scratch)  # pylint: disable=consider-using-with
        cls.addClassCleanup(folder.cleanup)
        cls.certs = folder.name
        cls.ours, cls.other = make_ca(cls.certs, "ours"), make_ca(cls.certs, "other")
        cls.server = make_certificate(cls.certs, cls.ours, "server", "DNS:localhost,IP:127.0.0.1")
        cls.mine = make_certificate(cls.certs, cls.ours, "mine", "DNS:mine")
        cls.strange = make_certificate(cls.certs, cls.other, "strange", "DNS:strange")
        cls.ARGS = ["--stream-tls-cert", cls.server[0], "--stream-tls-key", cls.server[1]]
        if cls.DEMANDS:
            cls.ARGS += ["--stream-tls-ca", cls.ours[0]]
        return super().make()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder, cls.crictl = cls.runtime.dir, cls.runtime.crictl
        cls.pod, cls.container = test_streaming.start_nginx(cls)

    def context(self, identity=None, ca=None):
        context = ssl.create_default_context(cafile=(ca or self.ours)[0])
        if identity:
            context.load_cert_chain(*identity)
        return context

    def flags(self, identity=None, ca=None, name=None):
        flags = ["--tls-ca", (ca or self.ours)[0]]
        if identity:
            flags += ["--tls-cert", identity[0], "--tls-key", identity[1]]
        return flags + (["--tls-sni", name] if name else [])

    def echo(self, *flags, check=0):
        return self.client.run("exec", *flags, self.container, "echo", "hidden", check=check)


class ServerCertificate(Secured):
    def test_clients_of_both_transports(self):
        self.assertRegex(self.exec_url("true"), r"^https://127\.0\.0\.1:\d+/exec/")
        for transport in ("spdy", "websocket"):
            with self.subTest(transport):
                flags = ["-r", transport, *self.flags()]
                self.assertEqual(self.echo(*flags).stdout, b"hidden\n")
                data = test_streaming.random_bytes(6_000_001)
                done = self.client.run("exec", *flags, "-i", self.container, "cat", data=data, check=0)
                self.assertEqual(done.stdout, data)
                process = subprocess.Popen(self.client.command("port-forward", *flags, self.pod, ":80"), stdout=subprocess.PIPE)
                port = int(process.stdout.readline().split(b":")[1].split()[0])
                page = test_streaming.PortForwardVerbs.fetch(port, "/large")
                self.assertEqual(len(page.split(b"\r\n\r\n", 1)[1]), 4_000_000)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=20)
                self.assertEqual(process.returncode, 0)

    def test_terminal(self):
        terminal = self.client.terminal("exec", *self.flags(), "-it", self.container, "sh")
        self.addCleanup(terminal.close)
        terminal.send("stty size; exit 3\r")
        self.assertIn("30 100\r\n", terminal.wait_for("exit code 3"))
        self.assertEqual(terminal.end(), 1)

    def test_what_is_verified(self):
        self.assertEqual(self.echo(*self.flags(name="127.0.0.1")).stdout, b"hidden\n")
        self.assertIn(b"hostname mismatch", self.echo(*self.flags(name="example.com"), check=1).stderr)
        self.assertRegex(self.echo(*self.flags(ca=self.other), check=1).stderr, b"(?i)TLS handshake: .*certificate")
        # As crictl has it: without files nothing is verified.
        self.assertEqual(self.echo().stdout, b"hidden\n")
        self.assertIn(b"--tls-cert and --tls-key are only of use together", self.echo("--tls-cert", self.mine[0], check=1).stderr)
        self.assertIn(b"no such file", self.echo("--tls-ca", "/no/such/file", check=1).stderr)

    def test_another_client(self):
        client = spdy.upgrade(self.exec_url("echo", "hidden"), test_streaming.V4, tls=self.context())
        self.addCleanup(client.close)
        ids = {name: client.open(streamtype=name) for name in ("error", "stdout", "stderr")}
        self.assertEqual(client.run().data[ids["stdout"]], b"hidden\n")
        client = channels.Client(self.exec_url("sh", "-c", "wc -c", stdin=True), "v5.channel.k8s.io",
                                 tls={"context": self.context(), "server_hostname": "localhost"})
        self.addCleanup(client.close)
        client.send(channels.STDIN, b"x" * 300_000)
        client.close_channel(channels.STDIN)
        self.assertEqual(client.run().data[channels.STDOUT], b"300000\n")
        self.assertEqual(client.closed, channels.NORMAL)

    def test_version_is_1_2_at_least(self):
        for version, taken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            context = self.context()
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            with self.subTest(version):
                if taken:
                    self.assertEqual(spdy.http(self.exec_url("true"), [], tls=context)[1], 400)
                else:
                    with self.assertRaises(ssl.SSLError):
                        spdy.http(self.exec_url("true"), [], tls=context)

    def test_nonsense_is_refused(self):
        address = self.exec_url("true").split("/")[2].split(":")
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100_000, os.urandom(10_000)):
            with self.subTest(sent[:8]), socket.create_connection(address, 20) as connection:
                try:
                    connection.sendall(sent)
                    connection.shutdown(socket.SHUT_WR)
                    answer = b""
                    while more := connection.recv(65536):
                        answer += more
                    self.assertNotIn(b"HTTP/1.1", answer)
                except OSError:  # the server has hung up before all was sent
                    pass
        self.assertEqual(self.echo(*self.flags()).stdout, b"hidden\n")

    def test_changed_files(self):
        lasting = self.client.terminal("exec", *self.flags(), "-it", self.container, "sh")
        self.addCleanup(lasting.close)
        lasting.send("echo $((40+2))\r")
        lasting.wait_for("42\r\n")
        before = [harness.read(path) for path in self.server]
        fresh = make_certificate(f"{self.certs}", self.other, "fresh", "DNS:localhost")
        try:
            os.replace(fresh[0], self.server[0])  # the certificate alone: the pair does not fit, the old one serves
            self.assertEqual(self.echo(*self.flags()).stdout, b"hidden\n")
            self.assertIn("TLS files have changed and cannot be used", self.runtime.log_text())
            os.replace(fresh[1], self.server[1])
            self.assertEqual(self.echo(*self.flags(ca=self.other)).stdout, b"hidden\n")
            self.echo(*self.flags(), check=1)
            lasting.send("echo $((50+2)); exit\r")
            lasting.wait_for("52\r\n")
        finally:
            for path, text in zip(self.server, before):
                harness.write(path, text)
        self.assertEqual(self.echo(*self.flags()).stdout, b"hidden\n")


class ClientCertificate(Secured):
    DEMANDS = True

    def test_with_and_without(self):
        for transport in ("spdy", "websocket"):
            with self.subTest(transport):
                self.assertEqual(self.echo("-r", transport, *self.flags(self.mine)).stdout, b"hidden\n")
                for identity in (None, self.strange):
                    self.assertRegex(self.echo("-r", transport, *self.flags(identity), check=1).stderr, b"(?i)TLS: .*alert")
                self.assertRegex(self.echo("-r", transport, check=1).stderr, b"(?i)TLS: .*alert")

    def test_another_client(self):
        self.assertEqual(spdy.http(self.exec_url("true"), [], tls=self.context(self.mine))[1], 400)
        for identity in (None, self.strange):
            url = self.exec_url("true")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                spdy.http(url, [], tls=self.context(identity))
            # Who was turned away has not used the URL.
            self.assertEqual(spdy.http(url, [], tls=self.context(self.mine))[1], 400)


class BadFiles(unittest.TestCase):
    def test_runtime_does_not_start(self):
        runtime = harness.Runtime()
        self.addCleanup(lambda: self.assertEqual(runtime.close(), []))
        for flags, text in ((["--stream-tls-cert", "/no/such.pem"], "TLS needs a certificate and its key"),
                            (["--stream-tls-ca", "/no/such.pem"], "TLS needs a certificate and its key"),
                            (["--stream-tls-cert", "/no/such.pem", "--stream-tls-key", "/no/such.key"],
                             'TLS: certificate "/no/such.pem": no such file or directory')):
            with self.subTest(flags):
                done = subprocess.run([*runtime.command(), *flags], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
