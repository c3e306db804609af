"""Tests the deliberate differences from the reference that no recorded exchange shows.

`docs/compatibility.md` names the test of each difference.
"""

from typing import Any

import pytest

from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import SERVER_SECRET, FakeServices

OWNER, UPLOADER, VIEWER = "aaaaaaaaaa", "cccccccccc", "bbbbbbbbbb"
CONTINUOUS: dict[str, Any] = {"dataSetType": "continuous"}
HASHING = {"name": "org.tidepool.deduplicator.device.deactivate.hash"}
TRUNCATING = {"name": "org.tidepool.deduplicator.device.truncate.dataset"}


def _cbg(**members: Any) -> dict[str, Any]:
    return {"type": "cbg", "time": "2026-01-01T00:00:00Z", "value": 100, "units": "mg/dL", **members}


@pytest.fixture
def owner(fakes: FakeServices) -> str:
    """The token of a user with data of their own; others may upload and view it."""
    fakes.grant(OWNER, UPLOADER, {"upload"})
    fakes.grant(OWNER, VIEWER, {"view"})
    return fakes.sign_in(OWNER)


def _open(api: ApiClient, token: str, description: Any) -> Reply:
    return api.request("POST", f"/v1/users/{OWNER}/data_sets", description, token=token)


def _opened(api: ApiClient, token: str, description: Any) -> str:
    reply = _open(api, token, description)
    assert reply.status == 201, reply.body
    return str(reply.json()["data"]["uploadId"])


def _codes(reply: Reply) -> list[str]:
    body = reply.json()
    return [error["code"] for error in body.get("errors", [body])]


@pytest.mark.parametrize("token", [None, "", "nonsense"])
@pytest.mark.parametrize("query", ["", "?startDate=nonsense"])
def test_reading_without_a_valid_token_is_401(api: ApiClient, owner: str, token: str | None, query: str) -> None:
    reply = api.request("GET", f"/data/{OWNER}{query}", token=token)
    assert (reply.status, reply.json()["code"]) == (401, "data_unauthenticated")


def test_answers_of_data_carry_the_trace_id_too(api: ApiClient, owner: str) -> None:
    reply = api.request("GET", f"/data/{OWNER}", token=owner, X_Tidepool_Trace_Request="my-trace")
    assert (reply.status, reply.headers["x-tidepool-trace-request"]) == (200, "my-trace")


@pytest.mark.parametrize("body", [{"dataState": "closed"}, {"state": "closed"}])
@pytest.mark.parametrize("closer", [OWNER, UPLOADER])
def test_a_user_may_close_a_continuous_data_set_which_then_accepts_no_more_data(
    api: ApiClient, fakes: FakeServices, owner: str, closer: str, body: dict[str, str]
) -> None:
    data_set_id = _opened(api, owner, CONTINUOUS)
    api.request("POST", f"/v1/data_sets/{data_set_id}/data", [_cbg()], token=owner)
    closed = api.request("PUT", f"/v1/data_sets/{data_set_id}", body, token=fakes.sign_in(closer))
    assert closed.status == 200
    added = api.request("POST", f"/v1/data_sets/{data_set_id}/data", [_cbg()], token=owner)
    assert (added.status, _codes(added)) == (409, ["data-set-closed"])
    assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=owner).json()) == 1
    _opened(api, owner, CONTINUOUS)


@pytest.mark.parametrize(
    ("caller", "body"),
    [
        (OWNER, {"deviceId": "d"}),
        (OWNER, {"state": "closed", "deviceId": "d"}),
        (OWNER, {}),
        (VIEWER, {"state": "closed"}),
    ],
)
def test_a_user_may_change_nothing_else_of_a_continuous_data_set(
    api: ApiClient, fakes: FakeServices, owner: str, caller: str, body: dict[str, str]
) -> None:
    data_set_id = _opened(api, owner, CONTINUOUS)
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", body, token=fakes.sign_in(caller)).status == 403


@pytest.mark.parametrize(
    ("description", "name"),
    [
        (CONTINUOUS, "org.tidepool.deduplicator.dataset.delete.origin"),
        (
            CONTINUOUS | {"deviceId": "d", "deviceManufacturers": ["Animas"]},
            "org.tidepool.deduplicator.dataset.delete.origin",
        ),
        ({}, "org.tidepool.deduplicator.none"),
        ({"deviceId": "d", "deviceManufacturers": ["Nobody"]}, "org.tidepool.deduplicator.none"),
    ],
)
def test_a_data_set_for_which_no_deduplicator_is_chosen_gets_one(
    api: ApiClient, owner: str, description: Any, name: str
) -> None:
    assert _open(api, owner, description).json()["data"]["deduplicator"]["name"] == name


