"""Device logs over HTTP. Source: blob-api 1, routes 7 to 10."""

from urllib.parse import urlsplit

import pytest

from chalicelib.access.call import platform_call
from chalicelib.blobs.content import confirm_upload, md5_base64
from chalicelib.engine.embedded.signed_addresses import PATH_PREFIX
from tests.api.blobs.blob_requests import CALLERS, GRANTS, faults_of, token_of
from tests.api.conftest import ApiClient, Reply
from tests.fakes.calls import no_id
from tests.fakes.services import START_MS, FakeServices

ANNA = "a1b2c3d4e5"
SOMEBODY = "ffffffffff"
ENTRIES = b'[{"type":"send","managerIdentifier":"m","deviceIdentifier":"d","timestamp":"t","message":"x"}]'
MD5 = md5_base64(ENTRIES)
UNKNOWN = "f" * 32
SENT = {
    "Content_Type": "application/json; charset=utf-8",
    "Digest": f"MD5={MD5}",
    "X_Logs_Start_At_Time": "2026-01-01T01:00:00.5+01:00",
    "X_Logs_End_At_Time": "2026-01-01T01:00:00Z",
}


@pytest.fixture
def anna(fakes: FakeServices) -> str:
    """Anna's token."""
    return fakes.sign_in(ANNA)


def create(api: ApiClient, token: str | None, content: bytes = ENTRIES, query: str = "", **headers: str) -> Reply:
    """The reply to a device log of Anna's."""
    return api.request("POST", f"/v1/users/{ANNA}/device_logs{query}", content, token=token, **SENT | headers)


def create_at(api: ApiClient, token: str, start: str, end: str) -> str:
    """The id of a device log of Anna's on the first day of 2026."""
    span = {"X_Logs_Start_At_Time": f"2026-01-01T{start}:00Z", "X_Logs_End_At_Time": f"2026-01-01T{end}:00Z"}
    log_id: str = create(api, token, ENTRIES, **span).json()["id"]
    return log_id


def listed(api: ApiClient, token: str, query: str = "") -> list[str]:
    """The ids of Anna's device logs."""
    reply = api.request("GET", f"/v1/users/{ANNA}/device_logs{query}", token=token)
    assert reply.status == 200
    return [log["id"] for log in reply.json()]


def test_a_device_log_is_stored_and_told(api: ApiClient, anna: str, fakes: FakeServices) -> None:
    reply = create(api, anna)
    log = {
        "id": reply.json()["id"],
        "userId": ANNA,
        "digestMD5": MD5,
        "mediaType": "application/json; charset=utf-8",
        "size": len(ENTRIES),
        "createdTime": "2026-01-01T00:00:00Z",
        "startAtTime": "2026-01-01T00:00:00.5Z",
        "endAtTime": "2026-01-01T01:00:00Z",
        "revision": 1,
    }
    assert (reply.status, reply.json()) == (201, log)
    assert api.request("GET", f"/v1/device_logs/{log['id']}", token=anna).json() == log
    assert api.request("GET", f"/v1/users/{ANNA}/device_logs", token=anna).json() == [log]
    assert fakes.object_keys() == [f"device_logs/{ANNA}/{log['id']}"]


def test_the_content_comes_back_with_its_span(api: ApiClient, anna: str) -> None:
    log_id = create(api, anna).json()["id"]
    reply = api.request("GET", f"/v1/device_logs/{log_id}/content", token=anna)
    assert (reply.status, reply.body) == (200, ENTRIES)
    sent = {name: reply.headers[name] for name in ("content-type", "digest", "start-at", "end-at")}
    assert sent == {
        "content-type": "application/json; charset=utf-8",
        "digest": f"MD5={MD5}",
        "start-at": "2026-01-01T00:00:00.5Z",
        "end-at": "2026-01-01T01:00:00Z",
    }


def test_a_log_of_a_stranger_is_no_page_of_this_origin(api: ApiClient, anna: str) -> None:
    page = b"<script>alert(1)</script>"
    log_id = create(api, anna, page, Content_Type="text/html", Digest=f"MD5={md5_base64(page)}").json()["id"]
    headers = api.request("GET", f"/v1/device_logs/{log_id}/content", token=anna).headers
    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == f'attachment; filename="{log_id}"'


