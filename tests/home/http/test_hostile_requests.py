"""Requests that no honest client sends: they leave open where they end, come too slowly, or cost more than they say."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import Any

import pytest

from strandline.home.http import parsing
from strandline.home.http import server as server_module
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


BIG, SMALL = 64 * 1024 * 1024, b"small"


def _reply(environ: Any, start_response: Any) -> list[bytes]:
    """A large reply in parts at `/big`, a small one elsewhere."""
    is_big = environ["PATH_INFO"] == "/big"
    start_response("200 OK", [("Content-Length", str(BIG if is_big else len(SMALL)))])
    part = bytes(1024 * 1024)
    return [part] * (BIG // len(part)) if is_big else [SMALL]


@contextmanager
def running(threads: int = 4, **options: Any) -> Iterator[tuple[HomeHttpServer, Callable[[], socket.socket]]]:
    """A server that looks for slow clients all the time, and what connects to it."""
    listening = listening_socket("127.0.0.1", 0)
    address = listening.getsockname()
    server = HomeHttpServer(_reply, listening, lambda _target, _headers: None, threads, **options)
    settings: Any = server.adj
    settings.cleanup_interval = 0
    settings.outbuf_high_watermark = 1024 * 1024
    thread = Thread(target=server.serve, args=[0.0])
    thread.start()
    with ExitStack() as connections:
        yield server, lambda: connections.enter_context(socket.create_connection(address, timeout=20))
    server.stop()
    thread.join(20)


def asked(connection: socket.socket, path: str) -> socket.socket:
    """The connection, after a request that is the last one."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


class TestSlowClients:
    @pytest.fixture
    def connection(self) -> Iterator[socket.socket]:
        """A connection to a server."""
        with running() as (_, connect):
            yield connect()

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

    def test_a_client_that_does_not_receive_its_reply_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "REPLY_PATIENCE_S", 0.2)
        monkeypatch.setattr(server_module, "MIN_BYTES_A_SECOND", 10**12)
        with running() as (server, connect):
            connection = asked(connect(), "/big")
            for is_there in (True, False):
                until_s = time.monotonic() + 20
                while bool(server.active_channels) != is_there and time.monotonic() < until_s:
                    time.sleep(0.02)
                assert bool(server.active_channels) == is_there
            assert len(received(connection)) < BIG

    def test_clients_that_do_not_receive_their_replies_leave_threads_to_others(self) -> None:
        with running(threads=2) as (_, connect):
            stuck = [asked(connect(), "/big") for _ in range(4)]
            for _ in range(3):
                assert received(asked(connect(), "/")).endswith(SMALL)
            assert [connection.fileno() > 0 for connection in stuck] == [True] * 4

    def test_clients_that_are_refused_and_send_nothing_more_leave_threads_to_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "DRAINED_S", 60.0)
        with running(threads=4) as (_, connect):
            for _ in range(8):
                connect().sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            assert received(asked(connect(), "/")).endswith(SMALL)


def test_addresses_that_are_not_served_have_few_connections() -> None:
    with running(may_connect=lambda _: False) as (_, connect):
        first = [connect() for _ in range(server_module.MAX_STRANGERS)]
        assert received(connect()) == b""
        assert received(asked(first[0], "/")).endswith(SMALL)
