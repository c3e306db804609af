"""Bodies with many faults: checking stops at a number of them, so work and reply do not grow with a bad body.

Source: errors 2.5.
"""

from collections import Counter
from typing import Any

import pytest

from chalicelib import errors
from chalicelib.errors import MAX_LISTED_ERRORS, FieldError
from chalicelib.model.checks import interpreter
from chalicelib.uploads.lenient import MAX_NAMED_ERRORS
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
MANY = 20_000
MAX_REPLY_BYTES = 60_000
CBG = {"type": "cbg", "time": "2025-12-31T00:00:00Z", "units": "mmol/L", "value": 5}
BAD_RECORDS: list[Any] = [0, "", [], {}, {"type": "cbg"}, {"type": "x"}, CBG | {"value": 99}, CBG | {"value": "5"}]


@pytest.fixture
def token(fakes: FakeServices) -> str:
    return fakes.sign_in(OWNER)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The numbers of data that the interpreter reads and of errors that are made."""
    counted: Counter[str] = Counter()
    interpret, make = interpreter.interpret_datum, FieldError.__init__

    def counting_interpret(*arguments: Any) -> Any:
        counted["interpreted"] += 1
        return interpret(*arguments)

    def counting_make(*arguments: Any, **named: Any) -> None:
        counted["errors"] += 1
        make(*arguments, **named)

    monkeypatch.setattr(interpreter, "interpret_datum", counting_interpret)
    monkeypatch.setattr(errors.FieldError, "__init__", counting_make)
    return counted


def opened(api: ApiClient, token: str, **description: Any) -> str:
    """The id of a data set."""
    body = {"dataSetType": "continuous"} | description
    return str(api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token).json()["data"]["uploadId"])


@pytest.mark.parametrize("record", BAD_RECORDS)
def test_checking_data_stops_at_a_number_of_faults(api: ApiClient, token: str, work: Counter[str], record: Any) -> None:
    data_set_id = opened(api, token)
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", [record] * MANY, token=token)
    assert reply.status == 400
    *named, last = reply.json()["errors"]
    assert len(named) == MAX_LISTED_ERRORS
    assert last["code"] == "too-many-errors"
    unchecked = MANY - 1 - int(named[-1]["source"]["pointer"].split("/")[1])
    assert last["detail"] in {
        f"there are more errors: {count} more elements were not checked" for count in (unchecked, unchecked - 1)
    }
    assert work["interpreted"] <= MAX_LISTED_ERRORS + 1
    assert work["errors"] <= MAX_LISTED_ERRORS + 2
    assert len(reply.body) < MAX_REPLY_BYTES


@pytest.mark.parametrize("count", [MAX_LISTED_ERRORS - 1, MAX_LISTED_ERRORS])
def test_up_to_that_number_all_faults_are_named(api: ApiClient, token: str, count: int) -> None:
    body = [*[CBG] * 500, *[0] * count, *[CBG] * 500]
    reply = api.request("POST", f"/v1/data_sets/{opened(api, token)}/data", body, token=token)
    assert [error["code"] for error in reply.json()["errors"]] == ["type-not-object"] * count


def test_faults_of_parsing_hide_those_of_validation_however_many_there_are(api: ApiClient, token: str) -> None:
    body = [CBG | {"value": "5"}, *[CBG | {"value": 99}] * MANY]
    reply = api.request("POST", f"/v1/data_sets/{opened(api, token)}/data", body, token=token)
    codes = [error["code"] for error in reply.json()["errors"]]
    assert codes == ["type-not-float64", "too-many-errors"]


def test_one_record_with_many_faults_is_checked_up_to_the_limit(api: ApiClient, token: str, work: Counter[str]) -> None:
    body = [{"type": "pumpSettings", "time": CBG["time"], "basalSchedules": {f"s{i}": [{}] for i in range(MANY)}}]
    reply = api.request("POST", f"/v1/data_sets/{opened(api, token)}/data", body, token=token)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1
    assert work["errors"] <= MAX_LISTED_ERRORS + 2


@pytest.mark.parametrize("record", BAD_RECORDS)
def test_lenient_handling_names_a_number_of_faults_counts_the_rest_and_stores_all_valid_data(
    api: ApiClient, token: str, work: Counter[str], record: Any
) -> None:
    data_set_id = opened(api, token)
    body = [CBG, *[record] * MANY, CBG | {"time": "2025-12-31T00:05:00Z"}]
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=token, Prefer="handling=lenient")
    assert reply.status == 200
    *named, last = reply.json()["refused"]
    assert MAX_NAMED_ERRORS <= len(named) < MAX_NAMED_ERRORS + 5
    refused = {error["source"]["pointer"].split("/")[1] for error in named}
    assert last == {
        "code": "too-many-errors",
        "title": "too many errors",
        "detail": f"{MANY - len(refused)} more records were refused",
    }
    assert len(api.request("GET", f"/data/{OWNER}?type=cbg", token=token).json()) == 2
    assert work["interpreted"] <= MAX_NAMED_ERRORS


def test_many_records_without_the_device_id_that_their_hash_needs_are_checked_once(
    api: ApiClient, token: str, work: Counter[str]
) -> None:
    deduplicator = {"name": "org.tidepool.deduplicator.device.deactivate.hash"}
    data_set_id = opened(api, token, dataSetType="normal", deviceId="d", deduplicator=deduplicator)
    body = [CBG | {"deviceId": "d"}, *[CBG] * MANY]
    reply = api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=token, Prefer="handling=lenient")
    assert (reply.status, len(reply.json()["refused"])) == (200, MAX_NAMED_ERRORS + 1)
    assert work["errors"] <= MANY + 2
    assert work["interpreted"] == 0


def test_checking_an_old_upload_stops_at_a_number_of_faults(api: ApiClient, token: str, work: Counter[str]) -> None:
    reply = api.request("POST", f"/data/{OWNER}", [CBG | {"value": 99}] * MANY, token=token)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1
    assert work["interpreted"] <= MAX_LISTED_ERRORS + 1


@pytest.mark.parametrize("selector", [0, {}, {"id": 5}, {"id": "x", "origin": {"id": "x"}}])
def test_bad_selectors_get_one_error(api: ApiClient, token: str, selector: Any) -> None:
    path = f"/v1/data_sets/{opened(api, token)}/data"
    reply = api.request("DELETE", path, [selector] * MANY, token=token)
    assert (reply.status, len(reply.json()["errors"])) == (400, 1)


def test_checking_a_data_set_stops_at_a_number_of_faults(api: ApiClient, token: str, work: Counter[str]) -> None:
    body = {f"unknown-{index}": 0 for index in range(MANY)}
    reply = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=token)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1
    assert work["errors"] <= MAX_LISTED_ERRORS + 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/tasks", {f"unknown-{index}": 0 for index in range(MANY // 2)}),
        ("POST", f"/v1/users/{OWNER}/data_sources", {f"unknown-{index}": 0 for index in range(MANY // 20)}),
        ("POST", f"/v1/users/{OWNER}/data_sets", {"deviceTags": [5] * MANY}),
    ],
)
def test_checking_any_other_body_stops_at_a_number_of_faults(
    api: ApiClient, server: str, work: Counter[str], method: str, path: str, body: Any
) -> None:
    reply = api.request(method, path, body, token=server)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1
    assert work["errors"] <= MAX_LISTED_ERRORS + 2


def test_checking_a_restricted_token_stops_at_a_number_of_faults(
    api: ApiClient, token: str, work: Counter[str]
) -> None:
    reply = api.request("POST", f"/v1/users/{OWNER}/restricted_tokens", {"paths": ["x"] * MANY}, token=token)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1
    assert work["errors"] <= MAX_LISTED_ERRORS + 2


def test_the_faults_of_names_and_of_a_query_are_limited(api: ApiClient, token: str) -> None:
    names = {f".{index}": 0 for index in range(MANY)}
    reply = api.request("PUT", f"/metadata/{OWNER}/profile", names, token=token)
    assert reply.status == 400
    assert len(reply.body) < MAX_REPLY_BYTES
    query = "&".join(f"x{index}=1" for index in range(MANY // 10))
    reply = api.request("GET", f"/v1/users/{OWNER}/data_sets?{query}", token=token)
    assert reply.status == 400
    assert len(reply.json()["errors"]) == MAX_LISTED_ERRORS + 1


def test_a_long_value_is_cut_in_the_error_that_names_it(api: ApiClient, token: str) -> None:
    body = [CBG | {"units": "x" * 1_000_000}]
    reply = api.request("POST", f"/v1/data_sets/{opened(api, token)}/data", body, token=token)
    assert reply.status == 400
    assert reply.json()["detail"].startswith('value "xxxx')
    assert len(reply.body) < 2_000


def test_the_record_of_a_refusal_stays_small(api: ApiClient, token: str) -> None:
    schedule: dict[str, Any] = {"x" * 1_000_000: [{}]}
    body = [{"type": "pumpSettings", "time": CBG["time"], "basalSchedules": schedule}]
    assert api.request("POST", f"/v1/data_sets/{opened(api, token)}/data", body, token=token).status == 400
    reply = api.request("GET", f"/v1/users/{OWNER}/refusals", token=token)
    assert len(reply.body) < 5_000
    assert {"code": "value-not-exists"} in reply.json()[0]["errors"]
