"""Network peers for tests: servers inside a network namespace that tell whom they see, and a namespace beside the pods.

    with Peer("udp", netns="/run/.../netns/ab12", port=53, v6=True) as server:
        ask("udp", "fd00::3", 53)        # what the server sees of the caller: "fd00::1"
"""

import ipaddress
import random
import subprocess
import sys

import harness

SERVER = """
import socket, sys
kind, family, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
families = {"4": socket.AF_INET, "6": socket.AF_INET6}
sock = socket.socket(families[family], socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family == "6":
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
sock.bind(("", port))
if kind == "tcp":
    sock.listen(8)
print("ready", flush=True)
while True:
    if kind == "tcp":
        connection, peer = sock.accept()
        connection.sendall(peer[0].encode())
        connection.close()
    else:
        _, peer = sock.recvfrom(64)
        sock.sendto(peer[0].encode(), peer)
"""

CLIENT = """
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
sock.settimeout(2)
sock.connect((host, port))
if kind == "udp":
    sock.send(b"?")
print(sock.recv(64).decode())
"""


def inside(netns):
    return ["nsenter", f"--net={netns}"] if netns else []


class Peer:
    """A server in the namespace (a path) until the block ends; it answers with the address that it sees."""

    def __init__(self, kind, port, netns=None, v6=False):
        self.command = [*inside(netns), sys.executable, "-c", SERVER, kind, "6" if v6 else "4", str(port)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.__exit__()
            raise AssertionError(f"no server: {self.command}")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ask(kind, host, port, netns=None):
    """What the server at that address sees of a caller in the namespace (the host's when None); None without answer."""
    done = harness.run(*inside(netns), sys.executable, "-c", CLIENT, kind, host, str(port), check=False)
    return done.stdout.strip() if done.returncode == 0 else None


class Neighbour:
    """A namespace joined to the host by a veth pair, as another machine on the node's network would be. `node` and `own`
    are the addresses of the two ends, `node6` and `own6` too; it reaches everything else through the node."""

    def __init__(self):
        self.name = f"pcn{harness.SUITE.token}{random.randrange(1 << 12):03x}"
        third = random.randrange(256)
        self.node, self.own = f"10.202.{third}.1", f"10.202.{third}.2"
        prefix = f"fdcf:{random.randrange(1, 1 << 16):x}"
        self.node6, self.own6 = f"{prefix}::1", f"{prefix}::2"
        self.netns = f"/run/netns/{self.name}"

    def __enter__(self):
        harness.run("ip", "netns", "add", self.name)
        try:
            harness.run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            for address, more in ((f"{self.node}/24", []), (f"{self.node6}/64", ["nodad"])):
                harness.run("ip", "addr", "add", address, "dev", self.name, *more)
            harness.run("ip", "link", "set", self.name, "up")
            for address, more in ((f"{self.own}/24", []), (f"{self.own6}/64", ["nodad"])):
                self.ip("addr", "add", address, "dev", "eth0", *more)
            for link in ("lo", "eth0"):
                self.ip("link", "set", link, "up")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def ip(self, *words):
        harness.run("ip", "-n", self.name, *words)

    def __exit__(self, *_):
        harness.run("ip", "netns", "del", self.name)
        harness.run("ip", "link", "del", self.name, check=False)

    def ask(self, kind, host, port):
        return ask(kind, host, port, self.netns)

    def serve(self, kind, port, v6=False):
        return Peer(kind, port, self.netns, v6)


def family(address):
    return ipaddress.ip_address(address).version
