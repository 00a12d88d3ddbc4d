"""exec, attach and port-forward over WebSocket: our crictl, and Debian's websocket client."""

import hashlib
import socket
import struct
import unittest

import spdy
import test_streaming
import cri_client
from harness import wait

try:
    import channels
    from channels import ERROR, INVALID_DATA, NORMAL, PROTOCOL_ERROR, RESIZE, STDERR, STDIN, STDOUT
except ImportError:
    channels = None


class ExecOverWebSocket(test_streaming.ExecVerbs, test_streaming.StreamingTest):
    transport = "websocket"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pod, cls.container = cls.start_pod("exec")

    def test_attach(self):
        _, container = self.start_pod("bulk", "exec cat", stdin=True, stdin_once=True)
        data = test_streaming.random_bytes(3_000_001)
        done = self.client.run("attach", "-r", "websocket", "-i", container, data=data, check=0)
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(data).hexdigest())

    def test_unknown_transport(self):
        for verb in (("exec", self.container, "true"), ("attach", self.container), ("port-forward", self.pod, "80")):
            done = self.client.run(verb[0], "-r", "quic", *verb[1:], check=1)
            self.assertIn(b"--transport=quic: expected spdy or websocket", done.stderr)


class PortForwardOverWebSocket(test_streaming.PortForwardVerbs, test_streaming.StreamingTest):
    transport = "websocket"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder, cls.crictl = cls.runtime.dir, cls.runtime.crictl
        cls.pod, cls.container = test_streaming.start_nginx(cls)


class ByMessages(test_streaming.StreamingTest):
    """What the tests below have in common: URLs from the runtime, and clients that are closed in the end."""

    @classmethod
    def setUpClass(cls):
        if channels is None or cri_client.grpc is None:
            raise unittest.SkipTest("python3-websocket or python3-grpcio is not installed")
        super().setUpClass()
        cls.cri = cri_client.Client(cls.runtime.socket)
        cls.addClassCleanup(cls.cri.channel.close)

    def exec_url(self, *command, **more):
        fields = {"stdout": True, "stderr": True, **more}
        return self.cri.call("RuntimeService", "Exec", container_id=self.container, cmd=command, **fields).url

    def session(self, *command, protocol="v5.channel.k8s.io", **more):
        client = channels.Client(self.exec_url(*command, **more), *([protocol] if protocol else []))
        self.addCleanup(client.close)
        return client

    def forward_url(self, *ports):
        return self.cri.call("RuntimeService", "PortForward", pod_sandbox_id=self.pod, port=ports).url


