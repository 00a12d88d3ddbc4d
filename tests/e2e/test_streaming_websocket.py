"""exec, attach and port-forward over WebSocket: our crictl, and Debian's websocket client byte by byte."""

import test_streaming


class ExecOverWebSocket(test_streaming.ExecVerbs, test_streaming.StreamingTest):
    transport = "websocket"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pod, cls.container = cls.start_pod("exec")


class PortForwardOverWebSocket(test_streaming.PortForwardVerbs, test_streaming.StreamingTest):
    transport = "websocket"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder, cls.crictl = cls.runtime.dir, cls.runtime.crictl
        cls.pod, cls.container = test_streaming.start_nginx(cls)
