"""A server on loopback that replies to JSON requests as a test wants, and counts connections."""

import json
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """A reply. `closes`: the connection is closed without one; `cuts`: after a half of it; `ends`: after all of it,
    without a word in its head, as servers end idle connections."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    closes: bool = False
    cuts: bool = False
    ends: bool = False


@dataclass
class WireServer:
    """The server's side: what comes in, and what goes out next; an empty object when nothing is prepared."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    connections: int = 0
    requests: list[tuple[Mapping[str, str], Any]] = field(default_factory=list)


def checked(body: Any) -> Answer:
    """A reply with the checksum of DynamoDB."""
    return Answer(body, headers={"x-amz-crc32": str(zlib.crc32(json.dumps(body).encode()))})


def refused(code: str, status: int = 400, **members: Any) -> Answer:
    """A refusal of DynamoDB."""
    return Answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **members}, status)


@contextmanager
def running() -> Iterator[WireServer]:
    """Run a server."""
    wire = WireServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            wire.connections += 1

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            wire.requests.append((dict(self.headers.items()), json.loads(sent)))
            answer = wire.answers.pop(0) if wire.answers else Answer()
            self.close_connection = answer.closes or answer.cuts or answer.ends
            if answer.closes:
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cuts else body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        wire.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield wire
        server.shutdown()
        thread.join()
