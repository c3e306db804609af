"""Every operation of the Data API, tried by everyone. The table is data-api 1 with the rulings, not the code's own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.api.operations.account_pages import ACCOUNT_PAGE_OPERATIONS
from chalicelib.api.operations.accounts import ACCOUNT_OPERATIONS
from chalicelib.api.operations.blobs import BLOB_OPERATIONS
from chalicelib.api.operations.confirm import CONFIRM_OPERATIONS
from chalicelib.api.operations.logins import LOGIN_OPERATIONS
from chalicelib.api.operations.metadata import METADATA_OPERATIONS
from chalicelib.api.operations.metrics import METRICS_OPERATIONS
from chalicelib.api.operations.nightscout import NIGHTSCOUT_OPERATIONS
from chalicelib.api.operations.nightscout_v3 import NIGHTSCOUT_V3_OPERATIONS
from chalicelib.api.operations.notes import NOTE_OPERATIONS
from chalicelib.api.operations.oidc import OIDC_OPERATIONS
from chalicelib.api.operations.other_services import OTHER_SERVICE_OPERATIONS
from chalicelib.api.operations.restricted_tokens import RESTRICTED_TOKEN_OPERATIONS
from chalicelib.api.operations.summaries import SUMMARY_OPERATIONS
from chalicelib.api.operations.table import GET_ASSET, GET_DOCS, GET_OPENAPI, GET_STAGE, OPERATIONS
from chalicelib.api.operations.tasks import TASK_OPERATIONS
from tests.api.conftest import ApiClient, Reply
from tests.fakes.prepared import prepared
from tests.fakes.services import SERVER_SECRET, FakeServices

OWNER, OTHER, TWIIST = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"

TABLE = """
                                                   none stranger view upload custodian note root owner server secret twiist shape
