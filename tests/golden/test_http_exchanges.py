"""Replays every recorded exchange with the reference platform. One table has each difference, with its reason."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.config import Settings
from tests.api.conftest import ApiClient, Reply
from tests.fakes.prepared import prepared
from tests.fakes.services import FakeServices
from tests.golden.conftest import AS_RECORDED, BY_RULING
from tests.golden.http_exchanges import GIVEN_IDS, RECORDED, Masks, sorted_records
from tests.golden.recordings import Exchange

OWNER = "aaaaaaaaaa"
GRANTS_OF_OWNER = {
    "bbbbbbbbbb": {"view"},
    "cccccccccc": {"upload", "view"},
    "dddddddddd": {"custodian"},
    "eeeeeeeeee": {"note"},
}
USERS = (OWNER, *GRANTS_OF_OWNER, "ffffffffff", *(f"abababab{number:02}" for number in range(1, 7)))
SERVER = "server-token"
TICK_MS = 1_250


@dataclass(frozen=True, slots=True)
class Ruling:
    """The reply of Strandline where it differs from the reference."""

    status: int
    body: Any
    reason: str


def _opened(data_set: dict[str, Any]) -> dict[str, Any]:
    """The answer to the creation of a data set by its owner."""
    made = {
        "byUser": OWNER,
        "createdTime": "<NOW>",
        "createdUserId": OWNER,
        "id": "<ID:1>",
        "modifiedTime": "<NOW>",
        "type": "upload",
        "uploadId": "<ID:1>",
    }
    return {"data": made | data_set, "meta": {"trace": {"request": "<TRACE>"}}}


_BAD_SELECTORS = {
    "errors": [{"code": "<TEXT>", "title": "<TEXT>", "detail": "<TEXT>", "status": "400"}],
    "meta": {"trace": {"request": "<TRACE>"}},
}
"""The wording is Strandline's own."""


def _bad_parameter(parameter: str, code: str, title: str) -> dict[str, Any]:
    return {
        "status": 400,
        "id": "<UUID>",
        "code": "invalid_parameters",
        "message": "one or more parameters are invalid",
        "errors": [{"code": code, "title": title, "detail": "<TEXT>", "source": {"parameter": parameter}}],
    }


NO_DEDUPLICATOR = _opened(
    {
        "dataSetType": "normal",
        "deduplicator": {"name": "org.tidepool.deduplicator.none", "version": "1.0.0"},
        "time": "<NOW>",
    }
)
MISTAKE = "the reference answers 500 for a client's mistake"
NO_DEFAULT = "a normal data set for which no deduplicator is chosen gets `none`; the reference fails half-way with 500"
OWN_VERSION = "the version is Strandline's own"

RULINGS: dict[str, Ruling] = {
    "dataset-create-body-03-empty-object": Ruling(201, NO_DEDUPLICATOR, NO_DEFAULT),
    "dataset-create-body-04-type-only": Ruling(201, NO_DEDUPLICATOR, NO_DEFAULT),
    "dataset-create-body-07-null": Ruling(201, NO_DEDUPLICATOR, NO_DEFAULT),
    "dataset-create-body-13-unknown-deduplicator": Ruling(
        400,
        {
            "code": "value-not-allowed",
            "title": "value is not one of the allowed values",
            "detail": "<TEXT>",
            "source": {"pointer": "/deduplicator/name"},
        },
        MISTAKE,
    ),
    "dataset-update-12-continuous-by-user": Ruling(
        200,
        {
            "data": {
                "byUser": "abababab03",
                "client": {"name": "org.example.app", "version": "1.0.0"},
                "createdTime": "<NOW>",
                "createdUserId": "abababab03",
                "dataSetType": "continuous",
                "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"},
                "deviceTags": ["cgm"],
                "id": "<CONTINUOUS>",
                "modifiedTime": "<NOW>",
                "time": "2024-01-01T00:00:00Z",
                "timezone": "America/New_York",
                "type": "upload",
                "uploadId": "<CONTINUOUS>",
            },
            "meta": {"trace": {"request": "<TRACE>"}},
        },
        "the API documents let a user close a continuous data set; the reference refuses with 403",
    ),
    "dedup-origin-15-delete-empty-array": Ruling(400, _BAD_SELECTORS, MISTAKE),
    "dedup-origin-18-delete-both": Ruling(400, _BAD_SELECTORS, MISTAKE),
    "dedup-origin-19-delete-empty-selector": Ruling(400, _BAD_SELECTORS, MISTAKE),
    "dedup-origin-20-delete-bad-id": Ruling(400, _BAD_SELECTORS, MISTAKE),
    "general-02-status": Ruling(
        200,
        {
            "data": {"Version": Settings().version, "Environment": "local", "DataStore": None, "Server": None},
            "meta": {"trace": {"request": "<TRACE>"}},
        },
        OWN_VERSION,
    ),
    "general-03-version": Ruling(
        200, {"data": {"version": Settings().version}, "meta": {"trace": {"request": "<TRACE>"}}}, OWN_VERSION
    ),
    "read-14-read-date-only": Ruling(
        400, _bad_parameter("startDate", "value-not-parsable", "value is not a parsable time"), MISTAKE
    ),
    "read-34-read-post": Ruling(200, [], "another service of the platform takes old uploads; here it is the same one"),
    "read-24-read-carelink-bad": Ruling(400, _bad_parameter("carelink", "type-not-bool", "type is not bool"), MISTAKE),
}
"""The differing replies, by file."""


