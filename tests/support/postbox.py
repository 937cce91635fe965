"""A real receiver on loopback: an HTTP service that answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROUTING = """\
format: 1
study_number: true
recipients:
  officer: {{url: "{url}", per_minute: 60000}}
priorities: {{high: {{recipients: [officer]}}, medium: {{recipients: [officer]}}, low: {{recipients: [officer]}}}}
"""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # the default of 5 makes stalls of a second
    daemon_threads = True


@dataclass
class Postbox:
    """What an HTTP service got; a path tells it how to answer: /ok, /status-503, /slow, /drop."""

    port: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrived_at: list[float] = field(default_factory=list)  # of each message, seconds of the monotonic clock
    begun: int = 0  # requests, also those not answered yet
    broken: bool = False
    hold_seconds: float = 1.5

    def url(self, path: str = "ok", query: str = "") -> str:
        return f"json://127.0.0.1:{self.port}/{path}{query}"


@contextmanager
def http_postbox() -> Iterator[Postbox]:
    box = Postbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            box.begun += 1
            if "/slow" in self.path:
                time.sleep(box.hold_seconds)
            if "/drop" in self.path:
                self.close_connection = True
                return
            status = int(self.path.split("/status-")[1][:3]) if "/status-" in self.path else 200
            if box.broken:
                status = 503
            if status == 200:
                box.arrived_at.append(time.monotonic())
                box.messages.append(body)
                box.headers.append(dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    box.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()


def routing_to(postbox: Postbox, path: str = "ok") -> str:
    """A routing file by which one officer is told of everything, here."""
    return ROUTING.format(url=postbox.url(path))