GET    /v1/users/{userId}/data_sets                401  403      200  200    200       403  200  200   200    200    403    bare
POST   /v1/users/{userId}/data_sets                401  403      403  201    403       403  201  201   201    201    403    envelope
GET    /v1/users/{userId}/datasets                 401  403      200  403    403       403  200  200   200    200    403    envelope
POST   /v1/users/{userId}/datasets                 401  403      403  201    403       403  201  201   201    201    403    envelope
GET    /v1/data_sets/{ownersId}                    401  403      403  403    403       403  403  200   200    200    403    bare
PUT    /v1/data_sets/{ownersId}                    401  403      403  200    403       403  200  200   200    200    403    envelope
PUT    /v1/datasets/{ownersId}                     401  403      403  200    403       403  200  200   200    200    403    envelope
PUT    /v1/data_sets/{continuousId} closing        401  403      403  200    403       403  200  200   200    200    403    envelope
PUT    /v1/datasets/{continuousId} closing         401  403      403  200    403       403  200  200   200    200    403    envelope
PUT    /v1/data_sets/{continuousId} changing       401  403      403  403    403       403  403  403   200    200    403    envelope
PUT    /v1/datasets/{continuousId} changing        401  403      403  403    403       403  403  403   200    200    403    envelope
DELETE /v1/data_sets/{ownersId}                    401  403      403  403    200       403  403  200   200    200    403    envelope
DELETE /v1/datasets/{ownersId}                     401  403      403  403    200       403  403  200   200    200    403    envelope
DELETE /v1/data_sets/{othersId}                    401  403      403  200    200       403  200  200   200    200    403    envelope
DELETE /v1/datasets/{othersId}                     401  403      403  200    200       403  200  200   200    200    403    envelope
POST   /v1/data_sets/{ownersId}/data               401  403      403  200    403       403  200  200   200    200    403    envelope
POST   /v1/datasets/{ownersId}/data                401  403      403  200    403       403  200  200   200    200    403    envelope
DELETE /v1/data_sets/{ownersId}/data               401  403      403  200    403       403  200  200   200    200    403    envelope
DELETE /v1/users/{userId}/data                     401  403      403  403    403       403  403  403   200    200    403    envelope
POST   /v1/partners/twiist/data/{linkId}           401  403      403  403    403       403  403  403   200    200    200    envelope
GET    /v1/users/{userId}/data_sources             401  403      403  403    403       403  403  200   200    200    403    bare
POST   /v1/users/{userId}/data_sources             401  403      403  403    403       403  403  403   201    201    403    bare
DELETE /v1/users/{userId}/data_sources             401  403      403  403    403       403  403  403   204    204    403    bare
GET    /v1/data_sources/{sourceId}                 401  403      403  403    403       403  403  200   200    200    403    bare
PUT    /v1/data_sources/{sourceId}                 401  403      403  403    403       403  403  403   200    200    403    bare
DELETE /v1/data_sources/{sourceId}                 401  403      403  403    403       403  403  403   200    200    403    bare
GET    /v1/provider_sessions/{session}/data_source 401  403      403  403    403       403  403  403   200    200    403    bare
GET    /v1/users/{userId}/refusals                 401  403      403  403    200       403  403  200   200    200    403    bare
GET    /v1/users/{userId}/freshness                401  403      200  403    403       403  200  200   200    200    403    bare
GET    /data/{userId}                              401  403      200  403    403       403  200  200   200    401    403    read
GET    /export/{userId}                            401  403      200  403    403       403  200  200   200    401    403    read
POST   /data/{userId}                              401  403      403  200    403       403  200  200   403    403    403    bare
GET    /v1/time                                    200  200      200  200    200       200  200  200   200    200    200    envelope
GET    /v1/partners/{partner}/sector               200  200      200  200    200       200  200  200   200    200    200    bare
GET    /v1/partners/{partner}/sector/{environment} 200  200      200  200    200       200  200  200   200    200    200    bare
GET    /status                                     200  200      200  200    200       200  200  200   200    200    200    envelope
GET    /version                                    200  200      200  200    200       200  200  200   200    200    200    envelope
GET    /info                                       200  200      200  200    200       200  200  200   200    200    200    bare
GET    /data/status                                200  200      200  200    200       200  200  200   200    200    200    read
"""  # noqa: E501  a table is read in one piece
"""Rights of each caller. `none` is everyone without a valid credential, `note` any other permission that says nothing
here, `secret` a server by the stage's secret, `twiist` a configured account of that partner's. `ownersId` is a normal
data set that the owner opened, `othersId` one that the caller of the column opened."""

CALLERS = {
    "nobody": "none",
    "a wrong token": "none",
    "an empty token": "none",
    "an expired token": "none",
    "a server's token as Bearer": "stranger",
    "a stranger": "stranger",
    "view": "view",
    "upload": "upload",
    "custodian": "custodian",
    "note": "note",
    "follow": "note",
    "root": "root",
    "the owner": "owner",
    "a server": "server",
    "the secret of servers": "secret",
    "an account of twiist's": "twiist",
}
"""Callers, and the column that says what they get; grantees are called by what they were granted."""
GRANTS = ("view", "upload", "custodian", "note", "follow", "root")

CLOSING = {"state": "closed"}
CHANGING = {"deviceId": "device"}
CBG = {"type": "cbg", "time": "2025-12-31T00:00:00Z", "units": "mmol/L", "value": 5}
BODIES: dict[str, Any] = {
    "POST /v1/users/{userId}/data_sets": {},
    "POST /v1/users/{userId}/datasets": {},
    "POST /v1/data_sets/{ownersId}/data": [CBG],
    "POST /v1/datasets/{ownersId}/data": [CBG],
    "DELETE /v1/data_sets/{ownersId}/data": [{"origin": {"id": "1"}}],
    "POST /v1/partners/twiist/data/{linkId}": [CBG],
    "POST /v1/users/{userId}/data_sources": {"providerType": "oauth", "providerName": "other"},
    "PUT /v1/data_sources/{sourceId}": {"state": "disconnected"},
    "POST /data/{userId}": [CBG],
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    method: str
    path: str
    scene: str
    statuses: dict[str, int]
    shape: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.scene}".rstrip()

    @property
    def body(self) -> Any:
        """The request."""
        if self.scene:
            return {"closing": CLOSING, "changing": CHANGING}[self.scene]
        return BODIES.get(str(self))


def _rows() -> Iterator[Row]:
    header, *lines = TABLE.strip().splitlines()
    *columns, _ = header.split()
    for line in lines:
        method, path, *rest = line.split()
        scene = "" if rest[0].isdigit() else rest.pop(0)
        *statuses, shape = rest
        yield Row(method, path, scene, dict(zip(columns, map(int, statuses), strict=True)), shape)


ROWS = list(_rows())


def set_scene(api: ApiClient, fakes: FakeServices) -> Mapping[str, str]:
    """Make the owner's data sets and data source; their ids, and the other values of paths."""
    fakes.settings = replace(
        fakes.settings,
        twiist_user_ids=frozenset({TWIIST}),
        partner_sectors={"partner": ("https://a.example.org",), "partner/test": ("https://b.example.org",)},
    )
    wiring.override(fakes.services)
    fakes.grant(OWNER, OTHER, ["upload"])
    server = fakes.sign_in("server", is_server=True)

    def made(path: str, body: Any, token: str) -> Any:
        reply = api.request("POST", path, body, token=token)
        assert reply.status == 201, reply.body
        return reply.json()

    def opened(opener: str, description: Any) -> str:
        path = f"/v1/users/{OWNER}/data_sets"
        return str(made(path, description, fakes.sign_in(opener))["data"]["uploadId"])

    continuous = opened(OWNER, {"dataSetType": "continuous"})
    source = {"providerType": "oauth", "providerName": "twiist", "providerExternalId": "link"}
    source_id = made(f"/v1/users/{OWNER}/data_sources", source, server)["id"]
    connected = {"state": "connected", "providerSessionId": "session", "dataSetId": continuous}
    assert api.request("PUT", f"/v1/data_sources/{source_id}", connected, token=server).status == 200
    values = {
        "userId": OWNER,
        "ownersId": opened(OWNER, {}),
        "othersId": opened(OTHER, {}),
        "continuousId": continuous,
        "sourceId": source_id,
        "session": "session",
        "linkId": "link",
        "partner": "partner",
        "environment": "test",
    }
    return MappingProxyType(values)