@pytest.mark.parametrize("name", RECORDED.names)
def test_exchange_is_answered_as_recorded(
    name: str, api: ApiClient, fakes: FakeServices, record_property: Callable[[str, object], None]
) -> None:
    _replay(RECORDED.exchange(name), RULINGS.get(name), api, fakes)
    record_property(BY_RULING if name in RULINGS else AS_RECORDED, 1)


def _replay(recorded: Exchange, ruling: Ruling | None, api: ApiClient, fakes: FakeServices) -> None:
    """Send the requests of an exchange, and fail unless the last reply is as expected."""
    masks = Masks()
    prepared(set_scene, fakes)
    for earlier in recorded.given:
        reply = _send(api, fakes, masks, earlier)
        assert reply.status < 300, f"{earlier['name']}: {reply.status} {reply.body!r}"
        if earlier["name"] in GIVEN_IDS:
            masks.bound[GIVEN_IDS[earlier["name"]]] = reply.json()["data"]["uploadId"]
    reply = _send(api, fakes, masks, recorded.request)

    wanted_status = ruling.status if ruling else recorded.response["status"]
    wanted_body = ruling.body if ruling else recorded.response.get("body")
    assert reply.status == wanted_status, reply.body
    assert _header_differences(recorded, masks, reply) == []
    if ruling is None and "bodyText" in recorded.response:
        assert reply.body.decode() == recorded.response["bodyText"]
        return
    assert masks.differences(*_comparable(recorded, wanted_body, reply.json())) == []


def test_rulings_are_of_recorded_exchanges_and_differ_from_them() -> None:
    assert len(RECORDED.names) == 132
    for name, ruling in RULINGS.items():
        response = RECORDED.exchange(name).response
        assert (ruling.status, ruling.body) != (response["status"], response.get("body")), name
        assert ruling.reason


def test_no_answer_to_a_recorded_request_is_an_internal_failure() -> None:
    failing = {name for name in RECORDED.names if RECORDED.exchange(name).response["status"] >= 500}
    assert failing <= RULINGS.keys()
    assert all(ruling.status < 500 for ruling in RULINGS.values())


def set_scene(_api: ApiClient, fakes: FakeServices) -> None:
    """Sign all users and a server in, with their grants."""
    for user_id in USERS:
        fakes.sign_in(user_id)
    fakes.sign_in(SERVER, is_server=True)
    for grantee_id, permissions in GRANTS_OF_OWNER.items():
        fakes.grant(OWNER, grantee_id, permissions)


def _send(api: ApiClient, fakes: FakeServices, masks: Masks, request: dict[str, Any]) -> Reply:
    """Send a request of a file, a little later than the one before."""
    fakes.now_ms += TICK_MS
    masks.times_ms.append(fakes.now_ms)
    body = request["bodyText"].encode() if "bodyText" in request else b""
    if "body" in request:
        body = masks.filled(json.dumps(request["body"])).encode()
    headers = {name: masks.filled(value) for name, value in request["headers"].items()}
    return api.request(request["method"], masks.filled(request["path"]), body, **headers)


def _header_differences(recorded: Exchange, masks: Masks, reply: Reply) -> list[str]:
    """Content type, what the answer varies by, and the trace id, which the read service does not send."""
    wanted = recorded.response["headers"]
    compared = [name for name in ("Content-Type", "Vary", "X-Tidepool-Trace-Request") if name in wanted]
    if "bodyText" in recorded.response and reply.status != recorded.response["status"]:
        compared.remove("Content-Type")  # a ruling answers JSON where the reference answered text
    return masks.differences(
        {name: wanted[name] for name in compared}, {name: reply.headers.get(name.lower()) for name in compared}
    )


def _comparable(recorded: Exchange, wanted: Any, got: Any) -> tuple[Any, Any]:
    """Both bodies in one order where the platform promises none."""
    if recorded.request["service"] == "read" and isinstance(wanted, list) and isinstance(got, list):
        return sorted_records(wanted), sorted_records(got)
    return wanted, got
