"""Signed addresses over HTTP: they give what they were made for, for a time, and nothing else."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest

from chalicelib.engine.objects import SignedUpload, UploadTerms
from tests.e2e.client import Client, Reply
from tests.home.serving import PAGE, Served, served

CONTENT = b"<script>alert(1)</script>" * 20_000
KEY = "blobs/a key with \u00e4/1"
HOUR_S = 3600


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as server:
        yield server


def terms_of(content: bytes) -> UploadTerms:
    """The terms of an upload."""
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return UploadTerms(len(content), md5, "text/html")


def sent(server: Served, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    """The reply to a request to a signed address."""
    parts = urlsplit(url)
    return Client(server.base_url).request(method, f"{parts.path}?{parts.query}", body, headers)


def uploaded(server: Served, signed: SignedUpload, body: bytes = CONTENT, /, **changed: str) -> Reply:
    """The reply to an upload; header names may use underscores."""
    headers = dict(signed.headers) | {name.replace("_", "-"): value for name, value in changed.items()}
    return sent(server, signed.method, signed.url, body, headers)


@pytest.fixture
def signed(server: Served) -> SignedUpload:
    """The address of an upload."""
    return server.engine.objects.sign_upload(KEY, terms_of(CONTENT), HOUR_S)


def test_an_upload_is_stored_and_its_arrival_told(server: Served, signed: SignedUpload) -> None:
    assert uploaded(server, signed).status == 200

    assert server.engine.objects.get(KEY) == CONTENT
    (message,) = server.engine.blob_events.receive()
    assert "ObjectCreated" in message.body


@pytest.mark.parametrize(
    "changed",
    [{"Content_Type": "text/plain"}, {"Content_MD5": terms_of(b"x").md5}, {"If_None_Match": '"x"'}],
)
def test_other_headers_are_refused(server: Served, signed: SignedUpload, changed: Mapping[str, str]) -> None:
    assert uploaded(server, signed, CONTENT, **changed).status == 403
    assert server.engine.objects.head(KEY) is None


def test_another_length_is_refused(server: Served, signed: SignedUpload) -> None:
    assert uploaded(server, signed, CONTENT + b"x", Content_Length=str(len(CONTENT) + 1)).status == 403
    assert server.engine.objects.head(KEY) is None


def test_another_content_of_the_same_length_is_refused(server: Served, signed: SignedUpload) -> None:
    assert uploaded(server, signed, CONTENT[::-1]).status == 400
    assert server.engine.objects.head(KEY) is None


def test_another_key_method_and_parameter_are_refused(server: Served, signed: SignedUpload) -> None:
    headers = signed.headers
    for url in (signed.url.replace("/1?", "/2?"), f"{signed.url}&x=1", signed.url.partition("?")[0]):
        assert sent(server, "PUT", url, CONTENT, headers).status == 403
    for method in ("GET", "DELETE", "POST", "HEAD"):
        assert sent(server, method, signed.url, CONTENT if method == "POST" else None, {}).status == 403
    assert server.engine.objects.head(KEY) is None


def test_an_expired_address_is_refused(server: Served, signed: SignedUpload) -> None:
    server.ahead_ms = HOUR_S * 1000

    reply = uploaded(server, signed)

    assert (reply.status, reply.json()["detail"]) == (403, "the address has expired")


def test_an_address_that_is_used_again_changes_nothing(server: Served, signed: SignedUpload) -> None:
    assert uploaded(server, signed).status == 200
    assert uploaded(server, signed).status == 412

    assert server.engine.objects.get(KEY) == CONTENT


def test_a_content_of_a_stranger_runs_in_no_browser(server: Served) -> None:
    server.engine.objects.put(KEY, CONTENT, "text/html")
    url = server.engine.objects.sign_download(KEY, HOUR_S, disposition='attachment; filename="a.html"')

    reply = sent(server, "GET", url, None, {})

    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, CONTENT, "text/html")
    assert (reply.headers["content-security-policy"], reply.headers["x-content-type-options"]) == ("sandbox", "nosniff")
    assert reply.headers["content-disposition"] == 'attachment; filename="a.html"'
    assert reply.headers["etag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'


@pytest.mark.parametrize(
    ("wanted", "status", "start", "stop"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=499990-", 206, 499_990, 500_000),
        ("bytes=-5", 206, 499_995, 500_000),
        ("bytes=10-900000", 206, 10, 500_000),
        ("bytes=5-2", 416, 0, 0),
        ("bytes=500000-", 416, 0, 0),
        ("bytes=1-2,4-5", 200, 0, 500_000),
        ("lines=1-2", 200, 0, 500_000),
    ],
)
def test_a_range_of_a_content_can_be_had(server: Served, wanted: str, status: int, start: int, stop: int) -> None:
    server.engine.objects.put(KEY, CONTENT, "text/html")
    url = server.engine.objects.sign_download(KEY, HOUR_S)

    reply = sent(server, "GET", url, None, {"Range": wanted})

    assert (reply.status, reply.body) == (status, CONTENT[start:stop])
    if status == 206:
        assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"


def test_a_download_of_an_object_that_is_gone_is_404(server: Served) -> None:
    url = server.engine.objects.sign_download(KEY, HOUR_S)

    assert sent(server, "GET", url, None, {}).status == 404


def test_configured_pages_may_upload_and_all_may_read(server: Served, signed: SignedUpload) -> None:
    url = server.engine.objects.sign_download(KEY, HOUR_S)
    for origin, target, method, allowed in (
        (PAGE, signed.url, "PUT", "*"),
        ("https://elsewhere.example.org", signed.url, "PUT", None),
        ("null", url, "GET", "*"),
    ):
        asked = {"Origin": origin, "Access-Control-Request-Method": method}
        reply = sent(server, "OPTIONS", target, None, asked)
        assert (reply.status, reply.headers.get("access-control-allow-origin")) == (200, allowed)
