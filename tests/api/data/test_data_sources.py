"""Data sources, partners and the old way to upload, over HTTP. Source: data-api 8, 10 and 11."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import services as wiring
from tests.api.conftest import ApiClient, Reply
from tests.fakes.engine import go_on
from tests.fakes.processes import Process, watched
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
CHANGE = {"state": "disconnected", "lastImportTime": "2025-12-30T00:00:00Z"}
CBG = {"type": "cbg", "time": "2025-12-31T00:00:00Z", "units": "mmol/L", "value": 5, "deviceId": "Meter-1"}


@pytest.fixture
def source(api: ApiClient, server: str) -> dict[str, Any]:
    """A data source that is not connected."""
    body = {"providerType": "oauth", "providerName": "twiist", "providerExternalId": "link-1"}
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sources", body, token=server)
    assert reply.status == 201
    created: dict[str, Any] = reply.json()
    return created


def put(api: ApiClient, server: str, source: dict[str, Any], body: Any, query: str = "") -> Reply:
    """The answer to a change."""
    return api.request("PUT", f"/v1/data_sources/{source['id']}{query}", body, token=server)


def connect(api: ApiClient, server: str, source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The data source after it was connected."""
    reply = put(api, server, source, {"state": "connected", "providerSessionId": "session-1"} | fields)
    assert reply.status == 200, reply.body
    connected: dict[str, Any] = reply.json()
    return connected


def unwatched(fakes: FakeServices, act: Callable[[], Reply]) -> None:
    """Do something that no watch sees."""
    with watched(fakes.calls, go_on):
        assert act().status == 200


def test_a_data_source_begins_disconnected(source: dict[str, Any]) -> None:
    assert source == {
        "id": source["id"],
        "userId": OWNER,
        "providerType": "oauth",
        "providerName": "twiist",
        "providerExternalId": "link-1",
        "state": "disconnected",
        "createdTime": "2026-01-01T00:00:00Z",
        "revision": 0,
    }


def test_metadata_are_kept_as_they_are_sent(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    for metadata in ({}, {"a": None}):
        assert put(api, server, source, {"metadata": metadata}).json()["metadata"] == metadata


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("value-not-exists", "/providerType"), ("value-not-exists", "/providerName")]),
        (
            {"providerType": "x", "providerName": ""},
            [("value-not-allowed", "/providerType"), ("value-empty", "/providerName")],
        ),
        ({"providerType": "oauth", "providerName": "n", "state": "connected"}, [("not-parsed", "/state")]),
        ([], None),
    ],
)
def test_every_error_of_a_new_data_source_is_reported(api: ApiClient, server: str, body: Any, faults: Any) -> None:
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sources", body, token=server)
    assert reply.status == 400
    errors = reply.json().get("errors", [reply.json()])
    named = [(error["code"], error["source"]["pointer"]) for error in errors if "source" in error]
    assert named == (faults or [])
    assert faults or errors[0]["code"] == "json-malformed"


def test_users_see_their_own_without_what_is_for_servers(
    api: ApiClient, fakes: FakeServices, server: str, source: dict[str, Any]
) -> None:
    error = {"code": "unauthenticated", "title": "t", "detail": "d", "cause": "secret"}
    connected = connect(api, server, source)
    assert connected["providerSessionId"] == "session-1"
    assert put(api, server, source, {"state": "error", "error": error}).json()["error"] == error

    (seen,) = api.request("GET", f"/v1/users/{OWNER}/data_sources", token=fakes.sign_in(OWNER)).json()
    assert seen["error"] == {"code": "unauthenticated", "title": "t", "detail": "d"}
    assert "providerSessionId" not in seen
    path = f"/v1/data_sources/{source['id']}"
    assert api.request("GET", path, token=fakes.sign_in(OWNER)).json() == seen
    for refused in (path, f"/v1/users/{OWNER}/data_sources"):
        assert api.request("GET", refused, token=fakes.sign_in(OTHER)).status == 403


def test_the_list_is_filtered_and_paged(api: ApiClient, fakes: FakeServices, server: str) -> None:
    for name in ("one", "two", "three"):
        fakes.now_ms += 1
        body = {"providerType": "oauth", "providerName": name}
        api.request("POST", f"/v1/users/{OWNER}/data_sources", body, token=server)

    def names(query: str) -> list[str]:
        found = api.request("GET", f"/v1/users/{OWNER}/data_sources{query}", token=server).json()
        return [data_source["providerName"] for data_source in found]

    assert names("") == ["three", "two", "one"]
    assert names("?size=2&page=1") == ["one"]
    assert names("?providerName=two&state=disconnected") == ["two"]
    assert names("?state=connected") == []
    refused = api.request("GET", f"/v1/users/{OWNER}/data_sources?colour=red", token=server)
    assert (refused.status, refused.json()["source"]) == (400, {"parameter": "colour"})


