"""exec, attach and port-forward: our crictl and an independent client against our runtime, our crictl against containerd."""

import concurrent.futures
import errno
import fcntl
import hashlib
import json
import os
import pty
import random
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import unittest

import containerd
import harness
import spdy
import cri_client
from harness import BUSYBOX, FOREVER, PROBE, SUITE, wait

NGINX = "nginx:1.21"
V4 = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]
ECHO_SERVER = "while :; do nc -l -p 7000 -e cat; done"


class Terminal:
    """A program with a terminal of its own, as a user has it."""

    def __init__(self, *command, columns=100, rows=30):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        self.seen = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if hasattr(self, "process"):
            self.process.send_signal(signal.SIGWINCH)

    def send(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text, timeout=20):
        deadline = time.monotonic() + timeout
        while text.encode() not in self.seen:
            if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.master, 65536)
            except OSError as error:
                if error.errno == errno.EIO:
                    raise AssertionError(f"ended without {text!r}: {self.seen!r}") from error
                raise
        return self.seen.decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self, timeout=20):
        """Exit code, when the program has ended by itself; the terminal is as it was before."""
        code = self.process.wait(timeout)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        if after != self.before:
            raise AssertionError(f"terminal settings differ: {after} {self.before}")
        return code


class Client:
    """crictl against one socket."""

    def __init__(self, endpoint):
        self.base = [SUITE.portcullis, "crictl", "-r", "unix://" + endpoint]

    def command(self, *args):
        return [*self.base, *args]

    def run(self, *args, data=b"", timeout=120, check=None):
        done = subprocess.run(self.command(*args), input=data, capture_output=True, timeout=timeout, check=False)
        if check is not None and done.returncode != check:
            raise AssertionError(f"{args}: exit code {done.returncode}: {done.stderr[-2000:]}")
        return done

    def terminal(self, *args):
        return Terminal(*self.command(*args))


def start_pod(folder, crictl, name, script=FOREVER, image=BUSYBOX, pod=None, command=None, **container):
    pod_file = harness.write(f"{folder}/{name}-pod.json", {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "log_directory": f"{folder}/logs/{name}",
        "linux": {}, **(pod or {})})
    body = {"metadata": {"name": name}, "image": {"image": image}, "log_path": "c.log",
            "linux": {"security_context": {"seccomp": {"profile_type": 0}}}, **container}
    if script is not None:
        body["command"] = command or ["sh", "-c", 'trap "exit 0" TERM\n' + script]
    container_file = harness.write(f"{folder}/{name}-container.json", body)
    pod_id = crictl("runp", pod_file).stdout.strip()
    container_id = crictl("create", pod_id, container_file, pod_file).stdout.strip()
    crictl("start", container_id)
    return pod_id, container_id


def random_bytes(size):
    return random.Random(size).randbytes(size)


