"""Data as a version wrote them, and what the version answered about them."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.conftest import ApiClient, Reply
from tools.version_data.__main__ import FILES, VERSIONS
from tools.version_data.traffic import ANNA, APP, FORM, PASSWORD, TOKEN

OF_THE_REQUEST = {"/meta/trace/request", "/dates/lastUpdatedDate"}
"""The members that describe the request and not of the data."""
SESSIONS = {"anna": "anna_session", "ben": "ben_session", "server": "server"}


@dataclass(frozen=True, slots=True)
class Written:
    """The data that a version left, and its answers at `read_time_ms`."""

    file: Path
    read_time_ms: int
    given: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Any]]

    @property
    def user_id(self) -> str:
        """Anna's id."""
        return self.given["anna"]

    def headers(self, who: str) -> dict[str, str]:
        """The credential that the version gave to someone."""
        return {"api-secret": self.given["device"]} if who == "device" else {TOKEN: self.given[SESSIONS[who]]}


def written(file: Path) -> Written:
    """The data in a file, with the answers beside it."""
    kind = next(kind for kind, name in FILES.items() if name == file.name)
    answers = json.loads(gzip.decompress(file.with_name(f"{kind}-answers.json.gz").read_bytes()))
    return Written(file, answers["read_time_ms"], answers["given"], answers["answers"])


def files_of(kind: str) -> list[Path]:
    """The files of all versions that are kept."""
    return sorted(VERSIONS.glob(f"*/{FILES[kind]}"))


def differences(data: Written, api: ApiClient) -> list[str]:
    """The places in which this version's answers lack something of the answers of the version that wrote the data."""
    found = []
    for name, expected in data.answers.items():
        who, _, path = name.partition(" ")
        reply = api.request("GET", path, **data.headers(who))
        if reply.status != expected["status"]:
            found.append(f"{name}: {expected['status']} is {reply.status}: {reply.body[:200]!r}")
        elif "json" in expected:
            found += [f"{name}: {fault}" for fault in lacking(expected["json"], reply.json(), "")]
        elif base64.b64decode(expected["base64"]) != reply.body:
            found.append(f"{name}: another body")
    return found


def lacking(expected: Any, found: Any, place: str) -> Iterator[str]:
    """The places in which a value lacks something of the expected one. Further members of objects are not faults."""
    if place in OF_THE_REQUEST:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, member in expected.items():
            if name not in found:
                yield f"{place}/{name} is missing"
            else:
                yield from lacking(member, found[name], f"{place}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (wanted, element) in enumerate(zip(expected, found, strict=True)):
            yield from lacking(wanted, element, f"{place}/{index}")
    elif expected != found:
        yield f"{place}: {expected!r} is {found!r}"


def signed_in(api: ApiClient) -> str:
    """The token of a sign-in with the password that the version hashed."""
    encoded = base64.b64encode(f"{ANNA}:{PASSWORD}".encode()).decode()
    reply = api.request("POST", "/auth/login", Authorization=f"Basic {encoded}")
    assert reply.status == 200, reply.body
    return reply.headers[TOKEN]


def refreshed(data: Written, api: ApiClient) -> Reply:
    """The reply to the refresh token that the version issued."""
    form = f"grant_type=refresh_token&client_id={APP['client_id']}&refresh_token={data.given['refresh_token']}"
    return api.request("POST", "/realms/tidepool/protocol/openid-connect/token", form.encode(), **FORM)


def answers_of(data: Written, api: ApiClient, token: str) -> dict[str, Any]:
    """The answers of this version about Anna's data, summaries among it."""
    user_id = data.user_id
    paths = (f"/data/{user_id}", f"/data/{user_id}?latest=true", f"/v1/summaries/cgm/{user_id}")
    replies = {path: api.request("GET", path, token=token) for path in (*paths, f"/v1/users/{user_id}/agp")}
    assert {reply.status for reply in replies.values()} == {200}
    return {path: reply.json() for path, reply in replies.items()}


def require_use(data: Written, api: ApiClient) -> None:
    """Fail unless people can go on with the data: every credential is good, and every kind of thing can be added."""
    token = signed_in(api)
    assert api.request("GET", "/auth/user", token=data.given["access_token"]).json()["userid"] == data.user_id
    assert refreshed(data, api).status == 200
    link = f"/data/{data.user_id}?type=cbg&restricted_token={data.given['restricted']}"
    assert api.request("GET", link).status == 200
    readings = len(api.request("GET", f"/data/{data.user_id}?type=cbg", token=token).json())
    record = {"type": "cbg", "units": "mg/dL", "value": 99, "time": "2026-01-01T00:00:00Z", "origin": {"id": "new"}}
    path = f"/v1/data_sets/{data.given['open_data_set']}"
    assert api.request("POST", f"{path}/data", [record], token=token).status == 200
    assert len(api.request("GET", f"/data/{data.user_id}?type=cbg", token=token).json()) == readings + 1
    assert api.request("DELETE", f"{path}/data", [{"origin": {"id": "new"}}], token=token).status == 200
    note = {"message": {"guid": "n", "timestamp": "2026-01-01T00:00:00Z", "messagetext": "A note"}}
    assert api.request("POST", f"/message/send/{data.user_id}", note, token=token).status == 201
    assert api.request("GET", f"/v1/users/{data.user_id}/logins", token=token).status == 200