def test_states_clear_what_does_not_go_with_them(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    connect(api, server, source)
    failed = put(api, server, source, {"state": "error", "error": {"code": "x"}}).json()
    assert (failed["error"], failed["revision"]) == ({"code": "x"}, 2)
    again = connect(api, server, source)
    assert "error" not in again
    disconnected = put(api, server, source, {"state": "disconnected"}).json()
    assert not {"error", "providerSessionId"} & disconnected.keys()


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"state": "connected"}, [("value-not-exists", "/providerSessionId")]),
        ({"providerSessionId": "s"}, [("value-exists", "/providerSessionId")]),
        ({"latestDataTime": "2026-01-02T00:00:00Z"}, [("value-not-before", "/latestDataTime")]),
        (
            {"earliestDataTime": "2025-12-02T00:00:00Z", "latestDataTime": "2025-12-01T00:00:00Z"},
            [("value-not-after", "/latestDataTime")],
        ),
    ],
)
def test_every_error_of_a_change_is_reported(
    api: ApiClient, server: str, source: dict[str, Any], body: Any, faults: Any
) -> None:
    reply = put(api, server, source, body)
    errors = reply.json().get("errors", [reply.json()])
    assert (reply.status, [(error["code"], error["source"]["pointer"]) for error in errors]) == (400, faults)


def test_a_body_that_is_larger_than_any_real_one_is_413(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    body = {"state": "connected", "providerSessionId": "x" * 64 * 1024}
    assert put(api, server, source, body).status == 413


def test_a_change_of_another_revision_is_not_found(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    assert put(api, server, source, {"metadata": {"a": 1}}, "?revision=0").json()["revision"] == 1
    for query in ("?revision=0", "?revision=2"):
        assert put(api, server, source, {"metadata": {"a": 2}}, query).status == 404
    path = f"/v1/data_sources/{source['id']}"
    assert api.request("DELETE", path + "?revision=0", token=server).status == 404
    assert api.request("DELETE", path + "?revision=1", token=server).status == 200
    assert api.request("GET", path, token=server).json()["detail"] == f'resource with id "{source["id"]}" not found'


def test_a_data_source_of_a_provider_is_connected(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    body = {"providerType": "oauth", "providerName": "twiist"}
    second = api.request("POST", f"/v1/users/{OWNER}/data_sources", body, token=server).json()
    connect(api, server, source)
    assert put(api, server, second, {"state": "connected", "providerSessionId": "session-2"}).status == 409


def test_a_session_names_its_data_source(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    path = "/v1/provider_sessions/session-1/data_source"
    assert api.request("GET", path, token=server).status == 404
    connect(api, server, source)
    assert api.request("GET", path, token=server).json()["id"] == source["id"]


def test_all_of_a_user_are_removed(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    reply = api.request("DELETE", f"/v1/users/{OWNER}/data_sources", token=server)
    assert (reply.status, reply.body) == (204, b"")
    assert api.request("GET", f"/v1/users/{OWNER}/data_sources", token=server).json() == []


class TestAtTheSameTime:
    """Requests that find a data source changed between reading and writing it."""

    @pytest.fixture
    def changed(self, api: ApiClient, fakes: FakeServices, server: str, source: dict[str, Any]) -> Iterator[Process]:
        """Changes the data source before the third call of a request, which is past reading it."""
        meeting = Process(meets_after=2, meeting=lambda: unwatched(fakes, lambda: put(api, server, source, CHANGE)))
        with watched(fakes.calls, meeting.before):
            yield meeting

    def test_all_of_a_user_are_removed(self, api: ApiClient, server: str, changed: Process) -> None:
        changed.meets_after = 3
        assert api.request("DELETE", f"/v1/users/{OWNER}/data_sources", token=server).status == 204
        assert changed.has_met
        assert api.request("GET", f"/v1/users/{OWNER}/data_sources", token=server).json() == []

    def test_one_is_removed(self, api: ApiClient, server: str, source: dict[str, Any], changed: Process) -> None:
        assert api.request("DELETE", f"/v1/data_sources/{source['id']}", token=server).status == 200
        assert changed.has_met
        assert api.request("GET", f"/v1/data_sources/{source['id']}", token=server).status == 404

    def test_one_is_changed(self, api: ApiClient, server: str, source: dict[str, Any], changed: Process) -> None:
        reply = put(api, server, source, {"state": "disconnected", "providerExternalId": "link-2"})
        assert changed.has_met
        assert (reply.status, reply.json()["revision"]) == (200, 2)
        assert reply.json()["lastImportTime"] == CHANGE["lastImportTime"]

    def test_another_revision_than_the_one_asked_for_is_not_touched(
        self, api: ApiClient, server: str, source: dict[str, Any], changed: Process
    ) -> None:
        assert put(api, server, source, {"state": "disconnected"}, "?revision=0").status == 404
        assert changed.has_met
        assert api.request("DELETE", f"/v1/data_sources/{source['id']}?revision=0", token=server).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/users/{user}/data_sources"),
        ("DELETE", "/v1/users/{user}/data_sources"),
        ("PUT", "/v1/data_sources/{id}"),
        ("DELETE", "/v1/data_sources/{id}"),
        ("GET", "/v1/provider_sessions/x/data_source"),
    ],
)
def test_the_owner_may_not_use_routes_for_servers(
    api: ApiClient, fakes: FakeServices, source: dict[str, Any], method: str, path: str
) -> None:
    filled = path.format(user=OWNER, id=source["id"])
    body = {"providerType": "oauth", "providerName": "n"}
    assert api.request(method, filled, body, token=fakes.sign_in(OWNER)).status == 403
    assert api.request(method, filled, body).status == 401


@pytest.fixture
def data_set_id(api: ApiClient, server: str) -> str:
    """A continuous data set."""
    body = {"dataSetType": "continuous"}
    created = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=server)
    return str(created.json()["data"]["uploadId"])


def test_twiist_adds_data_by_its_link(
    api: ApiClient, fakes: FakeServices, server: str, source: dict[str, Any], data_set_id: str
) -> None:
    path = "/v1/partners/twiist/data/link-1"
    unknown = api.request("POST", path, [CBG], token=server)
    assert (unknown.status, unknown.json()["errors"][0]["code"]) == (404, "tidepool-link-id-not-found")

    connect(api, server, source, dataSetId=data_set_id)
    fakes.settings = replace(fakes.settings, twiist_user_ids=frozenset({OTHER}))
    wiring.override(fakes.services)
    assert api.request("POST", path, [CBG], token=server).json()["data"] == []
    assert api.request("POST", path, [CBG], token=fakes.sign_in(OTHER)).status == 200
    assert api.request("POST", path, [CBG], token=fakes.sign_in(OWNER)).status == 403
    assert api.request("POST", path, [{}], token=server).status == 400
    assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=server).json()) == 2