class ExecVerbs:
    """The same whoever serves: `self.client`, `self.container`, `self.transport`."""

    transport = "spdy"

    def exec(self, *args, **more):
        return self.client.run("exec", "-r", self.transport, *args, **more)

    def test_streams_and_codes(self):
        done = self.exec(self.container, "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"out\n", b"err\n"))
        done = self.exec(self.container, "sh", "-c", "echo first; exit 7")
        self.assertEqual((done.returncode, done.stdout), (1, b"first\n"))
        self.assertEqual(done.stderr, b"crictl: execing command in container: command terminated with exit code 7\n")
        done = self.exec(self.container, "/no/such/command")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertRegex(done.stderr.decode(), r"(?i)^crictl: execing command in container: .*no/such/command.*no such file")

    def test_input_and_its_end(self):
        done = self.exec("-i", self.container, "sh", "-c", "cat; echo end", data=b"some\ninput\n", check=0)
        self.assertEqual(done.stdout, b"some\ninput\nend\n")
        self.assertEqual(self.exec("-i", self.container, "wc", "-c", data=b"", check=0).stdout.strip(), b"0")
        self.assertEqual(self.exec(self.container, "cat", data=b"not for it", check=0).stdout, b"")

    def test_megabytes_both_ways(self):
        data = random_bytes(6_000_001)
        done = self.exec("-i", self.container, "cat", data=data, check=0)
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(data).hexdigest())

    def test_terminal(self):
        terminal = self.client.terminal("exec", "-r", self.transport, "-it", self.container, "sh")
        self.addCleanup(terminal.close)
        terminal.send("tty; stty size; echo $TERM\r")
        self.assertRegex(terminal.wait_for("xterm\r\n"), r"/dev/pts/\d+\r\n30 100\r\n")
        terminal.resize(133, 41)

        def resized():
            terminal.send("stty size\r")
            try:
                return terminal.wait_for("41 133", 1)
            except AssertionError:
                return None

        wait("the new size", resized, 20)
        terminal.send("sleep 1000\r")
        wait("the sleep", lambda: b"sleep 1000" in self.exec(self.container, "ps", "-o", "args").stdout)
        terminal.send("\x03")  # ends the sleep, not crictl
        terminal.send("echo $((40+2))\r")
        terminal.wait_for("42\r\n")
        terminal.send("exit 3\r")
        self.assertIn("command terminated with exit code 3", terminal.wait_for("exit code 3"))
        self.assertEqual(terminal.end(), 1)

    def test_terminal_is_restored_after_a_signal(self):
        terminal = self.client.terminal("exec", "-r", self.transport, "-it", self.container, "sh")
        self.addCleanup(terminal.close)
        terminal.send("echo $((40+2))\r")
        terminal.wait_for("42\r\n")
        terminal.process.terminate()
        self.assertEqual(terminal.end(), 1)

    def test_needs_a_terminal(self):
        self.assertEqual(self.exec("-it", self.container, "sh", check=1).stderr,
                         b"crictl: execing command in container: input is not a terminal\n")
        self.assertEqual(self.exec("-t", self.container, "sh", check=1).stderr,
                         b"crictl: execing command in container: tty=true must be specified with interactive=true\n")


