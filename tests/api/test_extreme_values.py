"""Numbers, counts and times at the edge, in every body, query and header: refused or taken, never a defect."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import services as wiring
from chalicelib.access.call import Session, token_hash
from chalicelib.accounts.account import Account
from chalicelib.api.openapi.document import document
from chalicelib.config import Settings
from chalicelib.engine.embedded.engine import embedded_engine
from chalicelib.services import Services, build_services, machine
from chalicelib.tiles.compact import compact
from tests.api.conftest import ApiClient, Reply
from tests.extremes import EXTREME_NUMBERS, EXTREME_NUMERALS, EXTREME_TIMES
from tests.fakes.passwords import FakePasswords

NOW_MS = 1_767_225_600_000
OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
SERVER = "server"
TEXTS = (*EXTREME_NUMERALS, *EXTREME_TIMES)
DIGEST = "MD5=XUFAKrxLKna5cZ2REBfFkg=="
BODY = b"hello"


class Api(ApiClient):
    """A client that does not compare replies with the description: Python's checker of formats has no year 0."""

    def request(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Reply:
        """The reply to one request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._sent(method, path, body, sent | {"X-Tidepool-Session-Token": token or ""})


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """The services of an engine in memory."""
    engine = embedded_engine(None, lambda: NOW_MS)
    settings = Settings(base_url="https://strandline.example.org")
    for name in (settings.server_secret_name, settings.oidc_keys_name, settings.metrics_salt_name):
        engine.secrets.create(name, name)
    around = replace(machine(), now_ms=lambda: NOW_MS, count=lambda _name, _value: None, passwords=FakePasswords())
    built = build_services(settings, engine, around)
    for user_id in (OWNER, OTHER, SERVER):
        if user_id != SERVER:
            built.accounts.accounts.create(Account(user_id, NOW_MS, f"{user_id}@example.org", roles=("patient",)))
        session = Session(token_hash(user_id), user_id, user_id == SERVER, NOW_MS, NOW_MS + 3_600_000)
        built.accounts.sessions.add(session)
    wiring.override(built)
    yield built
    wiring.override(None)
    engine.close()


@pytest.fixture(scope="module")
def api(services: Services) -> ApiClient:
    return Api()


def parameters(place: str) -> list[tuple[str, str, str]]:
    """Method, path and name of each described parameter of a query or of the headers."""
    ids = {"userId": OWNER, "realm": "tidepool"}
    found = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == place:
                    filled = "/".join(
                        ids.get(part[1:-1], "0" * 32) if part.startswith("{") else part for part in path.split("/")
                    )
                    found.append((method.upper(), filled, parameter["name"]))
    return found


@pytest.mark.parametrize(("method", "path", "name"), parameters("query"))
def test_no_query_makes_a_defect(api: ApiClient, method: str, path: str, name: str) -> None:
    others = {"/v1/metrics/events": "&from=2026-01-01&to=2026-01-02", "/auth/users": "&role=patient"}.get(path, "")
    for text in TEXTS[:: 5 if path.startswith("/realms/") else 1]:
        for token in (OWNER, SERVER):
            reply = api.request(method, f"{path}?{quote(name)}={quote(text)}{others}", b"", token=token)
            assert reply.status < 500, (text, reply.body)


@pytest.mark.parametrize("last", [*EXTREME_NUMERALS, "9999-12-31", "0001-01-01"])
def test_no_range_of_days_makes_a_defect(api: ApiClient, last: str) -> None:
    for path in ("/v1/metrics/events?from={0}&to={0}", "/auth/users?role=patient&createdFrom={0}&createdTo={0}"):
        reply = api.request("GET", path.format(quote(last)), token=SERVER)
        assert reply.status < 500, reply.body


@pytest.mark.parametrize(("method", "path", "name"), parameters("header"))
def test_no_header_makes_a_defect(api: ApiClient, method: str, path: str, name: str) -> None:
    span = {"X-Logs-Start-At-Time": "2026-01-01T00:00:00Z", "X-Logs-End-At-Time": "2026-01-01T00:00:00Z"}
    for text in TEXTS:
        headers = {"Content-Type": "text/plain", "Digest": DIGEST, "X-Upload-Size": "5", **span, name: text}
        for query in ("", "?upload=direct"):
            reply = api.request(method, path + query, BODY, token=OWNER, **headers)
            assert reply.status < 500, (text, reply.body)


def test_device_logs_of_all_times_are_listed(api: ApiClient) -> None:
    for text in EXTREME_TIMES:
        span = {"X-Logs-Start-At-Time": text, "X-Logs-End-At-Time": text}
        headers = {"Content-Type": "text/plain", "Digest": DIGEST, **span}
        api.request("POST", f"/v1/users/{OWNER}/device_logs", BODY, token=OWNER, **headers)
        reply = api.request("GET", f"/v1/users/{OWNER}/device_logs?startAtTime={quote(text)}", token=OWNER)
        assert reply.status < 500, (text, reply.body)


def bodies(values: tuple[Any, ...]) -> list[tuple[str, str, Any]]:
    """Requests whose bodies hold a value at every place that takes numbers or times."""
    return [
        request
        for value in values
        for request in (
            ("POST", f"/access/{OWNER}/{OTHER}", {"view": {"expiresTime": value, "windowHours": value, "x": value}}),
            ("POST", f"/access/{OWNER}/{OTHER}", {"view": {"windowHours": value}}),
            ("POST", f"/access/{OWNER}/{OTHER}", {"view": {"expiresTime": value}, "upload": {"x": value}}),
            ("GET", f"/access/{OWNER}/{OTHER}", None),
            ("GET", f"/metadata/users/{OWNER}/users", None),
            ("PUT", f"/metadata/{OWNER}/profile", {"patient": {"birthday": value}, "x": value}),
            ("GET", f"/metadata/{OWNER}/profile", None),
            ("POST", f"/v1/users/{OWNER}/restricted_tokens", {"expirationTime": value, "paths": ["/v1"]}),
            ("POST", f"/v1/users/{OWNER}/restricted_tokens", {"expirationTime": value, "paths": value}),
            ("PUT", f"/auth/user/{OWNER}", {"updates": {"termsAccepted": value, "roles": value}}),
            ("PUT", f"/auth/user/{OWNER}", {"updates": {"termsAccepted": value}}),
            ("GET", f"/auth/user/{OWNER}", None),
            ("POST", "/auth/user", {"username": "a@b.org", "emails": value, "password": value, "termsAccepted": value}),
        )
    ]


def server_bodies(values: tuple[Any, ...]) -> list[tuple[str, str, Any]]:
    """The same of servers."""
    times = ("availableTime", "expirationTime")
    source = {"providerType": "oauth", "providerName": "twiist"}
    return [
        request
        for value in values
        for request in (
            *(("POST", "/v1/tasks", {"type": "org.example.x", name: value}) for name in (*times, "priority")),
            ("POST", "/v1/tasks", {"type": "org.example.x", "data": {"x": value}}),
            ("GET", "/v1/tasks", None),
            *(
                ("POST", f"/v1/users/{OWNER}/data_sources", source | {name: value})
                for name in ("earliestDataTime", "x")
            ),
            ("GET", f"/v1/users/{OWNER}/data_sources", None),
        )
    ]


def as_sent(body: Any) -> bytes:
    """A body as JSON; numbers are written in full."""
    return b"" if body is None else json.dumps(body).encode()


@pytest.mark.parametrize("values", [EXTREME_NUMBERS, EXTREME_TIMES], ids=["numbers", "times"])
def test_no_body_makes_a_defect(api: ApiClient, values: tuple[Any, ...]) -> None:
    for token, requests in ((OWNER, bodies(values)), (SERVER, [*bodies(values), *server_bodies(values)])):
        for method, path, body in requests:
            reply = api.request(method, path, as_sent(body), token=token)
            assert reply.status < 500, (method, path, body, reply.body)


@pytest.mark.parametrize("field", ["earliestDataTime", "latestDataTime", "lastImportTime", "expirationTime"])
def test_no_change_of_a_data_source_makes_a_defect_or_lies_in_the_future(api: ApiClient, field: str) -> None:
    source = {"providerType": "oauth", "providerName": "twiist"}
    created = api.request("POST", f"/v1/users/{OWNER}/data_sources", source, token=SERVER).json()
    for value in (*EXTREME_TIMES, *EXTREME_NUMBERS):
        path = f"/v1/data_sources/{created['id']}"
        reply = api.request("PUT", path, as_sent({"state": "connected", field: value}), token=SERVER)
        assert reply.status < 500, (value, reply.body)
        assert reply.status == 400 or not str(value).startswith("9999"), value


def test_data_sets_of_all_times_are_listed(api: ApiClient) -> None:
    for value in (*EXTREME_TIMES, *EXTREME_NUMBERS):
        for field in ("time", "computerTime", "timezoneOffset", "conversionOffset", "client"):
            body = as_sent({"dataSetType": "continuous", field: value})
            assert api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=OWNER).status < 500, (field, value)
    assert api.request("GET", f"/v1/users/{OWNER}/data_sets?size=1000", token=OWNER).status == 200


def test_data_of_all_times_is_read_from_the_log_and_from_tiles(api: ApiClient, services: Services) -> None:
    opened = api.request("POST", f"/v1/users/{OTHER}/data_sets", {"dataSetType": "continuous"}, token=OTHER)
    path = f"/v1/data_sets/{opened.json()['data']['uploadId']}/data"
    stored = 0
    for value in EXTREME_TIMES:
        cbg = {"type": "cbg", "time": value, "units": "mg/dL", "value": 100}
        for datum in (cbg, {"type": "food", "time": value}):
            origin = {"id": f"{datum['type']}-{value}", "time": value}
            reply = api.request("POST", path, [datum | {"origin": origin}], token=OTHER)
            assert reply.status < 500, (value, reply.body)
            stored += reply.status == 200
    assert stored > 50
    for _ in range(2):
        assert len(api.request("GET", f"/data/{OTHER}?type=cbg,food", token=OTHER).json()) > 50
        for query in ("latest=true", "startDate={0}", "endDate={0}", "startDate={0}&endDate={0}"):
            for value in EXTREME_TIMES:
                reply = api.request("GET", f"/data/{OTHER}?{query.format(quote(value))}", token=OTHER)
                assert reply.status < 500, (query, value, reply.body)
        assert api.request("GET", f"/v1/users/{OTHER}/freshness", token=OTHER).status == 200
        compact(OTHER, services.tiles, lambda: None)
