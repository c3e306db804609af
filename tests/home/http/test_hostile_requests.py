"""Requests that no honest client sends: they leave open where they end, come too slowly, or cost more than they say."""

import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from strandline.home.http import parsing
from strandline.home.http.chunks import MAX_FRAMING_BYTES, MAX_LINE_BYTES
from strandline.home.http.listening import listening_socket
from strandline.home.http.server import HomeHttpServer
from tests.home.serving import Served, served

CHUNKED = "POST /v1/time HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n"
SECOND = b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as server:
        yield server


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n",
        "HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: 4\n",
        "HTTP/1.1\nHost: x\nTransfer-Encoding: chunked, chunked\n",
        "HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n",
        "HTTP/1.0\nHost: x\nTransfer-Encoding: chunked\n",
        "HTTP/1.2\nHost: x\nTransfer-Encoding: chunked\n",
        "HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 0\n",
        "HTTP/1.1\nHost: x\nContent-Length: +5\n",
        "HTTP/1.1\nHost: x\nTransfer-Encoding: \x0bchunked\n",
    ],
)
def test_a_request_that_leaves_open_where_it_ends_is_refused_with_what_follows(server: Served, head: str) -> None:
    reply = server.bare(f"POST /v1/time {head}\n", b"0\r\n\r\n" + SECOND)

    assert (reply.status, b"HTTP/1." in reply.body) == (400, False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"0" * (MAX_LINE_BYTES + 1), id="a size without end"),
        pytest.param(b"0\r\nX: " + b"a" * MAX_LINE_BYTES, id="a trailer without end"),
        pytest.param(b"0\r\n" + b"X: a\r\n" * (MAX_FRAMING_BYTES // 6 + 1), id="trailers without end"),
        pytest.param(b"1\r\na\r\n" * (MAX_FRAMING_BYTES // 4 + 1), id="chunks of a byte each"),
        pytest.param((b"1;" + b"a" * 100 + b"\r\nb\r\n") * (MAX_FRAMING_BYTES // 100), id="extensions"),
    ],
)
def test_a_body_with_more_framing_than_content_is_refused_before_it_ends(server: Served, body: bytes) -> None:
    assert server.bare(CHUNKED, body).status == 400


@pytest.mark.parametrize(
    "body", [b"5\nhello\n0\n\n", b"5\r\nhello!\r\n0\r\n\r\n", b"0x5\r\n", b"-1\r\n", b"\r\n", b"1\r;\r\na"]
)
def test_chunks_of_another_form_are_refused(server: Served, body: bytes) -> None:
    assert server.bare(CHUNKED, body).status == 400


def test_chunks_may_be_cut_anywhere_and_have_extensions_and_trailers(server: Served) -> None:
    path = "/v1/users/x/data_sets"
    head = f"POST {path} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nConnection: close\n\n".replace("\n", "\r\n")
    sent = head.encode() + b"3;name=value\r\n{} \r\n0\r\nX-Checked: yes\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sent:
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("length", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("target", ["/objects/x", "/objects/x?expires=9999999999999&signature=x"])
def test_an_upload_that_nobody_signed_is_refused_before_it_is_sent(server: Served, target: str, length: str) -> None:
    reply = server.bare(f"PUT {target} HTTP/1.1\nHost: x\n{length}\nIf-None-Match: *\n\n")

    assert (reply.status, reply.json()["code"]) == (403, "address-refused")


@pytest.mark.parametrize(
    ("target", "length", "status"),
    [("/v1/users/x/blobs", 99_999_999_999, 413), ("/objects/x", 1000, 403)],
    ids=["too large", "not signed"],
)
def test_a_client_that_asks_before_it_sends_is_told_not_to(
    server: Served, target: str, length: int, status: int
) -> None:
    head = f"PUT {target} HTTP/1.1\nHost: x\nContent-Length: {length}\nExpect: 100-continue\n\n"

    assert server.bare(head).status == status


def test_a_target_that_cannot_be_read_is_refused(server: Served) -> None:
    assert server.bare("GET http://[::1/v1/time HTTP/1.1\nHost: x\n\n").status == 400


class TestSlowClients:
    @pytest.fixture
    def connection(self) -> Iterator[socket.socket]:
        """A connection to a server that looks for slow clients all the time."""
        listening = listening_socket("127.0.0.1", 0)

        def reply(_environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Length", "0")])
            return []

        server = HomeHttpServer(reply, listening, lambda _target, _headers: True)
        settings: Any = server.adj
        settings.cleanup_interval = 0
        thread = Thread(target=server.serve, args=[1.0])
        thread.start()
        with socket.create_connection(listening.getsockname(), timeout=20) as connection:
            yield connection
        server.stop()
        thread.join(20)

    def test_headers_that_take_too_long_end_the_connection(
        self, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parsing, "HEADERS_PATIENCE_S", 0.0)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")

        assert connection.recv(1) == b""

    def test_a_body_that_takes_too_long_ends_the_connection(
        self, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parsing, "BODY_PATIENCE_S", 0.0)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")

        assert connection.recv(1) == b""

    def test_a_body_may_take_as_long_as_its_bytes_need(
        self, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parsing, "HEADERS_PATIENCE_S", 0.0)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe")
        connection.sendall(b"llo")

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
