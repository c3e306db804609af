"""Tests which requests are kept."""

import pytest

from strandline.test_server import received
from strandline.test_server.received import ReceivedRequest, ReceivedRequests


def request(number: int, body: bytes = b"") -> ReceivedRequest:
    return ReceivedRequest("GET", f"/{number}", "", {}, body)


def test_requests_are_kept_in_their_order_until_they_are_cleared() -> None:
    requests = ReceivedRequests()
    for number in range(3):
        requests.add(request(number))
    assert [request.path for request in requests.all()] == ["/0", "/1", "/2"]
    requests.clear()
    assert requests.all() == []


def test_the_oldest_requests_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "MAX_REQUESTS", 2)
    requests = ReceivedRequests()
    for number in range(3):
        requests.add(request(number))
    assert [request.path for request in requests.all()] == ["/1", "/2"]


def test_the_oldest_requests_are_forgotten_when_their_bodies_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "MAX_BODY_BYTES", 10)
    requests = ReceivedRequests()
    for number in range(3):
        requests.add(request(number, b"12345"))
    assert [request.path for request in requests.all()] == ["/1", "/2"]
    requests.clear()
    requests.add(request(3, b"1234567890"))
    assert [request.path for request in requests.all()] == ["/3"]
