"""Blobs and device logs on a platform: direct uploads to its storage, and what the storage refuses."""

import base64
import hashlib
import http.client
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.stores import contents as blobs_contents
from tests.e2e.client import TIMEOUT_S, Client, Reply, User

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform
    from tests.e2e.storage import Storage

MIB = 1024 * 1024
HELLO = b"hello world"
AT_ONCE = 200
OPENED_AT_ONCE = 8
AVAILABLE_WITHIN_S = 30
EXPIRES_WITHIN_S = 5
"""The time within which an uploaded blob becomes available; an event triggers this."""


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    """A user who uploads."""
    return User(platform.base_url)


@cache
def content(size_bytes: int) -> bytes:
    """Bytes that look random and are the same each time."""
    return hashlib.shake_128(b"a blob").digest(size_bytes)


def md5(of: bytes) -> str:
    """The MD5 digest as clients write it: Base64."""
    return base64.b64encode(hashlib.md5(of, usedforsecurity=False).digest()).decode()


def store(user: User, of: bytes, **headers: str) -> Reply:
    """The reply to a blob that comes with its content."""
    sent = {"Content-Type": "application/octet-stream", "Digest": f"MD5={md5(of)}"}
    return user.request("POST", f"/v1/users/{user.id}/blobs", of, sent | headers)


def open_upload(user: User, of: bytes, size_bytes: int | None = None) -> Reply:
    """The reply to a direct upload of a content."""
    size = str(len(of) if size_bytes is None else size_bytes)
    headers = {"Content-Type": "application/octet-stream", "Digest": f"MD5={md5(of)}", "X-Upload-Size": size}
    return user.request("POST", f"/v1/users/{user.id}/blobs?upload=direct", b"", headers)


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """The reply to one request to any address."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def put(upload: Mapping[str, Any], body: bytes, **headers: str) -> Reply:
    """The reply of the storage to an upload; `headers` are sent in place of those that the upload asks for."""
    sent = upload["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}
    return send(upload["method"], upload["url"], body, sent | {"Content-Length": str(len(body))})


def blob(user: User, blob_id: str) -> dict[str, Any]:
    """The blob as it is now."""
    reply = user.request("GET", f"/v1/blobs/{blob_id}")
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json()
    return found


def when_available(user: User, blob_id: str) -> dict[str, Any]:
    """The blob once its content has come."""
    last_ns = time.monotonic_ns() + AVAILABLE_WITHIN_S * 10**9
    while (found := blob(user, blob_id))["status"] != "available":
        assert time.monotonic_ns() < last_ns, found
        time.sleep(0.1)
    return found


def read(user: User, path: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The reply to a request for a content, at the end of the way there."""
    reply = user.request("GET", path, headers=headers)
    return send("GET", reply.headers["location"], headers=headers) if reply.status == 307 else reply


@pytest.mark.parametrize("size_bytes", [1, 4 * MIB])
def test_small_contents_come_with_the_request(user: User, size_bytes: int) -> None:
    reply = store(user, content(size_bytes))
    assert reply.status == 201, reply.body
    found = reply.json()
    assert (found["status"], found["size"], found["digestMD5"]) == ("available", size_bytes, md5(content(size_bytes)))
    reply = user.request("GET", f"/v1/blobs/{found['id']}/content")
    assert reply.body == content(size_bytes)
    assert reply.headers["digest"] == f"MD5={found['digestMD5']}"


@pytest.mark.parametrize("size_bytes", [0, 1, 5 * MIB, 50 * MIB, 100 * MIB])
def test_contents_of_any_size_go_straight_to_the_storage(user: User, size_bytes: int) -> None:
    reply = open_upload(user, content(size_bytes))
    assert (reply.status, reply.json()["status"]) == (201, "created"), reply.body
    assert put(reply.json()["upload"], content(size_bytes)).status == 200
    found = when_available(user, reply.json()["id"])
    assert (found["size"], found["digestMD5"], found["revision"]) == (size_bytes, md5(content(size_bytes)), 1)
    back = read(user, f"/v1/blobs/{found['id']}/content")
    assert back.status == 200
    assert back.body == content(size_bytes)
    assert back.headers["content-type"] == "application/octet-stream"


def test_a_content_above_100_mib_is_refused(user: User) -> None:
    reply = open_upload(user, HELLO, 100 * MIB + 1)
    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")


def test_a_content_above_4_5_mb_is_referred_to_a_direct_upload(user: User) -> None:
    reply = store(user, content(5 * MIB))
    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")
    assert "upload=direct" in reply.json()["detail"]


def test_a_range_of_a_large_content_can_be_read(user: User) -> None:
    upload = open_upload(user, content(5 * MIB)).json()
    put(upload["upload"], content(5 * MIB))
    when_available(user, upload["id"])
    reply = read(user, f"/v1/blobs/{upload['id']}/content", {"Range": "bytes=1000-1999"})
    assert (reply.status, reply.body) == (206, content(5 * MIB)[1000:2000])
    assert reply.headers["content-range"] == f"bytes 1000-1999/{5 * MIB}"