def test_content_may_have_any_bytes_and_any_type(api: ApiClient, anna: str) -> None:
    for content in (b"", b"\x00\xff"):
        reply = create(api, anna, content, Content_Type="text/plain", Digest=f"MD5={md5_base64(content)}")
        assert (reply.status, reply.json()["size"], reply.json()["revision"]) == (201, len(content), 1)
        read = api.request("GET", f"/v1/device_logs/{reply.json()['id']}/content", token=anna)
        assert (read.status, read.body) == (200, content)


def test_another_digest_stores_nothing(api: ApiClient, anna: str, fakes: FakeServices) -> None:
    reply = create(api, anna, b"other")
    assert (reply.status, reply.json()["code"]) == (400, "digests-not-equal")
    assert fakes.blob_items() == []


def test_the_digest_is_needed(api: ApiClient, anna: str) -> None:
    headers = {name: value for name, value in SENT.items() if name != "Digest"}
    reply = api.request("POST", f"/v1/users/{ANNA}/device_logs", ENTRIES, token=anna, **headers)
    assert (reply.status, reply.json()["detail"]) == (400, 'header "Digest" is missing')
    reply = create(api, anna, ENTRIES, Digest="null")
    assert (reply.status, reply.json()["detail"]) == (400, 'header "Digest" is invalid')


def test_a_log_above_4_5_mb_is_referred_to_a_direct_upload(api: ApiClient, anna: str) -> None:
    reply = create(api, anna, b"x" * 4_500_001)
    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")
    assert "/v1/users/{userId}/device_logs?upload=direct" in reply.json()["detail"]


def test_a_direct_upload_is_listed_when_its_content_has_come(api: ApiClient, anna: str, fakes: FakeServices) -> None:
    log = create(api, anna, b"", "?upload=direct", X_Upload_Size=str(len(ENTRIES))).json()
    key = f"device_logs/{ANNA}/{log['id']}"
    assert urlsplit(log.pop("upload")["url"]).path == PATH_PREFIX + key
    assert (log["revision"], log["size"], log["digestMD5"]) == (0, len(ENTRIES), MD5)
    assert listed(api, anna) == []
    assert api.request("GET", f"/v1/device_logs/{log['id']}", token=anna).json() == log
    assert api.request("GET", f"/v1/device_logs/{log['id']}/content", token=anna).status == 404
    fakes.upload(key, ENTRIES)
    confirm_upload(platform_call(START_MS, no_id), key, fakes.services.blobs)
    assert api.request("GET", f"/v1/users/{ANNA}/device_logs", token=anna).json() == [log | {"revision": 1}]
    assert api.request("GET", f"/v1/device_logs/{log['id']}/content", token=anna).body == ENTRIES


class TestList:
    """GET /v1/users/{userId}/device_logs."""

    def test_only_logs_that_lie_within(self, api: ApiClient, anna: str) -> None:
        log_id = create_at(api, anna, "10:00", "11:00")
        start, end = "startAtTime=2026-01-01T", "endAtTime=2026-01-01T"
        within = ["", f"{start}10:00:00Z", f"{end}11:00:01Z", f"{start}09:00:00Z&{end}12:00:00Z"]
        within += ["startAt=2026-01-01T10:00:00Z&endAt=2026-01-01T11:00:00.001Z", f"{start}11:00:00%2B01:00"]
        outside = [f"{start}10:00:01Z", f"{end}11:00:00Z", f"{start}10:30:00Z&{end}10:45:00Z"]
        assert {query: listed(api, anna, f"?{query}") for query in within} == {query: [log_id] for query in within}
        assert {query: listed(api, anna, f"?{query}") for query in outside} == {query: [] for query in outside}

    def test_those_created_last_come_first_in_pages(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        ids: list[str] = []
        for start in ("12:00", "10:00", "11:00"):
            fakes.now_ms += 1
            ids.insert(0, create_at(api, anna, start, "13:00"))
        assert listed(api, anna) == ids
        assert listed(api, anna, "?startAtTime=2026-01-01T11:00:00Z") == [ids[0], ids[2]]
        assert listed(api, anna, "?page=1&size=2") == ids[2:]
        assert listed(api, anna, "?page=9223372036854775807&size=1000") == []

    @pytest.mark.parametrize(
        ("query", "code", "parameter"),
        [
            ("startAtTime=yesterday", "value-not-parsable", "startAtTime"),
            ("endAtTime=2026-01-01", "value-not-parsable", "endAtTime"),
            ("startAt=", "value-not-parsable", "startAt"),
            ("startAtTime=2026-01-01T00:00:00Z&startAtTime=2026-01-01T00:00:00Z", "not-parsed", "startAtTime"),
            ("start=2026-01-01T00:00:00Z", "not-parsed", "start"),
            ("size=0", "value-out-of-range", "size"),
        ],
    )
    def test_wrong_queries_are_400(self, api: ApiClient, anna: str, query: str, code: str, parameter: str) -> None:
        reply = api.request("GET", f"/v1/users/{ANNA}/device_logs?{query}", token=anna)
        assert (reply.status, faults_of(reply)) == (400, [(code, parameter)])


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/users/x/device_logs", "userId"),
        ("POST", "/v1/users/x/device_logs", "userId"),
        ("GET", "/v1/device_logs/x", "id"),
        ("GET", "/v1/device_logs/x/content", "id"),
    ],
)
def test_ids_have_a_form(api: ApiClient, anna: str, method: str, path: str, name: str) -> None:
    reply = api.request(method, path, token=anna)
    assert (reply.status, reply.json()["detail"]) == (400, f'parameter "{name}" is invalid')
    assert api.request(method, path).status == 401