class Scene:
    """The owner's data sets and data source, and one who tries."""

    def __init__(self, api: ApiClient, fakes: FakeServices) -> None:
        self._api, self._fakes = api, fakes
        self.values = prepared(set_scene, fakes)

    def attempt(self, who: str, row: Row, prefix: str) -> Reply:
        """The expected reply."""
        self._fakes.grant(OWNER, OTHER, [who] if who in GRANTS else [])
        path = prefix + row.path.format(**self.values)
        return self._api.request(row.method, path, row.body, **self._credentials(who))

    def _credentials(self, who: str) -> dict[str, Any]:
        if who == "nobody":
            return {}
        if who == "the secret of servers":
            return {"X_Tidepool_Service_Secret": SERVER_SECRET}
        if who == "a server's token as Bearer":
            return {"Authorization": f"Bearer {self._fakes.sign_in('server', is_server=True)}"}
        if who == "an expired token":
            token = self._fakes.sign_in(OWNER)
            self._fakes.now_ms += 3_600_000
            return {"token": token}
        if who in ("a wrong token", "an empty token"):
            return {"token": "wrong" if who == "a wrong token" else ""}
        if who == "a server":
            return {"token": self._fakes.sign_in("server", is_server=True)}
        return {"token": self._fakes.sign_in({"the owner": OWNER, "an account of twiist's": TWIIST}.get(who, OTHER))}


@pytest.fixture
def scene(api: ApiClient, fakes: FakeServices) -> Scene:
    """A new scene."""
    return Scene(api, fakes)


def _prefixes(row: Row) -> tuple[str, ...]:
    return ("", "/dataservices") if row.path.startswith("/v1/") else ("",)


TRIES = [(row, prefix, who) for row in ROWS for prefix in _prefixes(row) for who in CALLERS]


