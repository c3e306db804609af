"""The requests of the command line against a server of a few lines."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from strandline_cli.errors import CommandError, RefusedError
from strandline_cli.server import Credentials, Server

Answers = list[tuple[int, dict[str, str], bytes]]


class Handler(BaseHTTPRequestHandler):
    """Answers what was laid out for a path, one after the other, the last one for good; keeps what was asked."""

    answers: ClassVar[dict[str, Answers]] = {}
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        """Any method."""
        self.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        laid_out = self.answers[self.path]
        status, headers, body = laid_out.pop(0) if len(laid_out) > 1 else laid_out[0]
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815, the name that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def base_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the handler answers."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    Handler.asked.clear()
    user = json.dumps({"userid": "ada"}).encode()
    Handler.answers = {"/auth/login": [(200, {"x-tidepool-session-token": "t1"}, user)]}
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def server(base_url: str) -> Server:
    """Signed in."""
    signed_in = Server(base_url)
    assert signed_in.sign_in(Credentials("ada@example.org", "secret")) == "ada"
    return signed_in


def test_an_expired_token_is_renewed(server: Server) -> None:
    Handler.answers["/x"] = [(401, {}, b""), (200, {}, b"[1]")]
    Handler.answers["/auth/login"] = [(200, {"x-tidepool-session-token": "t2"}, b'{"userid":"ada"}')]
    assert server.json("GET", "/x") == [1]
    assert [headers.get("x-tidepool-session-token") for _, path, headers in Handler.asked if path == "/x"] == [
        "t1",
        "t2",
    ]


def test_a_wrong_password_is_told_once(base_url: str) -> None:
    Handler.answers["/auth/login"] = [(401, {}, b'{"reason":"No user matched the given details"}')]
    with pytest.raises(RefusedError, match="No user matched"):
        Server(base_url).sign_in(Credentials("ada@example.org", "wrong"))
    assert len(Handler.asked) == 1


@pytest.mark.parametrize("status", [303, 307])
def test_what_is_elsewhere_is_fetched_without_the_token(server: Server, base_url: str, status: int) -> None:
    Handler.answers["/x"] = [(status, {"Location": f"{base_url}/elsewhere?signed=yes"}, b"")]
    Handler.answers["/elsewhere?signed=yes"] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"content"))]
    assert server.content("GET", "/x") == b"content"
    assert "x-tidepool-session-token" not in Handler.asked[-1][2]


def test_a_busy_server_is_waited_for(server: Server) -> None:
    Handler.answers["/x"] = [(503, {"Retry-After": "1"}, b""), (429, {}, b""), (200, {}, b"{}")]
    assert server.json("POST", "/x", {}) == {}


def test_a_server_that_stays_busy_is_given_up(server: Server) -> None:
    Handler.answers["/x"] = [(503, {}, b"later")]
    with pytest.raises(RefusedError, match="503: later"):
        server.json("GET", "/x")


def test_half_an_answer_is_none(server: Server) -> None:
    whole = gzip.compress(b"[1, 2, 3]" * 100)
    Handler.answers["/x"] = [(200, {"Content-Encoding": "gzip"}, whole[:-12])]
    with pytest.raises(CommandError, match="does not respond to"):
        server.json("GET", "/x")


def test_what_changes_something_is_not_repeated_by_itself() -> None:
    with pytest.raises(CommandError, match="does not respond to POST /x"):
        Server("http://127.0.0.1:9").json("POST", "/x", {})


def test_a_password_does_not_go_unencrypted_over_a_network() -> None:
    with pytest.raises(CommandError, match="not encrypted"):
        Server("http://data.example.org")
    Server("http://data.example.org", allows_http=True)
    Server("https://data.example.org")
    with pytest.raises(CommandError, match="not an http or https address"):
        Server("data.example.org")
