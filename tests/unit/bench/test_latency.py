"""Percentiles of few and of many times, and replies that are objects."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bench.latency import Connection, Sent, p95, percentiles


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (5, 5), (20, 19), (100, 95)])
def test_one_in_twenty_exceeds_the_95th_percentile(count: int, expected: int) -> None:
    assert p95([float(number) for number in range(count, 0, -1)]) == expected


def test_a_line_has_the_median_and_the_95th_percentile() -> None:
    figure = percentiles("add", [1.0, 9.0, 2.0], floor_ms=0.5)
    assert (figure.minimum, figure.value, figure.p95, figure.floor_ms, figure.unit) == (1, 2, 9, 0.5, "ms")


@pytest.mark.parametrize(("path", "body"), [("/small", b"small"), ("/large", b"the object")])
def test_a_large_reply_is_fetched_from_where_it_is(path: str, body: bytes) -> None:
    class Replies(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            leads = self.path == "/large"
            content = {"/small": b"small", "/object?signed=1": b"the object"}.get(self.path, b"")
            self.send_response(303 if leads else 200 if content else 404)
            if leads:
                self.send_header("Location", f"http://{self.headers['Host']}/object?signed=1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Replies) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        assert Connection(f"http://127.0.0.1:{server.server_address[1]}").send(Sent("GET", path)) == body
        server.shutdown()
        thread.join()