@pytest.mark.parametrize(("row", "prefix", "who"), TRIES, ids=[f"{who}: {prefix} {row}" for row, prefix, who in TRIES])
def test_each_caller_gets_the_status_of_the_table(scene: Scene, row: Row, prefix: str, who: str) -> None:
    wanted = row.statuses[column_of(who, row)]
    reply = scene.attempt(who, row, prefix)
    assert reply.status == wanted, reply.body
    if wanted == 401:
        check_unauthenticated(reply, row.shape)
    elif wanted == 403:
        check_unauthorized(reply, row.shape)


def column_of(who: str, row: Row) -> str:
    """The column that says what a caller gets.

    A bearer is a user, never a server (errors 5), and the service that reads data knows no bearers (data-api 2).
    """
    if who == "a server's token as Bearer" and row.shape == "read":
        return "none"
    return CALLERS[who]


def check_unauthenticated(reply: Reply, shape: str) -> None:
    """Fail unless this is the one body of a 401: bare on every route but that of reading. Source: data-api 5."""
    if shape == "read":
        assert read_error(reply) == (401, "data_unauthenticated")
        return
    detail = "authentication token is invalid"
    assert reply.json() == {"code": "unauthenticated", "title": detail, "detail": detail}


def check_unauthorized(reply: Reply, shape: str) -> None:
    """Fail unless this is what a valid caller without permission gets in this shape. Source: data-api 5 and 9."""
    detail = "token is not authorized for requested action"
    if shape == "read":
        assert read_error(reply) == (403, "data_cant_view")
    elif shape == "bare":
        title = f"authentication {detail}"
        assert reply.json() == {"code": "unauthorized", "title": title, "detail": title}
    else:
        body = reply.json()
        assert body["errors"] == [
            {"code": "unauthorized", "title": f"auth {detail}", "detail": f"Auth {detail}", "status": "403"}
        ]
        assert body["meta"] == {"trace": {"request": reply.headers["x-tidepool-trace-request"]}}


def read_error(reply: Reply) -> tuple[int, str]:
    """Status and code in the body of the read service, which has nothing else than these, an id and a message."""
    body = reply.json()
    assert body.keys() == {"status", "id", "code", "message"}
    return body["status"], body["code"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.statuses["none"] == 401], ids=str)
@pytest.mark.parametrize(
    "headers",
    [{"X_Tidepool_Service_Secret": "wrong"}, {"X_Tidepool_Server_Secret": "wrong"}, {"Authorization": "nonsense"}],
    ids=["a wrong secret", "a wrong secret by its other name", "an Authorization without a space"],
)
def test_a_malformed_credential_is_a_bare_403_except_where_data_is_read(
    api: ApiClient, scene: Scene, row: Row, headers: dict[str, str]
) -> None:
    reply = api.request(row.method, row.path.format(**scene.values), row.body, **headers)
    if row.shape == "read":  # reading looks at the session token only
        assert reply.status == 401
        check_unauthenticated(reply, row.shape)
    else:
        assert reply.status == 403
        check_unauthorized(reply, "bare")


def test_the_table_has_every_path_of_the_data_api() -> None:
    others = {
        *ACCOUNT_OPERATIONS,
        *LOGIN_OPERATIONS,
        *METADATA_OPERATIONS,
        *RESTRICTED_TOKEN_OPERATIONS,
        *BLOB_OPERATIONS,
        *ACCOUNT_PAGE_OPERATIONS,
        *CONFIRM_OPERATIONS,
        *METRICS_OPERATIONS,
        *NIGHTSCOUT_OPERATIONS,
        *NIGHTSCOUT_V3_OPERATIONS,
        *NOTE_OPERATIONS,
        *OIDC_OPERATIONS,
        *OTHER_SERVICE_OPERATIONS,
        *SUMMARY_OPERATIONS,
        *TASK_OPERATIONS,
        GET_ASSET,
        GET_DOCS,
        GET_OPENAPI,
        GET_STAGE,
    }
    documented = {
        (operation.method, _without_names(path))
        for operation in OPERATIONS
        if operation not in others
        for path in operation.paths
    }
    assert {(row.method, _without_names(prefix + row.path)) for row in ROWS for prefix in _prefixes(row)} == documented


def _without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
