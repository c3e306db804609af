"""A stub of DynamoDB and S3 on loopback, in a process of its own, so that the measured CPU time excludes it.

    python -m bench.stubs.aws_stub

Prints its port on standard output and ends when standard input is closed.
"""

import json
import socketserver
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bench.stubs.dynamodb_stub import Tables
from bench.stubs.s3_stub import Answer, Bucket

TAKEN = "Bench.Taken"
"""The path that returns the requests counted so far, and resets the counters."""
KEPT = "Bench.Kept"
"""The path that returns the size of what is stored."""


@dataclass(slots=True)
class Services:
    """The stub of both services."""

    tables: Tables
    bucket: Bucket

    def answer(self, target: str, request: Any) -> Any:
        """Reply as DynamoDB would, or with the counters."""
        if target == TAKEN:
            return self._taken()
        if target == KEPT:
            return {"tables_bytes": sum(self.tables.kept_bytes().values()), "bucket_bytes": self.bucket.kept_bytes()}
        return self.tables.answer(target.rpartition(".")[2], request)

    def _taken(self) -> dict[str, Any]:
        taken = {
            "dynamodb_calls": dict(self.tables.calls),
            "read_units": self.tables.read_units,
            "write_units": self.tables.write_units,
            "s3_calls": dict(self.bucket.calls),
        }
        self.tables.calls.clear()
        self.bucket.calls.clear()
        self.tables.read_units, self.tables.write_units = 0.0, 0
        return taken


class _Connection(socketserver.StreamRequestHandler):
    services = Services(Tables(), Bucket())
    one_at_a_time = threading.Lock()
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            method, path, _ = line.decode("latin-1").split()
            headers = self._headers()
            if headers.get("expect") == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = self.rfile.read(int(headers.get("content-length", "0")))
            with self.one_at_a_time:
                answer = self._answer(method, path, headers.get("x-amz-target"), body)
            self._send(answer, has_body=method != "HEAD")

    def _headers(self) -> dict[str, str]:
        headers = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def _answer(self, method: str, path: str, target: str | None, body: bytes) -> Answer:
        if target is None:
            return self.services.bucket.answer(method, path, body)
        answer = json.dumps(self.services.answer(target, json.loads(body or b"null"))).encode()
        return Answer(200, answer, {"Content-Type": "application/x-amz-json-1.0"})

    def _send(self, answer: Answer, *, has_body: bool) -> None:
        headers = {**(answer.headers or {}), "Content-Length": str(len(answer.body))}
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + (answer.body if has_body else b""))


def main() -> None:
    """Serve until standard input is closed."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Connection) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
