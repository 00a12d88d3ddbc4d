"""Eleven programs of Debian as containers (images: scripts/build-images --workloads), and how each is put to work.

    for workload in workloads.ALL:
        node.load(workload)
        node.apply(workload.pod("under-test"))
        workload.exercise(node, "under-test")      # raises when an answer is wrong

`exercise` makes the program do what its users have it do: requests, files, child processes, threads, a client started by exec.
"""

import dataclasses
import os
import socket
import urllib.request
from collections.abc import Callable

import harness


def ip_of(node, pod):
    return node.pod(pod)["status"]["podIP"]


def fetch(node, pod, port, path):
    with urllib.request.urlopen(f"http://{ip_of(node, pod)}:{port}{path}", timeout=20 * harness.SLOW) as answer:
        return answer.read().decode()


def talk(node, pod, port, *lines):
    """Sends the lines, and gives what comes back in one piece after each (and at once when there are none)."""
    with socket.create_connection((ip_of(node, pod), port), timeout=10 * harness.SLOW) as connection:
        if not lines:
            return connection.recv(256)
        answers = b""
        for line in lines:
            connection.sendall(line)
            answers += connection.recv(256)
        return answers


def expect(what, answer, wanted):
    if wanted not in answer:
        raise AssertionError(f"{what}: {wanted!r} is not in {answer!r}")


def http(port, answers):
    def exercise(node, pod):
        for path, wanted in answers.items():
            expect(f"{pod}{path}", fetch(node, pod, port, path), wanted)
    return exercise


def client(*command, wanted):
    def exercise(node, pod):
        expect(" ".join(command), node.exec(node.id_of(pod, "main"), *command).stdout, wanted)
    return exercise


def answer(port, *lines, wanted):
    def exercise(node, pod):
        expect(f"{pod}:{port}", talk(node, pod, port, *lines), wanted)
    return exercise


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    work: tuple[Callable, ...]
    image: str = ""
    archive: str = ""  # "" when it is one of the suite's ordinary images
    end: tuple[int, ...] = (0,)  # exit codes of an orderly end
    is_32_bit: bool = False

    def pod(self, name, **spec):
        image = self.image or f"localhost/workload/{self.name}:debian"
        return harness.pod(name, harness.container("main", image=image), terminationGracePeriodSeconds=20, **spec)

    def exercise(self, node, pod):
        for work in self.work:
            harness.wait(f"{self.name} to do its work", lambda work=work: done(work, node, pod), timeout=60)

    def load(self, node):
        if self.archive:
            archive = f"{harness.SUITE.build}/images/workloads/{self.archive}"
            if not os.path.exists(archive):
                raise AssertionError(f"{archive} is missing: run scripts/build-images --workloads {harness.SUITE.build}/images first")
            harness.run(harness.SUITE.portcullis, "image", "load", "--state-dir", node.state_dir, archive, timeout=120)


def done(work, node, pod):
    """While the program starts, refused connections and failing clients are no answer; `wait` tries again."""
    try:
        work(node, pod)
    except AssertionError as error:
        raise LookupError(error) from error
    return True


def of_table(name, *work, **more):
    return Workload(name, work, archive=f"{name}.tar", **more)


SQL = "CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t SELECT generate_series(1, 1000); SELECT 'rows', count(*) > 999 FROM t;"
TOOLS = ("ls -l / && cat /etc/passwd | sort | uniq -c | head -n 3 && find /usr/bin -name 'b*' | wc -l && date -u +%Y && "
         "mktemp && sleep 0.1 && kill -0 1 && echo tools")

ALL = [
    Workload("nginx", (http(80, {"/": "Welcome to nginx"}), client("nginx", "-t", wanted="")), image="nginx:1.21"),
    Workload("redis", (answer(6379, b"SET k v\r\n", b"BGSAVE\r\n", wanted=b"+OK"), client("redis-cli", "GET", "k", wanted="v")),
             image="redis:6.2"),
    of_table("memcached", answer(11211, b"set k 0 0 5\r\nvalue\r\n", b"get k\r\n", wanted=b"value")),
    of_table("postgres", client("/usr/lib/postgresql/15/bin/psql", "-h", "/tmp", "-U", "postgres", "-Atc", SQL, wanted="rows|t")),
    of_table("python", http(8080, {"/": "ready", "/file": "65536", "/child": "x86_64"}),
             client("python3", "-c", "import sqlite3, ssl, threading; print('exec')", wanted="exec")),
    of_table("node", http(8080, {"/": "ready", "/file": "65536", "/child": "x64", "/worker": "42"}),
             client("node", "-p", "6*7", wanted="42")),
    of_table("openjdk", http(8080, {"/": "ready", "/file": "65536", "/child": "x86_64"}), end=(143,)),
    of_table("php", http(8080, {"/": "ready", "/file": "65536", "/child": "x86_64"}),
             client("php8.2", "-r", "echo strlen(str_repeat('x', 42));", wanted="42")),
    of_table("sqlite", client("sqlite3", "/data/db", "SELECT 'rows', count(*) > 0 FROM beat;", wanted="rows|1")),
    of_table("coreutils", client("test", "-e", "/tmp/ready", wanted=""), client("bash", "-c", TOOLS, wanted="tools")),
    of_table("socket32", answer(8080, wanted=b"ready"), is_32_bit=True),
]
