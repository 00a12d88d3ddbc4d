"""A small SPDY/3.1 client of our own, as far from the C++ one as the protocol allows: a peer for the runtime's server.

    client = spdy.upgrade(url, ["v4.channel.k8s.io"])
    out = client.open(streamtype="stdout")
    client.run(lambda: out in client.ended)
"""

import socket
import struct
import urllib.parse
import zlib

WORDS = """options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range
if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after
server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status""".split()
WORDS += ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
NUMBERS = ("100 101 201 202 205 206 300 302 303 304 305 306 307 402 405 406 407 408 409 410 411 412 413 414 415 416 417 502 504 "
           "505").replace(" ", "")
TAIL = NUMBERS + (
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.")
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in WORDS) + TAIL.encode()


class Refused(Exception):
    def __init__(self, status, head, body):
        super().__init__(f"{status}: {body}")
        self.status, self.head, self.body = status, head, body


def http(url, lines, method="POST", tls=None):
    """Sends a request, over TLS when there is a context for it; the connection, the answer's status, its head, and what
    came after."""
    parts = urllib.parse.urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), 20)
    if tls:
        connection = tls.wrap_socket(connection, server_hostname="localhost")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    head = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", *lines, "", ""]
    connection.sendall("\r\n".join(head).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            raise ConnectionError("no answer")
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return connection, int(head.split()[1]), head.decode(), rest


def upgrade(url, versions, tls=None):
    lines = ["Connection: Upgrade", "Upgrade: SPDY/3.1", *[f"X-Stream-Protocol-Version: {v}" for v in versions]]
    connection, status, head, received = http(url, lines, tls=tls)
    if status != 101:
        raise Refused(status, head, received.decode())
    client = Client(connection)
    client.head, client.received = head, received
    return client


class Client:
    """Over anything with recv, sendall and close."""

    def __init__(self, connection):
        self.socket, self.head, self.received = connection, "", b""
        self.deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
        self.inflate = zlib.decompressobj(15, DICTIONARY)
        self.next = 1
        self.data = {}  # by stream
        self.ended = set()
        self.replied = set()
        self.pings = []
        self.gone = False

    def control(self, kind, payload, flags=0):
        self.socket.sendall(struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload)) + payload)

    def open(self, **headers):
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.encode(), str(value).encode()):
                block += struct.pack(">I", len(text)) + text
        packed = self.deflate.compress(block) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        stream, self.next = self.next, self.next + 2
        self.data[stream] = b""
        self.control(1, struct.pack(">IIH", stream, 0, 0) + packed)
        return stream

    def send(self, stream, data, fin=False):
        self.socket.sendall(struct.pack(">II", stream, (1 << 24 if fin else 0) | len(data)) + data)

    def ping(self, number):
        self.control(6, struct.pack(">I", number))

    def reset(self, stream):
        self.control(3, struct.pack(">II", stream, 5))

    def run(self, until=lambda: False):
        """Takes frames until the condition holds or the server hangs up."""
        while not until():
            while len(self.received) < 8 or len(self.received) < 8 + self.length():
                more = self.socket.recv(1 << 16)
                if not more:
                    self.gone = True
                    return self
                self.received += more
            length = self.length()
            first = struct.unpack(">I", self.received[:4])[0]
            flags, payload = self.received[4], self.received[8:8 + length]
            self.received = self.received[8 + length:]
            if first >> 31:
                self.take_control(first & 0xffff, payload)
            else:
                self.data[first] += payload
                if flags & 1:
                    self.ended.add(first)
        return self

    def length(self):
        return struct.unpack(">I", self.received[4:8])[0] & 0xffffff

    def take_control(self, kind, payload):
        number = struct.unpack(">I", payload[:4])[0]
        if kind == 2:
            self.inflate.decompress(payload[4:])
            self.replied.add(number)
        elif kind == 3:
            self.ended.add(number)
        elif kind == 6:
            self.pings.append(number)

    def close(self):
        self.socket.close()
