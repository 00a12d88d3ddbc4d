"""Static pods from a URL, served by a small HTTP server that answers whatever a test wants."""

import http.server
import json
import signal
import threading
import unittest

import harness
from harness import FOREVER, container, pod, wait


class ManifestServer:
    """Answers GET /pods with (status, headers, body) of `answer`; keeps the requests' headers."""

    def __init__(self, port=0):
        self.answer = (200, {}, b"")
        self.seen = []
        self.hang = None  # an event to wait for before answering
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                if outer.hang is not None:
                    outer.hang.wait(60)
                status, headers, body = outer.answer if self.path.startswith("/pods") else outer.other
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the client did not wait for the end

            def log_message(self, *args):
                pass

        self.other = (404, {}, b"")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def serve(self, what, status=200, headers=None):
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.answer = (status, headers or {}, body)

    def wait_asked(self, times=2):
        """Until it was asked anew: the answer that is set now has been given at least once."""
        count = len(self.seen)
        wait("the URL to be asked again", lambda: len(self.seen) >= count + times)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def pod_list(*pods):
    return {"apiVersion": "v1", "kind": "PodList", "items": list(pods)}


class UrlSource(unittest.TestCase):
    def setUp(self):
        self.server = ManifestServer()
        self.addCleanup(self.server.close)
        self.server.serve(pod_list())
        self.url = f"http://127.0.0.1:{self.server.port}/pods"
        self.node = harness.Node("--manifest-url-header", "X-Node:e2e,X-List:a", "--manifest-url-header", "X-List:b",
                                 config={"staticPodURL": f"http://me:secret@127.0.0.1:{self.server.port}/pods?token=t",
                                         "httpCheckFrequency": "100ms"})

        def close():
            self.server.serve(pod_list())
            self.assertEqual(self.node.close(), [])

        self.addCleanup(close)

    def problems(self):
        return json.loads(self.node.get("/manifests"))["problems"]

    def wait_problem(self, text):
        return wait(f"problem {text!r}", lambda: next((p for p in self.problems() if text in p["error"]), None),
                    explain=self.problems)

    def test_from_a_pod_to_a_list_to_nothing(self):
        self.node.start()
        self.server.serve(pod("single", container("c", FOREVER)))
        self.node.wait_running("single")
        seen = self.node.pod("single")
        self.assertEqual(seen["metadata"]["annotations"]["kubernetes.io/config.source"], "http")
        first_id = self.node.id_of("single", "c")
        with self.subTest("headers, user and query go to the server"):
            path, headers = self.server.seen[-1]
            self.assertEqual((path, headers["x-node"]), ("/pods?token=t", "e2e"))
            self.assertEqual(headers["authorization"], "Basic bWU6c2VjcmV0")
        with self.subTest("and are not logged"):
            self.assertNotIn("secret", self.node.log_text() + self.node.get("/configz"))
        with self.subTest("a list, in which it is unchanged, in YAML"):
            self.server.serve(("apiVersion: v1\nkind: PodList\nitems:\n- " + json.dumps(pod("single", container("c", FOREVER)))
                               + "\n- " + json.dumps(pod("second", container("c", FOREVER))) + "\n").encode())
            self.node.wait_running("second")
            self.assertEqual(self.node.id_of("single", "c"), first_id)
        with self.subTest("a changed pod is another one"):
            self.server.serve(pod_list(pod("single", container("c", FOREVER)), pod("second", container("d", FOREVER))))
            self.node.wait_running("second", "d")
            self.assertEqual(self.node.id_of("single", "c"), first_id)
        with self.subTest("what is no longer in the list goes"):
            self.server.serve(pod_list(pod("single", container("c", FOREVER))))
            self.node.wait_gone("second")
        with self.subTest("last good state, whatever is wrong with the URL"):
            for answer, text in (((b"oops", 500), "status 500"), ((b"[1, 2", 200), "couldn't parse"),
                                 ((b"x" * (11 << 20), 200), "longer than"),
                                 ((json.dumps(pod_list(pod("bad"))).encode(), 200), "items[0]: invalid pod")):
                self.server.serve(*answer)
                told = self.wait_problem(text)
                self.assertTrue(told["oldPodKept"])
                self.assertEqual(self.node.id_of("single", "c"), first_id)
                self.assertNotIn("secret", json.dumps(told))
                self.assertNotIn("token", json.dumps(told))
        with self.subTest("messages become rare"):
            self.server.serve(b"oops", 500)
            self.wait_problem("status 500")
            self.server.wait_asked(8)
            self.assertLessEqual(self.node.log_text().count("status 500"), 6)
        with self.subTest("a redirect is followed, without the headers when it leads elsewhere"):
            other = ManifestServer()
            self.addCleanup(other.close)
            other.other = (200, {}, json.dumps(pod("single", container("c", FOREVER))).encode())
            self.server.serve(b"", 302, {"Location": f"http://127.0.0.1:{other.port}/moved"})
            wait("the problem to go", lambda: self.problems() == [])
            self.assertEqual(self.node.id_of("single", "c"), first_id)
            path, headers = other.seen[-1]
            self.assertEqual((path, headers.get("x-node"), headers.get("authorization")), ("/moved", None, None))
        with self.subTest("a redirect without end"):
            self.server.serve(b"", 302, {"Location": self.url})
            self.wait_problem("redirects")
        with self.subTest("an empty answer: no pods"):
            self.server.serve(b"")
            self.node.wait_gone("single")
            self.wait_problem("zero-length data received from http://127.0.0.1")

    def test_files_and_url_together(self):
        self.server.serve(pod("both", container("from-url", FOREVER)))
        self.node.apply(pod("both", container("from-file", FOREVER)), pod("file", container("c", FOREVER)))
        self.node.start()
        self.node.wait_running("both", "from-file")
        self.node.wait_running("file")
        told = self.wait_problem("pod default/both-e2e is ignored")
        self.assertEqual(told["file"], self.url)
        self.assertEqual(self.node.pod("both")["metadata"]["annotations"]["kubernetes.io/config.source"], "file")
        self.node.remove("both")
        self.node.wait_running("both", "from-url")

    def test_a_restart_while_the_url_is_down(self):
        self.server.serve(pod("web", container("c", FOREVER)))
        self.node.apply(pod("file", container("c", FOREVER)))
        self.node.start()
        self.node.wait_running("web")
        self.node.wait_running("file")
        before = self.node.id_of("web", "c"), self.node.pid_of("web", "c")
        self.node.stop(signal.SIGKILL)
        self.server.serve(b"down", 503)
        self.node.remove("file")
        self.node.apply(pod("new", container("c", FOREVER)))
        self.node.start()
        with self.subTest("pods of files start; the runtime's others wait until the URL has told"):
            self.node.wait_running("new")
            self.server.wait_asked(4)
            self.assertTrue(harness.is_alive(before[1]))
            self.assertEqual(len(self.node.ids("pods", "-q")), 3)
        self.server.serve(pod("web", container("c", FOREVER)))
        self.node.wait_running("web")
        self.assertEqual((self.node.id_of("web", "c"), self.node.pid_of("web", "c")), before)
        self.node.wait_gone("file")

    def test_a_stop_does_not_wait_for_a_server_that_hangs(self):
        go_on = self.server.hang = threading.Event()
        self.addCleanup(go_on.set)
        self.node.start()
        wait("a request that hangs", lambda: self.server.seen)
        self.assertEqual(self.node.stop(timeout=8), 0)
        go_on.set()
        self.node.start()