def test_a_twiist_link_without_a_data_set_is_not_found(api: ApiClient, server: str, source: dict[str, Any]) -> None:
    connect(api, server, source)
    reply = api.request("POST", "/v1/partners/twiist/data/link-1", [CBG], token=server)
    assert (reply.status, reply.json()["errors"][0]["code"]) == (404, "tidepool-link-id-not-found")


def test_sectors_are_those_of_the_configuration(api: ApiClient, fakes: FakeServices) -> None:
    sectors = {"twiist": ("https://one.example.org",), "twiist/test": ("https://two.example.org",)}
    fakes.settings = replace(fakes.settings, partner_sectors=sectors)
    wiring.override(fakes.services)
    assert api.request("GET", "/v1/partners/twiist/sector").json() == ["https://one.example.org"]
    assert api.request("GET", "/dataservices/v1/partners/twiist/sector/test").json() == ["https://two.example.org"]
    assert api.request("GET", "/v1/partners/nobody/sector").status == 404


UPLOAD = {
    "type": "upload",
    "uploadId": "upid_0123456789ab",
    "byUser": OWNER,
    "guid": "dropped",
    "deviceId": "Meter-1",
    "deviceTags": ["bgm"],
    "time": "2025-12-31T00:00:00Z",
    "version": "2.64.0",
}


def test_an_old_upload_is_kept_once_however_often_it_comes(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(OWNER)
    records = [UPLOAD, *({**CBG, "uploadId": UPLOAD["uploadId"], "guid": "g", "value": value} for value in (5, 6))]
    for _ in range(2):
        reply = api.request("POST", f"/data/{OWNER}", records, token=token)
        assert (reply.status, reply.json()) == (200, [])
    read = api.request("GET", f"/data/{OWNER}", token=token).json()
    assert [(record["type"], record.get("value")) for record in read] == [("cbg", 5), ("cbg", 6), ("upload", None)]
    assert {record["uploadId"] for record in read} == {UPLOAD["uploadId"]}
    assert read[-1]["deviceTags"] == ["bgm"]
    assert "guid" not in read[0]


def test_a_wrong_record_of_an_old_upload_is_pointed_to_and_nothing_is_kept(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(OWNER)
    reply = api.request("POST", f"/data/{OWNER}", [UPLOAD, CBG, CBG | {"value": -1}], token=token)
    assert (reply.status, reply.json()["source"]["pointer"]) == (400, "/2/value")
    assert api.request("GET", f"/data/{OWNER}", token=token).json() == []


def test_an_old_upload_may_be_one_record_of_no_data_set(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(OWNER)
    assert api.request("POST", f"/data/{OWNER}", CBG, token=token).json() == []
    assert [record["type"] for record in api.request("GET", f"/data/{OWNER}", token=token).json()] == ["cbg", "upload"]


def test_an_old_upload_never_reaches_the_data_set_of_another_user(api: ApiClient, fakes: FakeServices) -> None:
    assert api.request("POST", f"/data/{OWNER}", [UPLOAD], token=fakes.sign_in(OWNER)).status == 200
    stolen = [{**CBG, "uploadId": UPLOAD["uploadId"]}]
    assert api.request("POST", f"/data/{OTHER}", stolen, token=fakes.sign_in(OTHER)).status == 403
    assert api.request("POST", f"/data/{OWNER}", stolen, token=fakes.sign_in(OTHER)).status == 403