def test_an_unknown_deduplicator_is_refused_and_leaves_nothing(api: ApiClient, owner: str) -> None:
    reply = _open(api, owner, CONTINUOUS | {"deduplicator": {"name": "org.example.unknown"}})
    assert (reply.status, _codes(reply)) == (400, ["value-not-allowed"])
    assert reply.json()["source"] == {"pointer": "/deduplicator/name"}
    assert api.request("GET", f"/v1/users/{OWNER}/data_sets?deleted=true", token=owner).json() == []


def test_an_upload_id_that_is_taken_is_409(api: ApiClient, owner: str) -> None:
    description = CONTINUOUS | {"uploadId": "0123456789abcdef0123456789abcdef"}
    assert _open(api, owner, description).status == 201
    reply = _open(api, owner, description)
    assert (reply.status, _codes(reply)) == (409, ["data-set-exists"])


def test_a_malformed_upload_id_is_400(api: ApiClient, owner: str) -> None:
    reply = _open(api, owner, CONTINUOUS | {"uploadId": "nonsense"})
    assert (reply.status, _codes(reply)) == (400, ["value-not-valid"])
    assert reply.json()["source"] == {"pointer": "/uploadId"}


def test_a_data_set_that_is_larger_than_any_real_one_is_413(api: ApiClient, fakes: FakeServices, owner: str) -> None:
    large = "x" * 128 * 1024
    reply = _open(api, owner, CONTINUOUS | {"deviceId": large})
    assert (reply.status, _codes(reply)) == (413, ["resource-too-large"])
    data_set_id = _opened(api, owner, CONTINUOUS | {"deviceId": large[:100_000]})
    server = fakes.sign_in("server", is_server=True)
    reply = api.request("PUT", f"/v1/data_sets/{data_set_id}", {"deviceModel": large}, token=server)
    assert (reply.status, _codes(reply)) == (413, ["resource-too-large"])


@pytest.mark.parametrize("name", ["deletedTime", "deletedUserId", "modifiedUserId"])
def test_a_new_data_set_ignores_fields_of_deletion_and_modification(api: ApiClient, owner: str, name: str) -> None:
    reply = _open(api, owner, CONTINUOUS | {name: "2026-01-01T00:00:00Z"})
    assert reply.status == 201
    assert name not in reply.json()["data"]


def test_data_without_the_device_id_that_its_hash_needs_is_400(api: ApiClient, owner: str) -> None:
    data_set_id = _opened(api, owner, {"deduplicator": HASHING, "deviceId": "d"})
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", [_cbg(deviceId="d"), _cbg()], token=owner)
    assert (reply.status, _codes(reply)) == (400, ["value-not-exists"])
    assert reply.json()["source"] == {"pointer": "/1/deviceId"}


@pytest.mark.parametrize("name", ["device.deactivate.hash", "device.truncate.dataset"])
def test_a_data_set_of_no_device_can_be_closed_and_deleted(api: ApiClient, owner: str, name: str) -> None:
    data_set_id = _opened(api, owner, {"deduplicator": {"name": f"org.tidepool.deduplicator.{name}"}})
    api.request("POST", f"/v1/data_sets/{data_set_id}/data", [_cbg(deviceId="d")], token=owner)
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", token=owner).status == 200
    assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=owner).json()) == 1
    assert api.request("DELETE", f"/v1/data_sets/{data_set_id}", token=owner).status == 200
    assert api.request("GET", f"/data/{OWNER}?type=cbg", token=owner).json() == []


def test_a_record_that_was_hidden_and_comes_back_is_as_it_was(api: ApiClient, owner: str) -> None:
    description = {"deduplicator": HASHING, "deviceId": "d"}
    first = _closed_with(api, owner, description, [_cbg(deviceId="d")])
    path = f"/data/{OWNER}?type=cbg"
    before = api.request("GET", path, token=owner).json()
    assert [(record["uploadId"], record["revision"]) for record in before] == [(first, 1)]
    second = _closed_with(api, owner, description, [_cbg(deviceId="d")])
    assert [record["uploadId"] for record in api.request("GET", path, token=owner).json()] == [second]
    assert api.request("DELETE", f"/v1/data_sets/{second}", token=owner).status == 200
    assert api.request("GET", path, token=owner).json() == before