class ExecByMessages(ByMessages):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pod, cls.container = cls.start_pod("messages")

    def setUp(self):
        self.addCleanup(wait, "the execs' folders to be gone", lambda: not self.exec_folders())

    def test_streams_and_status(self):
        for protocol in ("v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"):
            with self.subTest(protocol):
                client = self.session("sh", "-c", "echo out; echo err >&2; exit 7", protocol=protocol).run()
                self.assertEqual(client.protocol, protocol)
                self.assertEqual(client.first, b"1" if client.text else b"\1")  # the sign to begin
                self.assertEqual((client.data[STDOUT], client.data[STDERR]), (b"out\n", b"err\n"))
                status = client.status()
                self.assertEqual((status["status"], status["reason"]), ("Failure", "NonZeroExitCode"))
                self.assertEqual(status["details"]["causes"], [{"reason": "ExitCode", "message": "7"}])
                self.assertEqual(client.closed, NORMAL)
                self.assertEqual(self.session("true", protocol=protocol).run().status(), {"metadata": {}, "status": "Success"})
                status = self.session("/nope", protocol=protocol).run().status()
                self.assertEqual((status["reason"], status["code"]), ("InternalError", 500))

    def test_old_clients_get_text(self):
        for protocol in ("channel.k8s.io", "base64.channel.k8s.io", ""):
            with self.subTest(protocol):
                client = self.session("sh", "-c", "echo out; exit 3", protocol=protocol).run()
                self.assertEqual((client.protocol, client.data[STDOUT], client.closed), (protocol, b"out\n", NORMAL))
                self.assertRegex(client.data[ERROR], b"^command terminated with non-zero exit code: .*exit code 3$")
                self.assertNotIn(ERROR, self.session("true", protocol=protocol).run().data)

    def test_half_close(self):
        client = self.session("sh", "-c", "wc -c; echo counted", stdin=True)
        client.send(STDIN, b"12345")
        client.send(STDIN, b"6789")
        client.close_channel(STDIN)
        client.close_channel(STDIN)
        client.run()
        self.assertEqual(client.data[STDOUT], b"9\ncounted\n")
        self.assertEqual(client.status()["status"], "Success")

    def test_v4_has_no_half_close(self):
        client = self.session("head", "-c", "7", protocol="v4.channel.k8s.io", stdin=True)
        client.send(STDIN, b"12345")
        client.socket.send_binary(bytes([channels.CLOSE, STDIN]))  # no channel of v4: ignored
        client.send(STDIN, b"67890")
        self.assertEqual(client.run().data[STDOUT], b"1234567")

    def test_megabytes_both_ways(self):
        data = test_streaming.random_bytes(6_000_001)
        for protocol in ("v5.channel.k8s.io", "v4.base64.channel.k8s.io"):
            with self.subTest(protocol):
                command = ("cat",) if protocol.startswith("v5") else ("head", "-c", str(len(data)))
                client = self.session(*command, protocol=protocol, stdin=True)

                def send(client=client):
                    client.send(STDIN, data[:1_000_000])  # one message
                    for at in range(1_000_000, len(data), 30_000):
                        client.send(STDIN, data[at:at + 30_000])
                    if client.protocol.startswith("v5"):
                        client.close_channel(STDIN)

                sending = client.in_background(send)
                client.run()
                sending.join()
                self.assertEqual(hashlib.sha256(client.data[STDOUT]).hexdigest(), hashlib.sha256(data).hexdigest())
                self.assertEqual(client.status()["status"], "Success")

    def test_terminal(self):
        for protocol in ("v5.channel.k8s.io", "v4.channel.k8s.io"):
            with self.subTest(protocol):
                client = self.session("sh", protocol=protocol, stdin=True, tty=True, stderr=False)
                client.resize(133, 41)
                client.send(STDIN, b"stty size; echo $((40+2))\n")
                client.run(lambda client=client: b"42\r\n" in client.data.get(STDOUT, b""))
                self.assertIn(b"41 133\r\n", client.data[STDOUT])
                client.send(RESIZE, b'nonsense{"Width":')
                client.send(RESIZE, b'100,"Height":30}')
                client.resize(100, 30)

                def resized(client=client):
                    client.data[STDOUT] = b""
                    client.send(STDIN, b"stty size; echo $((40+2))\n")
                    client.run(lambda: b"42\r\n" in client.data[STDOUT])
                    return b"30 100\r\n" in client.data[STDOUT]

                wait("the new size", resized)
                client.send(STDIN, b"exit 5\n")
                self.assertEqual(client.run().status()["details"]["causes"], [{"reason": "ExitCode", "message": "5"}])

    def test_pings_are_answered(self):
        client = self.session("sh", "-c", "read line; echo $line", stdin=True)
        client.socket.ping(b"are you there")
        client.run(lambda: client.pongs)
        self.assertEqual(client.pongs, [b"are you there"])
        client.send(STDIN, b"yes\n")
        self.assertEqual(client.run().data[STDOUT], b"yes\n")

    def test_refusals(self):
        url = self.exec_url("true")
        for refused_url, protocols, status, text in (
                (url, ["v3.channel.k8s.io", "v6.channel.k8s.io"], 403, "supports [v5.channel.k8s.io v4.channel.k8s.io"),
                (url, ["v5.channel.k8s.io"], 404, "404 page not found"),  # the first attempt has used it
                (self.forward_url(), ["v5.channel.k8s.io"], 403, "[v5.channel.k8s.io]; supports [SPDY/3.1+portforward.k8s.io"),
                (self.forward_url(), ["v4.channel.k8s.io"], 400, 'query parameter "port" is required'),
                (self.forward_url() + "?port=0", ["v4.channel.k8s.io"], 400, 'unable to parse "0" as a port')):
            lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: " + ", ".join(protocols)]
            self.refused(refused_url, lines, status, text)
        self.refused(self.exec_url("true"), lines, 405, "bad method", method="POST")
        self.refused(self.exec_url("true"), lines[:3], 400, "Sec-WebSocket-Key")
        head = self.refused(self.exec_url("true"), lines[:2] + lines[3:], 426, "Sec-WebSocket-Version")
        self.assertIn("Sec-WebSocket-Version: 13", head)

    def refused(self, url, lines, status, text, method="GET"):
        connection, got, head, body = spdy.http(url, lines, method=method)
        connection.close()
        self.assertEqual(got, status, head)
        self.assertIn(text, body.decode())
        return head

    def test_hostile_frames(self):
        mask = b"\1\2\3\4"
        for sent, closed in ((b"\x82\x02\0x", PROTOCOL_ERROR),  # not masked
                             (b"\xf2\x80" + mask, PROTOCOL_ERROR),  # reserved bits
                             (b"\x80\x80" + mask, PROTOCOL_ERROR),  # goes on where nothing has begun
                             (b"\x82\xff" + b"\xff" * 8 + mask, 1005),  # longer than lengths can be
                             (b"\x89\xfe\x01\x00" + mask, 1005),  # a ping of 256 bytes
                             (b"\x81\x82" + mask + bytes([0 ^ 1, 0xff ^ 2]), INVALID_DATA),  # text that is not UTF-8
                             (b"\x82\x81" + mask + bytes([255 ^ 1]), PROTOCOL_ERROR),  # closes no channel
                             (b"\x82\x82" + mask + bytes([255 ^ 1, 9 ^ 2]), PROTOCOL_ERROR)):  # closes one there is not
            with self.subTest(sent):
                client = self.session("sh", "-c", "echo up; sleep 5111", stdin=True)
                client.run(lambda client=client: client.data.get(STDOUT) == b"up\n")
                client.socket.sock.sendall(sent)
                self.assertEqual(client.run().closed, closed)
                wait("the command's end", lambda: "sleep 5111" not in self.processes(self.container))
        client = self.session("cat", protocol="v4.base64.channel.k8s.io", stdin=True)
        client.socket.send("0not base64!")
        self.assertEqual(client.run().closed, PROTOCOL_ERROR)
        client = self.session("cat", stdin=True)
        client.socket.sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        self.assertIn(client.run().closed, (0, PROTOCOL_ERROR))
        # Nothing of it harms others, and a message that says it has 2^62 bytes takes no memory.
        client = self.session("cat", stdin=True)
        client.socket.sock.sendall(b"\x82\xff\x40" + b"\0" * 7 + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(b"\0begin\n")))
        client.run(lambda: client.data.get(STDOUT) == b"begin\n")

    def test_client_gone_ends_the_tree(self):
        for how in ("close frame", "connection"):
            with self.subTest(how):
                client = self.session("sh", "-c", "setsid sh -c 'sleep 5211 & sleep 5212' & echo up; sleep 5213", stdin=True)
                client.run(lambda client=client: client.data.get(STDOUT) == b"up\n")
                if how == "connection":
                    client.socket.sock.shutdown(socket.SHUT_RDWR)
                else:
                    client.socket.send_close()
                wait("its end", lambda: "sleep 521" not in self.processes(self.container))


