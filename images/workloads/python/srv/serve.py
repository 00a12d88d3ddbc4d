"""An HTTP server with a thread for each request, a child process for /child and a file for /file; ends on SIGTERM."""
import http.server
import os
import signal
import subprocess
import sys
import tempfile


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/child":
            body = subprocess.run([sys.executable, "-c", "import platform; print(platform.machine())"],
                                  capture_output=True, check=True).stdout
        elif self.path == "/file":
            with tempfile.TemporaryFile() as file:
                file.write(os.urandom(1 << 16))
                file.flush()
                os.fsync(file.fileno())
                body = str(file.tell()).encode()
        else:
            body = b"ready"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