def _closed_with(api: ApiClient, token: str, description: Any, data: list[Any]) -> str:
    """The id of a closed data set with this data."""
    data_set_id = _opened(api, token, description)
    assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", data, token=token).status == 200
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", token=token).status == 200
    return data_set_id


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Basic"}, {"X_Tidepool_Server_Secret": "wrong"}, {"Authorization": "Bearer nonsense"}]
)
def test_credentials_do_not_matter_on_paths_and_methods_that_are_not_there(
    api: ApiClient, headers: dict[str, str]
) -> None:
    assert api.request("GET", "/v1/nothing", **headers).status == 404
    assert api.request("PATCH", f"/v1/users/{OWNER}/data_sets", **headers).status == 405


def test_the_deletion_of_a_truncated_data_set_belongs_to_the_device_that_it_names_now(
    api: ApiClient, fakes: FakeServices, owner: str
) -> None:
    truncated = _opened(api, owner, CONTINUOUS | {"deviceId": "d"})
    api.request("POST", f"/v1/data_sets/{truncated}/data", [_cbg(deviceId="d")], token=owner)
    _closed_with(api, owner, {"deduplicator": TRUNCATING, "deviceId": "d"}, [_cbg(deviceId="d", value=101)])
    server, path = fakes.sign_in("server", is_server=True), f"/v1/data_sets/{truncated}"
    for device_id, is_deleted in (("d", True), ("e", False), ("d", True)):
        assert api.request("PUT", path, {"deviceId": device_id}, token=server).status == 200
        assert ("deletedTime" in api.request("GET", path, token=owner).json()) == is_deleted
        assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=owner).json()) == 1


@pytest.mark.parametrize("path", ["/v1/data_sources/nonsense", "/v1/data_sources/nonsense?revision=0"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_malformed_id_of_a_data_source_is_404(api: ApiClient, fakes: FakeServices, method: str, path: str) -> None:
    body = {"state": "disconnected"} if method == "PUT" else None
    reply = api.request(method, path, body, token=fakes.sign_in("server", is_server=True))
    assert (reply.status, _codes(reply)) == (404, ["resource-not-found"])


@pytest.mark.parametrize("after", [b"x", b"{}", b" \n]"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/v1/users/{OWNER}/data_sets", b'{"dataSetType":"continuous"}'),
        (f"/v1/users/{OWNER}/data_sources", b'{"providerType":"oauth","providerName":"n"}'),
        (f"/v1/users/{OWNER}/restricted_tokens", b"{}"),
        ("/v1/tasks", b'{"type":"a.type"}'),
    ],
)
def test_bytes_after_the_value_are_refused_and_nothing_is_stored(
    api: ApiClient, fakes: FakeServices, path: str, body: bytes, after: bytes
) -> None:
    fakes.sign_in(OWNER)
    server = fakes.sign_in("server", is_server=True)
    reply = api.request("POST", path, body + after, token=server)
    assert (reply.status, _codes(reply)) == (400, ["json-malformed"])
    assert api.request("GET", path, token=server).json() == []
    assert api.request("POST", path, body + b" \n", token=server).status == 201
    assert len(api.request("GET", path, token=server).json()) == 1


@pytest.mark.parametrize("header", ["X-Tidepool-Service-Secret", "X-Tidepool-Server-Secret"])
def test_the_secret_of_servers_has_two_names(api: ApiClient, owner: str, header: str) -> None:
    path = f"/v1/users/{OWNER}/data_sets"
    assert api.request("GET", path, **{header: SERVER_SECRET}).status == 200
    assert api.request("GET", path, **{header: "wrong"}).status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/clinics/share_code/{OWNER}"),
        ("POST", "/auth/oauthlogin"),
        ("POST", f"/v1/users/{OWNER}/device_tokens"),
        ("GET", f"/v1/users/{OWNER}/alerts"),
        ("GET", "/thisuser/blip - Viewed"),
        ("GET", f"/{OWNER}/profile"),
    ],
)
def test_routes_that_are_not_served_are_404(api: ApiClient, owner: str, method: str, path: str) -> None:
    assert api.request(method, path, {}, token=owner).status == 404


def test_data_is_read_in_the_order_of_types_and_times(api: ApiClient, owner: str) -> None:
    data_set_id = _opened(api, owner, CONTINUOUS)
    later, earlier = _cbg(time="2026-01-01T00:05:00Z"), _cbg()
    food = {"type": "food", "time": "2026-01-01T00:00:00Z"}
    api.request("POST", f"/v1/data_sets/{data_set_id}/data", [food, later, earlier], token=owner)
    seen = api.request("GET", f"/data/{OWNER}", token=owner).json()
    assert [(record["type"], record["time"][11:16]) for record in seen] == [
        ("cbg", "00:00"),
        ("cbg", "00:05"),
        ("food", "00:00"),
        ("upload", "00:00"),
    ]
