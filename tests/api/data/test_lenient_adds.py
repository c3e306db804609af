"""Adds of clients that prefer lenient handling: the good data is stored, the rest is named."""

from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
LENIENT = "handling=lenient"
DEACTIVATE = {"name": "org.tidepool.deduplicator.device.deactivate.hash"}


def cbg(minute: int, **members: Any) -> dict[str, Any]:
    return {"type": "cbg", "time": f"2026-01-01T00:{minute:02}:00Z", "units": "mmol/L", "value": 5} | members


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


def opened(api: ApiClient, token: str, **description: Any) -> str:
    """The id of a data set."""
    body = {"dataSetType": "continuous"} | description
    return str(api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token).json()["data"]["id"])


def add(api: ApiClient, token: str | None, data_set_id: str, body: Any, prefer: str = LENIENT) -> Reply:
    """The answer to an add."""
    return api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=token, Prefer=prefer)


def minutes(api: ApiClient, token: str) -> list[int]:
    """The minutes of what can be read."""
    return [int(record["time"][14:16]) for record in api.request("GET", f"/data/{OWNER}?type=cbg", token=token).json()]


def test_the_good_data_is_stored_and_the_rest_is_named(api: ApiClient, token: str) -> None:
    reply = add(api, token, opened(api, token), [cbg(1), cbg(2, value=1000), None, cbg(3, units=5), cbg(4)])
    assert (reply.status, reply.headers["preference-applied"]) == (200, LENIENT)
    body = reply.json()
    assert body["data"] == []
    assert body["meta"] == {"trace": {"request": reply.headers["x-tidepool-trace-request"]}}
    refused = [(error["code"], error["source"]["pointer"], error["meta"]) for error in body["refused"]]
    assert sorted(refused, key=lambda error: error[1]) == [
        ("value-out-of-range", "/1/value", {"type": "cbg"}),
        ("type-not-string", "/3/units", {"type": "cbg"}),
    ]
    assert minutes(api, token) == [1, 4]


def test_data_that_cannot_be_hashed_is_named_too(api: ApiClient, token: str) -> None:
    data_set_id = opened(api, token, dataSetType="normal", deviceId="d", deduplicator=DEACTIVATE)
    body = [cbg(1), cbg(2, deviceId="d"), cbg(3, value=-1), cbg(4)]
    refused = add(api, token, data_set_id, body).json()["refused"]
    assert sorted(error["source"]["pointer"] for error in refused) == ["/0/deviceId", "/2/value", "/3/deviceId"]
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", token=token).status == 200
    assert minutes(api, token) == [2]


def test_good_data_alone_leaves_nothing_to_name(api: ApiClient, fakes: FakeServices, token: str) -> None:
    reply = add(api, token, opened(api, token), [cbg(1)])
    assert (reply.status, reply.json()["data"], reply.json()["refused"]) == (200, [], [])
    assert api.request("GET", f"/v1/users/{OWNER}/refusals", token=token).json() == []


def test_bad_data_alone_stores_nothing(api: ApiClient, fakes: FakeServices, token: str) -> None:
    assert add(api, token, opened(api, token), [{}, 5]).status == 200
    assert fakes.items(DATA, partition="LOG#") == []


def test_records_that_were_left_out_are_recorded_as_a_rejection(api: ApiClient, token: str) -> None:
    add(api, token, opened(api, token), [cbg(1), cbg(2, value=1000)])
    (rejection,) = api.request("GET", f"/v1/users/{OWNER}/refusals", token=token).json()
    assert rejection["errors"] == [{"code": "value-out-of-range", "source": {"pointer": "/1/value"}}]


@pytest.mark.parametrize(
    "prefer", [LENIENT, "Handling=Lenient", 'handling="lenient"', "wait=5, handling=lenient; x=1, respond-async"]
)
def test_the_preference_may_stand_among_others(api: ApiClient, token: str, prefer: str) -> None:
    assert add(api, token, opened(api, token), [{}], prefer).status == 200


@pytest.mark.parametrize("prefer", ["", "handling=strict", "lenient", "handling=lenient-ish"])
def test_without_the_preference_an_add_is_all_or_nothing(
    api: ApiClient, fakes: FakeServices, token: str, prefer: str
) -> None:
    reply = add(api, token, opened(api, token), [cbg(1), {}], prefer)
    assert reply.status == 400
    assert "preference-applied" not in reply.headers
    assert fakes.items(DATA, partition="LOG#") == []


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"[{", 400), ({}, 400), ([], 200)])
def test_a_body_that_is_not_an_array_is_refused(api: ApiClient, token: str, body: Any, status: int) -> None:
    assert add(api, token, opened(api, token), body).status == status


def test_a_caller_who_may_not_add_may_not_add_leniently(api: ApiClient, fakes: FakeServices, token: str) -> None:
    data_set_id = opened(api, token)
    assert add(api, None, data_set_id, [{}]).status == 401
    assert add(api, fakes.sign_in("bbbbbbbbbb"), data_set_id, [{}]).status == 403
    assert add(api, token, "0" * 32, [{}]).status == 404
    assert api.request("PUT", f"/v1/data_sets/{data_set_id}", {"state": "closed"}, token=token).status == 200
    assert add(api, token, data_set_id, [{}]).status == 409