class AttachByMessages(ByMessages):
    def test_attach(self):
        _, container = self.start_pod("talk", "while read line; do echo got $line; done; echo end", stdin=True, stdin_once=True)
        url = self.cri.call("RuntimeService", "Attach", container_id=container, stdin=True, stdout=True, stderr=True).url
        client = channels.Client(url, "v5.channel.k8s.io")
        self.addCleanup(client.close)
        client.send(STDIN, b"one\n")
        client.run(lambda: client.data.get(STDOUT) == b"got one\n")
        client.close_channel(STDIN)
        self.assertEqual(client.run().data[STDOUT], b"got one\nend\n")
        self.assertEqual((client.status()["status"], client.closed), ("Success", NORMAL))


class PortForwardByMessages(ByMessages):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder, cls.crictl = cls.runtime.dir, cls.runtime.crictl
        cls.pod, cls.container = test_streaming.start_nginx(cls)

    def test_channels(self):
        for protocol in ("v4.channel.k8s.io", "v4.base64.channel.k8s.io", "portforward.k8s.io"):
            with self.subTest(protocol):
                client = channels.Client(self.forward_url(80, 81, 80), protocol)
                self.addCleanup(client.close)
                for channel in (0, 4):
                    client.send(channel, b"GET /large HTTP/1.0\r\n\r\n")
                client.run()
                ports = [struct.unpack("<H", client.data[channel][:2])[0] for channel in range(6)]
                self.assertEqual(ports, [80, 80, 81, 81, 80, 80])
                bodies = [client.data[channel][2:].split(b"\r\n\r\n", 1)[1] for channel in (0, 4)]
                self.assertEqual([len(body) for body in bodies], [4_000_000] * 2)
                self.assertEqual(len(set(bodies)), 1)
                self.assertRegex(client.data[3][2:].decode(), f"^error forwarding port 81 to pod {self.pod}, uid : failed to connect")
                self.assertEqual((client.data[1][2:], client.data[2][2:], client.closed), (b"", b"", NORMAL))

    def test_ports_of_the_query(self):
        client = channels.Client(self.forward_url() + "?port=80", "v4.channel.k8s.io")
        self.addCleanup(client.close)
        client.send(0, b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn(b"200 OK", client.run().data[0])

    def test_tunnel(self):
        client = spdy.Client(channels.Tunnel(self.forward_url()))
        self.addCleanup(client.close)
        pairs = []
        for number in range(4):
            error = client.open(streamtype="error", port=80, requestid=number)
            client.send(error, b"", fin=True)
            data = client.open(streamtype="data", port=80, requestid=number)
            client.send(data, b"GET /large HTTP/1.0\r\n\r\n")
            pairs.append((error, data))
        client.run(lambda: all(data in client.ended and error in client.ended for error, data in pairs))
        bodies = [client.data[data].split(b"\r\n\r\n", 1)[1] for _, data in pairs]
        self.assertEqual([len(body) for body in bodies], [4_000_000] * 4)
        self.assertEqual([client.data[error] for error, _ in pairs], [b""] * 4)
        closed = client.open(streamtype="error", port=81, requestid=9)
        client.open(streamtype="data", port=81, requestid=9)
        client.run(lambda: closed in client.ended)
        self.assertRegex(client.data[closed].decode(), "^error forwarding port 81 to pod ")

    def test_hostile_tunnels(self):
        for sent in (b"\x80\x02\0\1\0\0\0\0", b"\x80\x03\0\1\0\0\0\2xx", b"\x80\x03\0\1\0\xff\xff\xff"):
            with self.subTest(sent):
                tunnel = channels.Tunnel(self.forward_url())
                self.addCleanup(tunnel.close)
                tunnel.sendall(sent)
                opcode, data = tunnel.socket.recv_data(control_frame=True)
                self.assertEqual((opcode, data[:2]), (8, struct.pack(">H", PROTOCOL_ERROR)))
        tunnel = channels.Tunnel(self.forward_url())
        self.addCleanup(tunnel.close)
        tunnel.socket.send("text")
        opcode, data = tunnel.socket.recv_data(control_frame=True)
        self.assertEqual((opcode, data[:2]), (8, struct.pack(">H", PROTOCOL_ERROR)))


if __name__ == "__main__":
    unittest.main()
