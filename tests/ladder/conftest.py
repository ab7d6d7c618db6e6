"""What the ladder's tests share."""

import http.server
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that nobody could be given, as (exception, object) in the order they came."""
    reported = []

    def report(args):
        reported.append((args.exc_value, args.object))

    monkeypatch.setattr(sys, "unraisablehook", report)
    return reported


@pytest.fixture(scope="session")
def run_example():
    """Runs an example in a process of its own, and gives how that ended."""

    def run_example(name, *arguments, flags=()):
        line = [sys.executable, *flags, str(EXAMPLES / f"{name}.py"), *arguments]
        return subprocess.run(line, capture_output=True, timeout=30, check=False)

    return run_example


@pytest.fixture(scope="module")
def body():
    return random.Random("body").randbytes(300_001)


@pytest.fixture(scope="module")
def server(body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/folder/file?query=1":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
