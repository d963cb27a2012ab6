"""A schema registry over HTTP: the calls of Confluent's API that its client makes for us, on a port of its own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from ops.stack.ports import choose

_JSON = "application/vnd.schemaregistry.v1+json"


class RegistryServer:
    """Holds schemas in memory, for as long as it lives; `up` and `down` are those of the HTTP server alone."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}  # text -> id, over all subjects
        self.subjects: dict[str, list[int]] = {}  # the ids of its versions
        self.asked: list[str] = []  # "GET /schemas/ids/1" and so on
        self.refuses: str | None = None  # a subject that takes nothing new
        self._server: ThreadingHTTPServer | None = None
        # None that the kernel gives to outgoing connections: while the server is down, one of ours could get it.
        self.port = choose(["http"], {}, ())["http"]

    @property
    def url(self) -> str:
        """Where it answers, or will."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, subject: str, text: str) -> int:
        """Register a schema; the same text has the same id in every subject."""
        number = self.ids.setdefault(text, 101 + len(self.ids))
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number

    def text(self, number: int) -> str | None:
        """The schema with an id."""
        return next((text for text, found in self.ids.items() if found == number), None)

    def up(self) -> None:
        """Answer, from now on and on the same port as before."""
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*outer.get(self.path))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(*outer.post(self.path, body))

            def _answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", _JSON)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answers)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def down(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def get(self, path: str) -> tuple[int, Any]:
        """GET /schemas/ids/N."""
        path = urlsplit(path).path
        self.asked.append(f"GET {path}")
        *_, kind, number = path.split("/")
        text = self.text(int(number)) if kind == "ids" else None
        if text is None:
            return 404, {"error_code": 40403, "message": f"Schema {number} not found"}
        return 200, {"schema": text}

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """POST /subjects/S/versions."""
        path = urlsplit(path).path
        self.asked.append(f"POST {path}")
        subject = unquote(path.split("/")[2])
        if subject == self.refuses:
            return 409, {"error_code": 409, "message": "Schema being registered is incompatible with an earlier schema"}
        return 200, {"id": self.put(subject, body["schema"])}


@contextmanager
def registry_server() -> Iterator[RegistryServer]:
    """A registry that answers for the length of the block, unless it is taken down."""
    server = RegistryServer()
    server.up()
    try:
        yield server
    finally:
        server.down()
