"""Summaries and profiles of glucose over HTTP: who gets them, tags, and what is refused."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER, VIEWER, OTHER = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"
CGM, BGM, CON = (f"/v1/summaries/{name}/{OWNER}" for name in ("cgm", "bgm", "con"))
AGP = f"/v1/users/{OWNER}/agp"
UNAUTHENTICATED = {
    "code": "unauthenticated",
    "title": "authentication token is invalid",
    "detail": "authentication token is invalid",
}


def cbg(minute: int = 0, **members: Any) -> dict[str, Any]:
    """A reading of the last hour before the clock of these tests."""
    time = f"2025-12-31T23:{minute:02d}:00Z"
    return {"type": "cbg", "time": time, "units": "mmol/L", "value": 5, "timezone": "Europe/Berlin", **members}


@pytest.fixture
def data_set_id(api: ApiClient, fakes: FakeServices) -> str:
    """A data set of the owner with a reading in it."""
    body = {"dataSetType": "continuous"}
    created = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=fakes.sign_in(OWNER))
    data_set_id = str(created.json()["data"]["uploadId"])
    add(api, fakes, data_set_id, cbg())
    return data_set_id


def add(api: ApiClient, fakes: FakeServices, data_set_id: str, *data: Any) -> None:
    """Add data as the owner."""
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", list(data), token=fakes.sign_in(OWNER))
    assert reply.status == 200, reply.body


def as_owner(api: ApiClient, fakes: FakeServices, path: str, method: str = "GET", **headers: str) -> Reply:
    """The reply to the owner."""
    return api.request(method, path, token=fakes.sign_in(OWNER), **headers)


@pytest.mark.usefixtures("data_set_id")
def test_the_owner_gets_a_summary_of_each_type(api: ApiClient, fakes: FakeServices) -> None:
    summary = as_owner(api, fakes, CGM).json()
    assert (summary["type"], summary["userId"]) == ("cgm", OWNER)
    assert summary["dates"]["lastData"] == "2025-12-31T23:00:00Z"
    assert summary["dates"].keys() == {"lastUpdatedDate", "lastUploadDate", "firstData", "lastData"}
    assert summary["periods"]["1d"]["averageGlucoseMmol"] == 5
    assert as_owner(api, fakes, CON).json()["periods"]["1d"]["realtime"] == {"records": 1, "percent": 1}


@pytest.mark.usefixtures("data_set_id")
def test_a_summary_keeps_its_id(api: ApiClient, fakes: FakeServices) -> None:
    first, second, other = (as_owner(api, fakes, path).json()["id"] for path in (CGM, CGM, CON))
    assert first == second != other


@pytest.mark.usefixtures("data_set_id")
def test_both_prefixes_lead_to_summaries(api: ApiClient, fakes: FakeServices) -> None:
    assert as_owner(api, fakes, f"/dataservices{CGM}").json() == as_owner(api, fakes, CGM).json()
    assert as_owner(api, fakes, f"/dataservices{AGP}").json() == as_owner(api, fakes, AGP).json()


@pytest.mark.usefixtures("data_set_id")
def test_post_answers_as_get(api: ApiClient, fakes: FakeServices) -> None:
    assert as_owner(api, fakes, CGM, "POST").json() == as_owner(api, fakes, CGM).json()


@pytest.mark.usefixtures("data_set_id")
def test_without_data_of_the_type_get_finds_nothing_and_post_answers_null(api: ApiClient, fakes: FakeServices) -> None:
    found, computed = as_owner(api, fakes, BGM), as_owner(api, fakes, BGM, "POST")
    assert (found.status, found.json()) == (404, {})
    assert (computed.status, computed.json()) == (200, None)


def test_without_any_data_there_is_no_profile(api: ApiClient, fakes: FakeServices) -> None:
    reply = as_owner(api, fakes, AGP)
    assert (reply.status, reply.json()) == (404, {})


def test_a_server_that_asks_for_an_unknown_user_finds_nothing(api: ApiClient, fakes: FakeServices) -> None:
    for path in (CGM, AGP):
        assert api.request("GET", path, token=fakes.sign_in("server", is_server=True)).status == 404


@pytest.mark.usefixtures("data_set_id")
@pytest.mark.parametrize("path", [CGM, AGP])
def test_a_viewer_and_a_server_may_read(api: ApiClient, fakes: FakeServices, path: str) -> None:
    fakes.grant(OWNER, VIEWER, ["view"])
    assert api.request("GET", path, token=fakes.sign_in(VIEWER)).status == 200
    assert api.request("GET", path, token=fakes.sign_in("server", is_server=True)).status == 200


@pytest.mark.usefixtures("data_set_id")
@pytest.mark.parametrize("permission", ["custodian", "upload", "note", "follow"])
@pytest.mark.parametrize("path", [CGM, AGP])
def test_no_other_permission_is_enough(api: ApiClient, fakes: FakeServices, path: str, permission: str) -> None:
    fakes.grant(OWNER, OTHER, [permission])
    reply = api.request("GET", path, token=fakes.sign_in(OTHER))
    assert (reply.status, reply.json()["errors"][0]["code"]) == (403, "unauthorized")


@pytest.mark.usefixtures("data_set_id")
@pytest.mark.parametrize("path", [CGM, AGP])
def test_a_view_of_the_last_hours_is_not_enough(api: ApiClient, fakes: FakeServices, path: str) -> None:
    limited = {"view": {"windowHours": 24}}
    granted = api.request("POST", f"/access/{OWNER}/{OTHER}", limited, token=fakes.sign_in(OWNER))
    assert granted.status == 200
    assert api.request("GET", f"/data/{OWNER}", token=fakes.sign_in(OTHER)).status == 200
    assert api.request("GET", path, token=fakes.sign_in(OTHER)).status == 403


@pytest.mark.parametrize(
    "path",
    [CGM, AGP, "/v1/summaries/xyz/aaaaaaaaaa", "/v1/summaries/outdated/cgm", "/v1/summaries/migratable/cgm"],
)
def test_nobody_is_told_to_sign_in(api: ApiClient, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.status, reply.json()) == (401, UNAUTHENTICATED)


@pytest.mark.parametrize("path", ["/v1/summaries/xyz/aaaaaaaaaa", "/v1/summaries/outdated/xyz"])
def test_an_unknown_type_is_an_unknown_path(api: ApiClient, fakes: FakeServices, path: str) -> None:
    reply = api.request("GET", path, token=fakes.sign_in("server", is_server=True))
    assert (reply.status, reply.json()) == (404, {"Error": "Resource not found"})


def test_no_summary_waits_to_be_computed(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in("server", is_server=True)
    outdated = api.request("GET", "/v1/summaries/outdated/cgm?size=5", token=token)
    year_1 = "0001-01-01T00:00:00Z"
    assert outdated.json() == {"userIds": [], "start": year_1, "end": year_1}
    assert api.request("GET", "/v1/summaries/migratable/con", token=token).json() == []


@pytest.mark.parametrize("query", ["size=0", "page=-1"])
@pytest.mark.parametrize("name", ["outdated", "migratable"])
def test_a_page_that_is_none_is_refused(api: ApiClient, fakes: FakeServices, name: str, query: str) -> None:
    reply = api.request("GET", f"/v1/summaries/{name}/bgm?{query}", token=fakes.sign_in("server", is_server=True))
    assert (reply.status, reply.json()["code"]) == (400, "value-out-of-range")
    assert reply.json()["source"] == {"parameter": query.partition("=")[0]}


def test_users_may_not_list_whose_summaries_wait(api: ApiClient, fakes: FakeServices) -> None:
    reply = as_owner(api, fakes, "/v1/summaries/outdated/cgm")
    assert (reply.status, reply.json()["errors"][0]["code"]) == (403, "unauthorized")


def test_a_client_with_the_current_summary_gets_304(api: ApiClient, fakes: FakeServices, data_set_id: str) -> None:
    tag = as_owner(api, fakes, CGM).headers["etag"]
    unchanged = as_owner(api, fakes, CGM, If_None_Match=tag)
    assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, b"", tag)
    assert as_owner(api, fakes, CON, If_None_Match=tag).status == 200
    add(api, fakes, data_set_id, cbg(5))
    changed = as_owner(api, fakes, CGM, If_None_Match=tag)
    assert changed.json()["periods"]["1d"]["total"]["records"] == 2


def test_a_tag_ends_when_a_record_of_the_future_begins_to_count(
    api: ApiClient, fakes: FakeServices, data_set_id: str
) -> None:
    add(api, fakes, data_set_id, cbg(time="2026-01-02T00:00:00.001Z"))
    before = as_owner(api, fakes, CGM)
    assert before.json()["dates"]["lastData"] == "2025-12-31T23:00:00Z"
    tag = before.headers["etag"]
    assert as_owner(api, fakes, CGM, If_None_Match=tag).status == 304
    fakes.now_ms += 1
    after = as_owner(api, fakes, CGM, If_None_Match=tag)
    assert after.json()["dates"]["lastData"] == "2026-01-02T00:00:00.001Z"


def test_a_tag_ends_when_the_oldest_record_becomes_too_old(
    api: ApiClient, fakes: FakeServices, data_set_id: str
) -> None:
    tag = as_owner(api, fakes, CGM).headers["etag"]
    fakes.now_ms += 729 * 86_400_000
    assert as_owner(api, fakes, CGM, If_None_Match=tag).status == 304
    fakes.now_ms += 2 * 86_400_000
    assert as_owner(api, fakes, CGM, If_None_Match=tag).status == 404


@pytest.mark.usefixtures("data_set_id")
def test_the_profile_has_the_zone_that_was_asked_for_or_that_of_the_newest_reading(
    api: ApiClient, fakes: FakeServices
) -> None:
    own, asked = as_owner(api, fakes, AGP), as_owner(api, fakes, f"{AGP}?tz=America/New_York&bin=30&days=1")
    assert (own.json()["timeZone"], own.json()["profile"][0][0]) == ("Europe/Berlin", 0)
    assert (asked.json()["timeZone"], asked.json()["profile"][0][0]) == ("America/New_York", 18 * 60)
    assert own.json()["to"] == "2025-12-31T23:05:00Z"
    assert own.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("days=0", "value-out-of-range", "days"),
        ("days=91", "value-out-of-range", "days"),
        ("days=x", "type-not-int", "days"),
        ("bin=10", "value-out-of-range", "bin"),
        ("end=yesterday", "value-not-parsable", "end"),
        ("tz=Europe/Atlantis", "value-not-valid", "tz"),
        ("tz=../../etc/passwd", "value-not-valid", "tz"),
    ],
)
def test_a_query_that_is_none_is_refused(
    api: ApiClient, fakes: FakeServices, query: str, code: str, parameter: str
) -> None:
    reply = as_owner(api, fakes, f"{AGP}?{query}")
    assert (reply.status, reply.json()["code"], reply.json()["source"]) == (400, code, {"parameter": parameter})


@pytest.mark.usefixtures("data_set_id")
def test_other_parameters_are_ignored(api: ApiClient, fakes: FakeServices) -> None:
    assert as_owner(api, fakes, f"{CGM}?units=mgdl").status == 200
    assert as_owner(api, fakes, f"{AGP}?units=mgdl").json()["profile"]