@pytest.mark.parametrize("path", ["", "/content"])
def test_an_unknown_device_log_is_not_found(api: ApiClient, anna: str, path: str) -> None:
    blob = api.request("POST", f"/v1/users/{ANNA}/blobs", b"x", token=anna, Content_Type="text/plain").json()
    for log_id in (UNKNOWN, blob["id"]):
        reply = api.request("GET", f"/v1/device_logs/{log_id}{path}", token=anna)
        assert (reply.status, reply.json()["detail"]) == (404, f'resource with id "{log_id}" not found')


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("PUT", ""), ("DELETE", "/content")])
def test_nobody_may_delete_a_device_log(api: ApiClient, anna: str, method: str, path: str) -> None:
    log_id = create(api, anna).json()["id"]
    reply = api.request(method, f"/v1/device_logs/{log_id}{path}", token=anna)
    assert (reply.status, reply.json()) == (405, {"Error": "Method not allowed"})


def test_deleting_all_blobs_keeps_device_logs(api: ApiClient, anna: str) -> None:
    log_id = create(api, anna).json()["id"]
    assert api.request("DELETE", f"/v1/users/{ANNA}/blobs", token=anna).status == 204
    assert listed(api, anna) == [log_id]


READERS = {"owner", "server", *GRANTS}
UPLOADERS = {"owner", "server", "upload", "custodian", "root"}
MAY = {"list": READERS, "create": UPLOADERS, "open": UPLOADERS, "get": READERS, "read": READERS}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("action", MAY)
def test_only_permitted_callers_may_use_device_logs(
    api: ApiClient, fakes: FakeServices, anna: str, action: str, caller: str
) -> None:
    log_id = create(api, anna).json()["id"]
    token = token_of(caller, fakes, ANNA, SOMEBODY)
    requests: dict[str, tuple[str, str, bytes | None, dict[str, str], int]] = {
        "list": ("GET", f"/v1/users/{ANNA}/device_logs", None, {}, 200),
        "create": ("POST", f"/v1/users/{ANNA}/device_logs", ENTRIES, SENT, 201),
        "open": ("POST", f"/v1/users/{ANNA}/device_logs?upload=direct", None, SENT | {"X_Upload_Size": "7"}, 201),
        "get": ("GET", f"/v1/device_logs/{log_id}", None, {}, 200),
        "read": ("GET", f"/v1/device_logs/{log_id}/content", None, {}, 200),
    }
    method, path, body, headers, success = requests[action]
    reply = api.request(method, path, body, token=token, **headers)
    if caller in MAY[action]:
        assert reply.status == success
    elif caller in ("nobody", "expired"):
        assert (reply.status, reply.json()["code"]) == (401, "unauthenticated")
    elif action == "read":
        assert (reply.status, reply.json()["code"]) == (404, "resource-not-found")
    elif caller == "stranger":
        assert (reply.status, reply.json()["code"]) == (403, "unauthorized")
    else:
        # Something is granted, and it does not suffice: no body (blob-api 2).
        assert (reply.status, reply.body) == (403, b"")


def test_permissions_are_checked_before_headers(api: ApiClient, fakes: FakeServices, anna: str) -> None:
    token = fakes.sign_in(SOMEBODY)
    assert api.request("POST", f"/v1/users/{ANNA}/device_logs", b"", token=token).status == 403
    assert api.request("GET", f"/v1/users/{ANNA}/device_logs?x=1", token=token).status == 403