def other_key(url: str) -> str:
    """The address of another object, with the same signature."""
    path, _, query = url.partition("?")
    return f"{path[:-1]}{'0' if path[-1] != '0' else '1'}?{query}"


def test_the_storage_refuses_everything_but_the_announced_content(user: User) -> None:
    opened = open_upload(user, HELLO).json()
    upload = opened["upload"]
    refusals = {
        "wrong MD5": put(upload, b"hello w0rld"),
        "another MD5": put(upload, b"hello w0rld", Content_MD5=md5(b"hello w0rld")),
        "wrong type": put(upload, HELLO, Content_Type="text/html"),
        "too short": put(upload, HELLO[:-1]),
        "too long": put(upload, HELLO + b"!"),
        "may replace": send(
            "PUT", upload["url"], HELLO, {name: value for name, value in upload["headers"].items() if name[:2] != "If"}
        ),
        "another key": put(upload | {"url": other_key(upload["url"])}, HELLO),
        "another method": put(upload | {"method": "POST"}, HELLO),
        "reading": send("GET", upload["url"]),
        "deleting": send("DELETE", upload["url"]),
        "unsigned": put(upload | {"url": upload["url"].partition("?")[0]}, HELLO),
    }
    if "x-amz-tagging" in upload["headers"]:  # S3's mark of an upload that nobody has confirmed
        refusals["another tag"] = put(upload, HELLO, x_amz_tagging="upload=kept")
    statuses = {name: reply.status for name, reply in refusals.items()}
    assert statuses == dict.fromkeys(refusals, 403) | {"wrong MD5": 400}
    assert blob(user, opened["id"])["status"] == "created"
    assert user.request("GET", f"/v1/blobs/{opened['id']}/content").status == 404
    assert put(upload, HELLO).status == 200
    assert when_available(user, opened["id"])["revision"] == 1


def test_a_content_cannot_be_replaced(user: User) -> None:
    opened = open_upload(user, HELLO).json()
    assert put(opened["upload"], HELLO).status == 200
    assert put(opened["upload"], HELLO).status == 412
    when_available(user, opened["id"])
    assert put(opened["upload"], HELLO).status == 412
    assert blob(user, opened["id"])["revision"] == 1


