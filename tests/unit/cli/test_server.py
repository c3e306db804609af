"""The requests of the command line, against a minimal server."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.server import Credentials, Server

Answers = list[tuple[int, dict[str, str], bytes]]


class Handler(BaseHTTPRequestHandler):
    """Sends the prepared replies of a path in order, repeating the last one; records the requests."""

    answers: ClassVar[dict[str, Answers]] = {}
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        """Any method."""
        self.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        laid_out = self.answers[self.path]
        status, headers, body = laid_out.pop(0) if len(laid_out) > 1 else laid_out[0]
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815, the name that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def base_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the handler."""
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
    """A server with a signed-in user."""
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


def test_a_wrong_password_is_not_sent_twice(base_url: str) -> None:
    Handler.answers["/auth/login"] = [(401, {}, b'{"reason":"No user matched the given details"}')]
    with pytest.raises(RefusedError, match="No user matched"):
        Server(base_url).sign_in(Credentials("ada@example.org", "wrong"))
    assert len(Handler.asked) == 1


@pytest.mark.parametrize("status", [303, 307])
def test_a_redirect_is_followed_without_the_token(server: Server, base_url: str, status: int) -> None:
    Handler.answers["/x"] = [(status, {"Location": f"{base_url}/elsewhere?signed=yes"}, b"")]
    Handler.answers["/elsewhere?signed=yes"] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"content"))]
    assert server.content("GET", "/x") == b"content"
    assert "x-tidepool-session-token" not in Handler.asked[-1][2]


@pytest.mark.parametrize("address", ["http://[", "//127.0.0.1:x/", "http://127.0.0.1:99999/", "http://[::1"])
def test_a_redirect_to_no_address_is_an_error(server: Server, address: str) -> None:
    Handler.answers["/x"] = [(303, {"Location": address}, b"")]
    with pytest.raises(CommandError, match="which is not an address"):
        server.json("GET", "/x")
    with pytest.raises(CommandError, match="which is not an address"):
        server.send_to_signed_url("PUT", address, b"", {})


def test_a_request_to_a_busy_server_is_repeated(server: Server) -> None:
    Handler.answers["/x"] = [(503, {"Retry-After": "1"}, b""), (429, {}, b""), (200, {}, b"{}")]
    assert server.json("POST", "/x", {}) == {}


def test_a_server_that_stays_busy_is_an_error(server: Server) -> None:
    Handler.answers["/x"] = [(503, {}, b"later")]
    with pytest.raises(RefusedError, match="503: later"):
        server.json("GET", "/x")


def test_a_truncated_reply_is_an_error(server: Server) -> None:
    whole = gzip.compress(b"[1, 2, 3]" * 100)
    Handler.answers["/x"] = [(200, {"Content-Encoding": "gzip"}, whole[:-12])]
    with pytest.raises(CommandError, match="does not respond to"):
        server.json("GET", "/x")


def test_a_reply_that_breaks_off_is_an_error_also_as_a_stream(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strandline.cli.server.TIMEOUT_S", 0.2)
    Handler.answers["/x"] = [(200, {"Content-Length": "100"}, b'[\n{"a":1}\n]')]
    with pytest.raises(CommandError, match="does not respond to"):
        server.content("GET", "/x")
    with pytest.raises(CommandError, match="does not respond to"), server.stream("/x") as blocks:
        list(blocks)


def test_a_failed_write_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it waits to repeat the write"))
    with pytest.raises(CommandError, match="does not respond to POST /x"):
        Server("http://127.0.0.1:9").json("POST", "/x", {})


def test_a_password_is_not_sent_unencrypted_over_a_network() -> None:
    with pytest.raises(CommandError, match="not encrypted"):
        Server("http://data.example.org")
    Server("http://data.example.org", allows_http=True)
    Server("https://data.example.org")
    with pytest.raises(CommandError, match="not an http or https address"):
        Server("data.example.org")
