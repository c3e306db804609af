"""A site that speaks v1 of the Nightscout API as far as reading documents goes, and that may misbehave."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "a secret of a test"
DATES = {"entries": "date", "treatments": "created_at", "profiles": "startDate", "activity": "created_at"}
DATES |= {"devicestatus": "created_at"}
Replied = tuple[int, dict[str, str], bytes]
STATUS = {"status": "ok", "name": "nightscout", "version": "15.0.7", "settings": {"units": "mg/dl"}}


class FakeSite:
    """The documents of a site by path, and the requests that it got."""

    def __init__(self, **documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.secrets: set[str | None] = set()
        self.misbehave: Callable[[str], Replied | None] = lambda _path: None

    def reply(self, target: str, secret: str | None) -> Replied:
        """The reply to GET."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append((parts.path, query))
        self.secrets.add(secret)
        if (misbehaved := self.misbehave(target)) is not None:
            return misbehaved
        if secret != hashlib.sha1(SECRET.encode(), usedforsecurity=False).hexdigest():
            return 401, {}, b'{"status":401,"message":"Unauthorized","description":"Invalid/Missing"}'
        name = parts.path.removeprefix("/api/v1/").removesuffix(".json")
        if name == "status":
            return as_json(STATUS)
        if name not in self.documents:
            return 404, {}, b"<html>Not Found</html>"
        return as_json(self._found(name, query))

    def _found(self, name: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        found = self.documents[name]
        date = DATES.get(name)
        if date is not None:
            convert: Callable[[str], Any] = int if name == "entries" else str
            start, end = (convert(query[f"find[{date}][{operator}]"][0]) for operator in ("$gte", "$lt"))
            found = [document for document in found if start <= document[date] < end]
            found = sorted(found, key=lambda document: str(document[date]), reverse=True)[: int(query["count"][0])]
        if name == "treatments":
            found = [{"carbs": None, "insulin": None} | document for document in found]
        return found


def as_json(value: Any) -> Replied:
    """A compressed reply."""
    return (
        200,
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        gzip.compress(json.dumps(value).encode()),
    )


@contextmanager
def served(site: FakeSite) -> Iterator[str]:
    """Serve a site until the block ends, at this address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = site.reply(self.path, self.headers.get("api-secret"))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