class StreamingTest(harness.RuntimeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = Client(cls.runtime.socket)

    @classmethod
    def start_pod(cls, name, *args, **more):
        return start_pod(cls.runtime.dir, cls.runtime.crictl, name, *args, **more)

    def processes(self, container_id):
        return self.runtime.exec(container_id, "ps", "-o", "args").stdout

    def exec_folders(self):
        return os.listdir(f"{self.runtime.run_dir}/exec")


class OurExec(ExecVerbs, StreamingTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pod, cls.container = cls.start_pod("exec")

    def setUp(self):
        self.addCleanup(wait, "the execs' folders to be gone", lambda: not self.exec_folders())

    def test_same_process_as_exec_sync(self):
        fields = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status; env | sort; pwd"
        streamed = self.exec(self.container, "sh", "-c", fields, check=0).stdout.decode()
        self.assertEqual(streamed, self.runtime.exec(self.container, "sh", "-c", fields).stdout)
        self.assertIn("Seccomp:\t2", streamed)
        probed = json.loads(self.exec(self.container, PROBE, "--json", check=0).stdout)
        self.assertEqual(probed, self.runtime.probe(self.container))

    def test_many_at_once(self):
        def one(number):
            data = f"number {number}\n".encode()
            done = self.exec("-i", self.container, "sh", "-c", f"cat; exit {number % 2}", data=data, timeout=300)
            return done.returncode, done.stdout == data

        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            outcomes = list(pool.map(one, range(100)))
        self.assertEqual(outcomes, [(number % 2, True) for number in range(100)])

    def test_slow_reader_holds_nothing_up(self):
        slow = subprocess.Popen(self.client.command("exec", self.container, "sh", "-c", "head -c 5000000 /dev/zero"),
                                stdout=subprocess.PIPE)
        self.assertEqual(slow.stdout.read(1), b"\0")
        self.assertEqual(self.exec(self.container, "echo", "meanwhile", check=0).stdout, b"meanwhile\n")
        self.assertEqual(len(slow.stdout.read()), 4_999_999)
        self.assertEqual(slow.wait(20), 0)
        slow.stdout.close()

    def test_client_gone_ends_the_tree(self):
        script = "setsid sh -c '(setsid sleep 4711 &) ; sleep 4712' & trap '' TERM HUP; echo up; sleep 4713; sleep 4714"
        process = subprocess.Popen(self.client.command("exec", self.container, "sh", "-c", script), stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        wait("the tree", lambda: all(f"sleep 471{n}" in self.processes(self.container) for n in (1, 2, 3)))
        process.kill()
        process.wait()
        process.stdout.close()
        wait("its end", lambda: "sleep 471" not in self.processes(self.container))

    def test_exec_sync_timeout_ends_the_tree(self):
        # Forked twice, in sessions of their own, deaf to signals.
        script = "trap '' TERM HUP INT; (setsid sh -c '(setsid sleep 4811 &) & sleep 4812' &) ; setsid sleep 4813 & sleep 4814"
        done = self.runtime.crictl("exec", "-s", "--timeout", "2", self.container, "sh", "-c", script, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("timeout 2s exceeded", done.stderr)
        self.assertNotIn("sleep 48", self.processes(self.container))

    def test_background_process_lives_on(self):
        self.exec(self.container, "sh", "-c", "sleep 4911 </dev/null >/dev/null 2>&1 & echo started", check=0)
        self.assertIn("sleep 4911", self.processes(self.container))
        self.exec(self.container, "sh", "-c", "kill $(pgrep -f 'sleep 4911')")

    def test_container_ends_meanwhile(self):
        pod, container = self.start_pod("short")
        process = subprocess.Popen(self.client.command("exec", container, "sh", "-c", "echo up; sleep 1000"),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        self.runtime.crictl("stop", "-t", "0", container)
        self.assertIn(b"exit code 137", process.communicate(timeout=20)[1])
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"is not running", self.exec(container, "true", check=1).stderr)
        self.runtime.crictl("rmp", "-f", pod)

    def test_daemon_restart(self):
        process = subprocess.Popen(self.client.command("exec", self.container, "sh", "-c", "echo up; sleep 5011"),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how=how):
                another = subprocess.Popen(self.client.command("exec", self.container, "sh", "-c", "echo up; sleep 5012"),
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                self.assertEqual(another.stdout.readline(), b"up\n")
                self.runtime.stop(how)
                self.assertEqual((another.wait(20), another.communicate()[0]), (1, b""))
                self.runtime.start()
                self.assertNotIn("sleep 501", self.processes(self.container))
                self.assertEqual(self.exec_folders(), [])
        self.assertEqual(process.wait(20), 1)
        process.communicate()


@unittest.skipIf(cri_client.grpc is None, "python3-grpcio is not installed")
class AnotherClient(StreamingTest):
    """The protocol by its bytes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cri = cri_client.Client(cls.runtime.socket)
        cls.addClassCleanup(cls.cri.channel.close)
        cls.pod, cls.container = cls.start_pod("bytes")

    def exec_url(self, *command, **more):
        fields = {"stdout": True, "stderr": True, **more}
        return self.cri.call("RuntimeService", "Exec", container_id=self.container, cmd=command, **fields).url

    def code_of(self, method, **fields):
        with self.assertRaises(cri_client.grpc.RpcError) as caught:
            self.cri.call("RuntimeService", method, **fields)
        return caught.exception.code().name, caught.exception.details()

    def session(self, *command, versions=None, names=("error", "stdout", "stderr"), **more):
        client = spdy.upgrade(self.exec_url(*command, **more), versions or V4)
        self.addCleanup(client.close)
        return client, {name: client.open(streamtype=name) for name in names}

    def test_frames(self):
        client, ids = self.session("sh", "-c", "cat; echo err >&2; exit 7", stdin=True, names=("error", "stdin", "stdout", "stderr"))
        self.assertIn("X-Stream-Protocol-Version: v4.channel.k8s.io", client.head)
        client.ping(77)
        client.send(ids["stdin"], b"hello\n")
        client.send(ids["stdin"], b"", fin=True)
        client.run()
        self.assertEqual(client.replied, set(ids.values()))
        self.assertEqual(client.pings, [77])
        self.assertEqual((client.data[ids["stdout"]], client.data[ids["stderr"]]), (b"hello\n", b"err\n"))
        self.assertEqual(client.ended, set(ids.values()))
        status = json.loads(client.data[ids["error"]])
        self.assertEqual((status["status"], status["reason"]), ("Failure", "NonZeroExitCode"))
        self.assertEqual(status["details"]["causes"], [{"reason": "ExitCode", "message": "7"}])
        self.assertTrue(status["message"].startswith("command terminated with non-zero exit code: "))

    def test_status_of_success_and_of_old_clients(self):
        client, ids = self.session("true")
        self.assertEqual(json.loads(client.run().data[ids["error"]]), {"metadata": {}, "status": "Success"})
        client, ids = self.session("true", versions=["v2.channel.k8s.io"])
        self.assertEqual(client.run().data[ids["error"]], b"")
        client, ids = self.session("false", versions=["channel.k8s.io"])
        self.assertRegex(client.run().data[ids["error"]], b"^command terminated with non-zero exit code: .*exit code 1$")
        client, ids = self.session("/nope")
        status = json.loads(client.run().data[ids["error"]])
        self.assertEqual((status["reason"], status["code"]), ("InternalError", 500))
        self.assertIn("/nope", status["message"])
        self.assertEqual(client.data[ids["stderr"]], b"")

    def test_urls_work_once(self):
        url = self.exec_url("true")
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/exec/[-_A-Za-z0-9]{8}$")
        spdy.upgrade(url, V4).close()
        for wrong in (url, url.replace("/exec/", "/attach/"), url[:-1], self.exec_url("true").replace("/exec/", "/portforward/")):
            with self.assertRaises(spdy.Refused) as caught:
                spdy.upgrade(wrong, V4)
            self.assertEqual(caught.exception.status, 404)

    def test_refusals(self):
        with self.assertRaises(spdy.Refused) as caught:
            spdy.upgrade(self.exec_url("true"), ["v99.channel.k8s.io"])
        self.assertEqual(caught.exception.status, 403)
        accepted = [line for line in caught.exception.head.splitlines() if line.startswith("X-Accepted-Stream-Protocol-Versions:")]
        self.assertEqual(len(accepted), 4)
        with self.assertRaises(spdy.Refused) as caught:
            spdy.upgrade(self.exec_url("true"), [])
        self.assertEqual(caught.exception.status, 400)
        self.assertEqual(spdy.http(self.exec_url("true"), [])[1], 400)

    def test_validation(self):
        for method, fields, text in (
                ("Exec", {"cmd": ["a"], "stdout": True}, "missing required container_id"),
                ("Exec", {"container_id": self.container, "cmd": ["a"], "tty": True, "stderr": True}, "tty and stderr cannot both be true"),
                ("Attach", {"container_id": self.container}, "one of stdin, stdout, or stderr must be set"),
                ("PortForward", {}, "missing required pod_sandbox_id")):
            self.assertEqual(self.code_of(method, **fields), ("INVALID_ARGUMENT", text))
        self.assertEqual(self.code_of("Exec", container_id="f" * 64, cmd=["a"], stdout=True)[0], "NOT_FOUND")
        self.assertEqual(self.code_of("PortForward", pod_sandbox_id="f" * 64)[0], "NOT_FOUND")

    def test_port_forward_frames(self):
        url = self.cri.call("RuntimeService", "PortForward", pod_sandbox_id=self.pod).url
        client = spdy.upgrade(url, ["portforward.k8s.io"])
        self.addCleanup(client.close)
        error = client.open(streamtype="error", port=81, requestid=0)
        client.send(error, b"", fin=True)
        client.open(streamtype="data", port=81, requestid=0)
        client.run(lambda: error in client.ended)
        self.assertRegex(client.data[error].decode(), f"^error forwarding port 81 to pod {self.pod}, uid : failed to connect to "
                         "localhost:81 inside namespace .* IPv4: connection refused IPv6: ")


@unittest.skipIf(cri_client.grpc is None, "python3-grpcio is not installed")
class Limits(StreamingTest):
    def test_too_many_waiting(self):
        _, container = self.start_pod("many")
        cri = cri_client.Client(self.runtime.socket)
        self.addCleanup(cri.channel.close)
        for _ in range(1000):
            cri.call("RuntimeService", "Exec", container_id=container, cmd=["true"], stdout=True)
        with self.assertRaises(cri_client.grpc.RpcError) as caught:
            cri.call("RuntimeService", "Exec", container_id=container, cmd=["true"], stdout=True)
        self.assertEqual(caught.exception.code().name, "RESOURCE_EXHAUSTED")


class Attaching(StreamingTest):
    def test_output_of_a_running_container(self):
        _, container = self.start_pod("talk", "n=0; while :; do n=$((n+1)); echo out $n; echo err $n >&2; sleep 0.1; done")
        process = subprocess.Popen(self.client.command("attach", container), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertRegex(process.stdout.readline(), b"^out ")
        self.assertRegex(process.stderr.readline(), b"^err ")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(self.runtime.inspect(container)["status"]["state"], "CONTAINER_RUNNING")

    def test_input_once(self):
        _, container = self.start_pod("once", "cat; echo end", stdin=True, stdin_once=True)
        done = self.client.run("attach", "-i", container, data=b"some\ninput\n", check=0)
        self.assertEqual(done.stdout, b"some\ninput\nend\n")
        wait("it to exit", lambda: self.runtime.inspect(container)["status"]["state"] == "CONTAINER_EXITED")
        self.assertIn(b"is not running", self.client.run("attach", container, check=1).stderr)

    def test_input_stays_open(self):
        _, container = self.start_pod("twice", "while read line; do echo got $line; done; echo end", stdin=True)
        for word in ("one", "two"):
            process = subprocess.Popen(self.client.command("attach", "-i", container), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            process.stdin.write(word.encode() + b"\n")
            process.stdin.close()
            self.assertEqual(process.stdout.readline(), f"got {word}\n".encode())
            process.terminate()
            process.wait(20)
            process.stdout.close()
        self.assertEqual(self.runtime.inspect(container)["status"]["state"], "CONTAINER_RUNNING")

    def test_megabytes(self):
        _, container = self.start_pod("bulk", "exec cat", stdin=True, stdin_once=True)
        data = random_bytes(3_000_001)
        done = self.client.run("attach", "-i", container, data=data, check=0)
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(data).hexdigest())

    def test_terminal(self):
        _, container = self.start_pod("shell", FOREVER, command=["sh"], stdin=True, tty=True)
        terminal = self.client.terminal("attach", "-it", container)
        self.addCleanup(terminal.close)
        terminal.send("stty size; echo $((40+2))\r")
        self.assertIn("30 100\r\n", terminal.wait_for("42\r\n"))
        terminal.resize(120, 40)
        wait("the new size", lambda: (terminal.send("stty size\r"), terminal.wait_for("40 120", 1)), 20)
        terminal.send("exit\r")
        self.assertEqual(terminal.end(), 0)

    def test_two_clients(self):
        script = "(while :; do echo tick; sleep 0.1; done) & read go; echo for both"
        _, container = self.start_pod("both", script, stdin=True, stdin_once=False)
        first = subprocess.Popen(self.client.command("attach", container), stdout=subprocess.PIPE)
        second = subprocess.Popen(self.client.command("attach", "-i", container), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for client in (first, second):
            self.assertEqual(client.stdout.readline(), b"tick\n")
        second.stdin.write(b"go\n")
        second.stdin.flush()
        for client in (first, second):
            self.assertTrue(client.communicate(timeout=20)[0].endswith(b"for both\n"))
            self.assertEqual(client.returncode, 0)


class PortForwardVerbs:
    """`self.client`, `self.pod` with nginx, `self.transport`."""

    transport = "spdy"

    def forward(self, *ports, pod=None):
        process = subprocess.Popen(self.client.command("port-forward", "-r", self.transport, pod or self.pod, *ports),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end_forward, process)
        locals_ = []
        for port in ports:
            line = process.stdout.readline()
            self.assertRegex(line, rf"^Forwarding from 127\.0\.0\.1:\d+ -> {port.split(':')[-1]}\n$", process.poll())
            locals_.append(int(line.split(":")[1].split()[0]))
            if os.path.exists("/proc/net/if_inet6") and "00000000000000000000000000000001" in harness.read("/proc/net/if_inet6"):
                self.assertEqual(process.stdout.readline(), f"Forwarding from [::1]:{locals_[-1]} -> {port.split(':')[-1]}\n")
        return process, locals_

    @staticmethod
    def end_forward(process):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    @staticmethod
    def fetch(port, path="/"):
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: pod\r\n\r\n".encode())
            data = b""
            while more := connection.recv(65536):
                data += more
        return data

    def test_downloads_at_once(self):
        process, (port,) = self.forward(":80")
        self.assertIn(b"200 OK", self.fetch(port))
        self.assertEqual(process.stdout.readline(), f"Handling connection for {port}\n")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            bodies = [data.split(b"\r\n\r\n", 1)[1] for data in pool.map(lambda _: self.fetch(port, "/large"), range(8))]
        self.assertEqual([len(body) for body in bodies], [4_000_000] * 8)
        self.assertEqual(len(set(bodies)), 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0)

    def test_refused_port_is_told(self):
        process, (closed, port) = self.forward(":81", ":80")
        self.assertEqual(self.fetch(closed) if self.transport else b"", b"")
        self.assertRegex(process.stderr.readline(), f"^an error occurred forwarding {closed} -> 81: error forwarding port 81 to pod ")
        self.assertIn(b"200 OK", self.fetch(port))


def start_nginx(test, name="web", **pod):
    pod_id, container = start_pod(test.folder, test.crictl, name, None, image=NGINX, pod=pod)
    root = "/usr/share/nginx/html"
    test.crictl("exec", "-s", container, "sh", "-c", f"head -c 3000000 /dev/urandom > {root}/large; head -c 1000000 /dev/zero >> {root}/large")
    return pod_id, container


class OurPortForward(PortForwardVerbs, StreamingTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder, cls.crictl = cls.runtime.dir, cls.runtime.crictl
        cls.pod, cls.container = start_nginx(cls)

    def test_echo_with_half_close(self):
        pod, _ = self.start_pod("echo", ECHO_SERVER)
        _, (port,) = self.forward(":7000", pod=pod)
        data = random_bytes(2_000_000)

        def echoed():
            with socket.create_connection(("127.0.0.1", port), 60) as connection, concurrent.futures.ThreadPoolExecutor(1) as pool:
                sending = pool.submit(lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
                back = b""
                while more := connection.recv(65536):
                    back += more
                sending.result()
            return back

        back = wait("the server to listen and answer", echoed)
        self.assertEqual(hashlib.sha256(back).hexdigest(), hashlib.sha256(data).hexdigest())

    def test_stuck_connection_does_not_hold_up_others(self):
        _, (port,) = self.forward(":80")
        stuck = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(stuck.close)
        stuck.sendall(b"GET /large HTTP/1.0\r\n\r\n")  # and does not read
        self.assertEqual(len(self.fetch(port, "/large").split(b"\r\n\r\n", 1)[1]), 4_000_000)

    def test_host_network(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            number = listener.getsockname()[1]
            pod, _ = self.start_pod("host", pod={"linux": {"security_context": {"namespace_options": {"network": 2}}}})
            _, (port,) = self.forward(f":{number}", pod=pod)
            with socket.create_connection(("127.0.0.1", port), 20):
                listener.settimeout(20)
                listener.accept()[0].close()

    def test_bad_ports(self):
        for port in ("x", "1:2:3", "70000", "8080:0"):
            self.assertIn(b"port", self.client.run("port-forward", self.pod, port, check=1).stderr)


class Containerd(ExecVerbs, PortForwardVerbs, unittest.TestCase):
    """Our crictl against a SPDY server that is not ours."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.peer = containerd.Containerd()
        cls.peer.start("pause-3.10", "busybox", "nginx-1.21")
        cls.addClassCleanup(cls.peer.stop)
        cls.client = Client(cls.peer.socket)
        cls.folder, cls.crictl = cls.peer.dir, cls.peer.crictl
        try:
            cls.pod, cls.container = start_nginx(cls, "peer", linux={"cgroup_parent": cls.peer.cgroup})
        except AssertionError as reason:
            raise unittest.SkipTest(f"containerd cannot run pods on this host: {reason}") from reason

    def test_websocket_is_refused_with_a_hint(self):
        for args, protocol in ((("exec", self.container, "true"), b"v5.channel.k8s.io"), (("attach", self.container), b"v5.channel.k8s.io"),
                               (("port-forward", self.pod, ":80"), b"SPDY/3.1+portforward.k8s.io")):
            done = self.client.run(args[0], "-r", "websocket", *args[1:], check=1)
            self.assertRegex(done.stderr, b"the server does not speak " + protocol.replace(b"+", b"[+]") +
                             b" over WebSocket, --transport=spdy may do: .* the server answers 403")


if __name__ == "__main__":
    unittest.main()