@pytest.fixture
def expired_upload(user: User, storage: "Storage", monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A blob, and an upload of it whose time has passed, signed as the application signs."""
    monkeypatch.setattr(blobs_contents, "UPLOAD_LIFETIME_S", 1)
    opened: dict[str, Any] = open_upload(user, HELLO).json()
    announced = Blob(BlobKind.BLOBS, opened["id"], user.id, opened["mediaType"], 0, opened["digestMD5"], opened["size"])
    upload = blobs_contents.StoredContents(storage.engine.objects).upload(announced, 0)
    sent = {"method": upload.method, "url": upload.url, "headers": dict(upload.headers)}
    last_s = time.monotonic() + EXPIRES_WITHIN_S
    while put(sent, b"hello w0rld").status == 400:  # the MD5 of other bytes is wrong as long as the address is valid
        assert time.monotonic() < last_s
        time.sleep(0.1)
    return opened | {"upload": sent}


def test_the_storage_refuses_an_upload_after_its_address_expired(user: User, expired_upload: dict[str, Any]) -> None:
    reply = put(expired_upload["upload"], HELLO)
    assert reply.status == 403
    assert b"expired" in reply.body
    assert blob(user, expired_upload["id"])["status"] == "created"


def test_many_concurrent_uploads_all_become_available(user: User) -> None:
    contents = [content(20_000) + str(number).encode() for number in range(AT_ONCE)]
    before = {stored["id"] for stored in _listed(user)}
    with ThreadPoolExecutor(OPENED_AT_ONCE) as threads:
        opened = [reply.json() for reply in threads.map(lambda of: open_upload(user, of), contents)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = list(threads.map(lambda created, of: put(created["upload"], of), opened, contents))
    last_s = time.monotonic() + AVAILABLE_WITHIN_S
    assert {reply.status for reply in replies} == {200}
    wanted = {created["id"] for created in opened}
    while not wanted <= (available := {stored["id"] for stored in _listed(user)}):
        assert time.monotonic() < last_s, len(wanted - available)
        time.sleep(0.25)
    assert len(wanted) == AT_ONCE
    assert available - before == wanted


def _listed(user: User) -> list[dict[str, Any]]:
    reply = user.request("GET", f"/v1/users/{user.id}/blobs?size=1000")
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.json()
    return found


def test_deleting_a_blob_deletes_its_content(user: User) -> None:
    opened = open_upload(user, content(5 * MIB)).json()
    put(opened["upload"], content(5 * MIB))
    when_available(user, opened["id"])
    address = user.request("GET", f"/v1/blobs/{opened['id']}/content").headers["location"]
    assert send("GET", address).status == 200
    assert user.request("DELETE", f"/v1/blobs/{opened['id']}?revision=0").status == 404
    assert user.request("DELETE", f"/v1/blobs/{opened['id']}?revision=1").status == 204
    assert send("GET", address).status == 404
    assert user.request("GET", f"/v1/blobs/{opened['id']}").status == 404


def test_all_blobs_of_a_user_can_be_deleted(platform: "Platform") -> None:
    somebody = User(platform.base_url)
    ids = [store(somebody, content(100 + number)).json()["id"] for number in range(3)]
    ids.append(open_upload(somebody, HELLO).json()["id"])
    assert somebody.request("DELETE", f"/v1/users/{somebody.id}/blobs").status == 204
    assert [somebody.request("GET", f"/v1/blobs/{blob_id}").status for blob_id in ids] == [404] * 4
    assert _listed(somebody) == []


def test_a_blob_can_be_uploaded_as_the_uploader_does(user: User) -> None:
    """platform-client's `uploadBlobForUser`, as the Uploader calls it: without knowing the digest."""
    headers = {"Digest": "null", "x-tidepool-trace-session": "5a1d3e92-33a9-4dd5-8a5f-111111111111"}
    reply = store(user, content(300_000), **{"Content-Type": "application/gzip"}, **headers)
    assert reply.status == 201, reply.body
    assert reply.json()["id"]
    assert (reply.json()["mediaType"], reply.json()["digestMD5"]) == ("application/gzip", md5(content(300_000)))


def test_a_blob_can_be_uploaded_as_platform_client_does(user: User) -> None:
    """platform-client's `uploadBlobForUser` with a digest: success is exactly 201."""
    reply = store(user, content(1000))
    assert reply.status == 201, reply.body
    assert store(user, content(1000), Digest=f"MD5={md5(HELLO)}").json()["code"] == "digests-not-equal"


def test_device_logs_can_be_uploaded_as_loop_does(platform: "Platform") -> None:
    """TidepoolKit: list the last two days, go on from the greatest end, upload an hour at a time."""
    loop = User(platform.base_url)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=123_000)

    def written(moment: datetime) -> str:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def listed() -> list[dict[str, Any]]:
        span = {"startAtTime": written(now - timedelta(days=2)), "endAtTime": written(now + timedelta(hours=1))}
        reply = loop.request("GET", f"/v1/users/{loop.id}/device_logs?{urlencode(span)}")
        assert reply.status == 200
        found: list[dict[str, Any]] = reply.json()
        return found

    assert listed() == []
    start = now - timedelta(hours=3)
    for _ in range(3):
        end = start + timedelta(hours=1)
        entry = (
            f'{{"type":"send","managerIdentifier":"Omnipod","deviceIdentifier":"17","timestamp":"{written(start)}",'
            '"message":"1f01482a"}'
        )
        entries = f"[{entry}]".encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Digest": f"MD5={md5(entries)}",
            "X-Logs-Start-At-Time": written(start),
            "X-Logs-End-At-Time": written(end),
        }
        reply = loop.request("POST", f"/v1/users/{loop.id}/device_logs", entries, headers)
        assert reply.status == 201, reply.body
        mandatory = {"id", "userId", "digestMD5", "mediaType", "size", "createdTime", "startAtTime", "endAtTime"}
        assert mandatory <= set(reply.json())
        assert max(log["endAtTime"] for log in listed()) == reply.json()["endAtTime"]
        content_reply = loop.request("GET", f"/v1/device_logs/{reply.json()['id']}/content")
        assert (content_reply.status, content_reply.body) == (200, entries)
        assert content_reply.headers["start-at"] == reply.json()["startAtTime"]
        start = end
    assert len(listed()) == 3
    assert (
        Client(loop.base_url, User(loop.base_url).token).request("GET", f"/v1/users/{loop.id}/device_logs").status
        == 403
    )


def test_a_large_device_log_can_be_uploaded(user: User) -> None:
    log = content(5 * MIB)
    headers = {
        "Content-Type": "application/json",
        "Digest": f"MD5={md5(log)}",
        "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z",
        "X-Logs-End-At-Time": "2026-01-01T01:00:00Z",
        "X-Upload-Size": str(len(log)),
    }
    opened = user.request("POST", f"/v1/users/{user.id}/device_logs?upload=direct", b"", headers).json()
    assert put(opened["upload"], log).status == 200
    last_ns = time.monotonic_ns() + AVAILABLE_WITHIN_S * 10**9
    while not user.request("GET", f"/v1/users/{user.id}/device_logs").json():
        assert time.monotonic_ns() < last_ns
        time.sleep(0.1)
    assert read(user, f"/v1/device_logs/{opened['id']}/content").body == log


@pytest.mark.skipif("BASE_URL" in os.environ, reason="may be on AWS, where the gateway speaks for itself")
def test_a_client_without_an_accept_header_gets_binary_content(user: User) -> None:
    """OkHttp, Go and Node's http send no Accept."""
    blob_id = store(user, content(1000)).json()["id"]
    assert user.token is not None
    reply = send("GET", f"{user.base_url}/v1/blobs/{blob_id}/content", headers={"X-Tidepool-Session-Token": user.token})
    assert (reply.status, reply.body) == (200, content(1000))
