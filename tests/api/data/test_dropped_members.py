"""Members that the data model does not know: dropped, and named in the reply. Source: data-api 8."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.model.dropped import MAX_NAMES
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
TIME = "2026-01-31T08:01:00Z"
FOOD = {"type": "food", "time": TIME, "name": "Pizza"}
HEADER = "x-strandline-dropped"


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


@pytest.fixture
def path(api: ApiClient, token: str) -> str:
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", {"dataSetType": "continuous"}, token=token)
    return f"/v1/data_sets/{reply.json()['data']['uploadId']}/data"


def add(api: ApiClient, token: str, path: str, items: Any, **headers: str) -> Reply:
    """The answer to an add that succeeds."""
    reply = api.request("POST", path, items, token=token, **headers)
    assert reply.status == 200, reply.body
    return reply


def schedule(**members: Any) -> dict[str, Any]:
    """Pump settings with a basal schedule whose elements have more members."""
    return {
        "type": "pumpSettings",
        "time": TIME,
        "basalSchedules": {"one": [{"start": 0, "rate": 1} | members]},
        "units": {"bg": "mg/dL", "carb": "grams"},
        "activeSchedule": "one",
    }


@pytest.mark.parametrize(
    ("item", "names"),
    [
        (FOOD | {"absorptionDuration": 3}, "absorptionDuration"),
        (schedule() | {"sleepSchedules": [], "dosingEnabled": True}, "sleepSchedules, dosingEnabled"),
        (
            FOOD | {"nutrition": {"sugar": 1, "carbohydrate": {"net": 1, "units": "grams", "x": 1}}},
            "nutrition.sugar, nutrition.carbohydrate.x",
        ),
        (schedule(note="x"), "basalSchedules.note"),
        (FOOD | {"origin": {"id": "x", "unknown": {"y": 1}}}, "origin.unknown"),
        (
            {
                "type": "wizard",
                "time": TIME,
                "units": "mg/dL",
                "bolus": {"type": "bolus", "subType": "normal", "normal": 1, "time": TIME, "more": 1},
            },
            "bolus.more",
        ),
        (FOOD | {"a, b=\r\n\u00e9": 1}, quote("a, b=\r\n\u00e9", safe="")),
        (FOOD | {"payload": {"free": 1}, "annotations": [{"code": "x", "free": 1}], "unknown": None}, None),
        (FOOD | {"uploadId": "x", "id": "0" * 32}, None),
        ({"type": "bolus", "subType": "normal", "normal": 1, "time": TIME}, None),
        (
            {
                "type": "basal",
                "deliveryType": "temp",
                "rate": 1,
                "duration": 1,
                "time": TIME,
                "suppressed": {"type": "basal", "deliveryType": "scheduled", "rate": 1},
            },
            None,
        ),
    ],
)
def test_the_names_are_in_a_header(api: ApiClient, token: str, path: str, item: Any, names: str | None) -> None:
    assert add(api, token, path, [item]).headers.get(HEADER) == names
    lenient = add(api, token, path, [item, {"type": "cbg"}], Prefer="handling=lenient")
    assert HEADER not in lenient.headers
    assert [quote(name, safe=".") for name in lenient.json()["dropped"]] == ([] if names is None else names.split(", "))
    assert names is None or len(lenient.json()["refused"]) > 0


def test_a_name_is_told_once_and_none_of_refused_records(api: ApiClient, token: str, path: str) -> None:
    items = [FOOD | {"b": 1}, FOOD | {"a": 1, "b": 2}, {"type": "cbg", "refused": 1}]
    assert add(api, token, path, items, Prefer="handling=lenient").json()["dropped"] == ["b", "a"]
    assert add(api, token, path, items[:2]).headers[HEADER] == "b, a"


def test_the_header_has_twenty_names_and_then_a_count(api: ApiClient, token: str, path: str) -> None:
    items = [FOOD | {f"n{number}": 1 for number in range(30)}]
    names = add(api, token, path, items).headers[HEADER].split(", ")
    assert names == [*(f"n{number}" for number in range(20)), "more=10"]


@pytest.mark.parametrize("name", ["x" * 150, "\u00e9" * 60, "x" * 100_000])
def test_the_header_has_at_most_a_kilobyte(api: ApiClient, token: str, path: str, name: str) -> None:
    items = [FOOD | {f"{number}{name}": 1 for number in range(20)}]
    value = add(api, token, path, items).headers[HEADER]
    assert len(value) <= 1024
    assert value.endswith(f", more={20 - value.count(', ')}")


def test_the_names_in_the_body_are_limited_too(api: ApiClient, token: str, path: str) -> None:
    items = [FOOD | {f"{at}-{number}": 1 for number in range(100)} for at in range(50)]
    names = add(api, token, path, items, Prefer="handling=lenient").json()["dropped"]
    assert (len(names), names[-1]) == (MAX_NAMES + 1, f"more={5_000 - MAX_NAMES}")


def test_an_old_upload_names_them_too(api: ApiClient, token: str) -> None:
    description = {"type": "upload", "uploadId": "upid_0123456789ab", "unknown": 1, "byUser": OWNER}
    items = [description, FOOD | {"guid": "x", "uploadId": "upid_0123456789ab"}]
    reply = api.request("POST", f"/data/{OWNER}", items, token=token)
    assert (reply.status, reply.headers[HEADER]) == (200, "unknown, guid")


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"client": {"name": "org.example.app", "version": "1.0.0", "platform": "x"}}, "client.platform"),
        ({"createdTime": TIME, "createdUserId": None}, "createdTime"),
        (
            {"deduplicator": {"name": "org.tidepool.deduplicator.none", "hash": "x", "y": 1}, "byUser": OWNER},
            "deduplicator.hash, deduplicator.y, byUser",
        ),
        ({"client": {"name": "org.example.app", "version": "1.0.0", "private": {"x": 1}}}, None),
        ({"timezone": "Europe/Berlin", "type": "upload", "payload": {"x": 1}}, None),
    ],
)
def test_the_answer_to_a_new_data_set_names_what_was_not_stored(
    api: ApiClient, token: str, members: dict[str, Any], names: str | None
) -> None:
    body = {"dataSetType": "continuous"} | members
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token)
    assert (reply.status, reply.headers.get(HEADER)) == (201, names)


def test_an_empty_data_set_drops_nothing(api: ApiClient, token: str) -> None:
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", b"null", token=token)
    assert (reply.status, reply.headers.get(HEADER)) == (201, None)
