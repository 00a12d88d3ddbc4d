"""Kubernetes' channels over WebSocket, and SPDY inside WebSocket, by Debian's websocket client.

    client = channels.Client(url, "v5.channel.k8s.io")
    client.send(channels.STDIN, b"hello\\n")
    client.close_channel(channels.STDIN)
    client.run()                               # until the server says close
    client.data[channels.STDOUT], client.status(), client.closed
"""

import base64
import json
import struct
import threading

import websocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NORMAL, PROTOCOL_ERROR, INVALID_DATA = 1000, 1002, 1007
Refused = websocket.WebSocketBadStatusException


def connect(url, *protocols, tls=None, timeout=60):
    """`tls`: the options that the client's sslopt takes."""
    return websocket.create_connection(url.replace("http", "ws", 1), subprotocols=list(protocols), timeout=timeout, sslopt=tls)


class Client:
    def __init__(self, url, *protocols, tls=None):
        self.socket = connect(url, *protocols, tls=tls)
        self.protocol = self.socket.subprotocol or ""
        self.text = "base64" in self.protocol
        self.data = {}  # by channel
        self.first = None  # the first message as it came
        self.closed = None  # the status of the server's close frame; 0 when it hung up without one
        self.pongs = []

    def send(self, channel, data):
        if self.text:
            self.socket.send(chr(ord("0") + channel) + base64.b64encode(data).decode())
        else:
            self.socket.send_binary(bytes([channel]) + data)

    def close_channel(self, channel):
        self.socket.send_binary(bytes([CLOSE, channel]))

    def resize(self, columns, rows):
        self.send(RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def run(self, until=lambda: False):
        """Takes messages until the condition holds or the server ends the connection."""
        while self.closed is None and not until():
            try:
                opcode, frame = self.socket.recv_data_frame(control_frame=True)
            except (websocket.WebSocketConnectionClosedException, ConnectionResetError):
                self.closed = 0
                return self
            self.take(opcode, frame.data)
        return self

    def take(self, opcode, data):
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.closed = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
        elif opcode == websocket.ABNF.OPCODE_PONG:
            self.pongs.append(data)
        elif opcode in (websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT):
            if (opcode == websocket.ABNF.OPCODE_TEXT) != self.text:
                raise AssertionError(f"message of kind {opcode} with {self.protocol}")
            if self.first is None:
                self.first = data
            channel = data[0] - ord("0") if self.text else data[0]
            piece = base64.b64decode(data[1:], validate=True) if self.text else data[1:]
            self.data[channel] = self.data.get(channel, b"") + piece

    def in_background(self, work):
        """Sends from a thread, so that what the server says meanwhile is read."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def status(self):
        return json.loads(self.data[ERROR])

    def close(self):
        self.socket.shutdown()  # close() of this client does nothing once it has answered the server's close frame


class Tunnel:
    """What spdy.Client speaks over: bytes in binary messages."""

    def __init__(self, url, protocol="SPDY/3.1+portforward.k8s.io", tls=None):
        self.socket = connect(url, protocol, tls=tls)

    def sendall(self, data):
        self.socket.send_binary(data)

    def recv(self, _):
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return b""
        if opcode != websocket.ABNF.OPCODE_BINARY:
            raise AssertionError(f"message of kind {opcode} in a tunnel")
        return data

    def close(self):
        self.socket.shutdown()  # close() of this client does nothing once it has answered the server's close frame
