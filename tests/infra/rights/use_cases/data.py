"""Use cases of data sets, records and data sources."""

import hashlib
from typing import Any
from unittest.mock import patch

from chalicelib.reading import read as reading
from tests.infra.rights.stage import PASSWORD, Stage, User

SMALL = 1
STAGED = 200
"""So many records do not fit into the item of their entry."""
DEVICE_HASH = "org.tidepool.deduplicator.device.deactivate.hash"
DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"


def cbg(number: int, **members: Any) -> dict[str, Any]:
    """A record that does not compress well."""
    payload = {"note": hashlib.sha512(str(number).encode()).hexdigest()}
    time = f"2025-01-{1 + number % 28:02d}T00:00:00Z"
    return {"type": "cbg", "units": "mg/dL", "value": 100, "time": time, "payload": payload} | members


def open_data_set(stage: Stage, user: User, **members: Any) -> str:
    """The path of a new data set, continuous unless told otherwise."""
    body = {"type": "upload", "dataSetType": "continuous"} | members
    data_set = stage.request("POST", f"/v1/users/{user.id}/data_sets", body, token=user.token).json()["data"]
    return f"/v1/data_sets/{data_set['id']}"


def add(stage: Stage, user: User, path: str, count: int) -> None:
    """Adds records to a data set."""
    stage.request("POST", f"{path}/data", [cbg(number) for number in range(count)], token=user.token)


def continuous_data_set(stage: Stage) -> None:
    """A data set that stays open: records in their entry and in parts, refused and deleted ones, and all reads."""
    user = stage.sign_up("continuous")
    path = open_data_set(stage, user, deduplicator={"name": DELETE_ORIGIN})
    for count in (SMALL, STAGED):
        add(stage, user, path, count)
    stage.request_for(400, "POST", f"{path}/data", [{"type": "none"}], token=user.token)
    lenient = [cbg(1), {"type": "none"}]
    stage.request("POST", f"{path}/data", lenient, token=user.token, Prefer="handling=lenient")
    stage.request("POST", f"{path}/data", [cbg(1, origin={"id": "1"})], token=user.token)
    stage.request("DELETE", f"{path}/data", [{"origin": {"id": "1"}}], token=user.token)
    stage.request_for(400, "DELETE", f"{path}/data", [{"origin": {}}], token=user.token)
    stage.request("GET", f"/v1/users/{user.id}/refusals", token=user.token)
    stage.request("GET", f"/v1/users/{user.id}/freshness", token=user.token)
    stage.request("GET", f"/v1/users/{user.id}/data_sets", token=user.token)
    stage.request("GET", f"/v1/users/{user.id}/datasets", token=user.token)
    stage.request("GET", path, token=user.token)
    read(stage, user)
    stage.request("PUT", path, {"deviceId": "d"}, token=stage.server)
    stage.request("PUT", path, {"state": "closed"}, token=user.token)
    stage.request_for(409, "POST", f"{path}/data", [cbg(1)], token=user.token)


def read(stage: Stage, user: User) -> None:
    """Reads all data of a user, the latest of each type, and whether they changed since."""
    reply = stage.request("GET", f"/data/{user.id}", token=user.token, Accept_Encoding="gzip")
    tag = reply.headers.get("etag", '"none"')
    stage.request("GET", f"/data/{user.id}", token=user.token, If_None_Match=tag, Accept_Encoding="gzip")
    stage.request("GET", f"/data/{user.id}?latest=true", token=user.token)
    stage.request("GET", f"/export/{user.id}", token=user.token)
    made = stage.request("POST", f"/v1/users/{user.id}/restricted_tokens", {}, token=user.token).json()["id"]
    stage.request("GET", f"/export/{user.id}?format=json&restricted_token={made}")
    stage.request("GET", f"/data/{user.id}?carelink=true&dexcom=true&medtronic=true", token=user.token)


def long_tail(stage: Stage) -> None:
    """A reader finds so much in the tail that the user is compacted sooner."""
    user = stage.sign_up("tail")
    add(stage, user, open_data_set(stage, user), 3)
    with patch.object(reading, "DUE_BYTES", 1):
        stage.request("GET", f"/data/{user.id}", token=user.token)


def normal_data_sets(stage: Stage) -> None:
    """Data sets of one device that are closed, the second of which truncates the first, and one that is deleted."""
    user = stage.sign_up("normal")
    device = {"dataSetType": "normal", "deviceId": "d", "deduplicator": {"name": DEVICE_HASH}}
    for _ in range(2):
        path = open_data_set(stage, user, **device)
        records = [cbg(number, deviceId="d") for number in range(STAGED)]
        stage.request("POST", f"{path}/data", records, token=user.token)
        stage.request("PUT", path, {"state": "closed"}, token=user.token)
    read(stage, user)
    stage.request("DELETE", path, token=user.token)
    read(stage, user)


def glucose(stage: Stage) -> None:
    """Summaries and a profile of a user, and the empty lists of summaries that wait."""
    user = stage.sign_up("glucose")
    add(stage, user, open_data_set(stage, user, deduplicator={"name": DELETE_ORIGIN}), STAGED)
    for name in ("cgm", "con"):
        tag = stage.request("GET", f"/v1/summaries/{name}/{user.id}", token=user.token).headers["etag"]
        stage.request("GET", f"/v1/summaries/{name}/{user.id}", token=user.token, If_None_Match=tag)
        stage.request("POST", f"/v1/summaries/{name}/{user.id}", token=user.token)
    stage.request("GET", f"/v1/users/{user.id}/agp?days=30", token=user.token)
    for name in ("outdated", "migratable"):
        stage.request("GET", f"/v1/summaries/{name}/cgm", token=stage.server)


def old_upload(stage: Stage) -> None:
    """An upload in the old way, which comes twice."""
    user = stage.sign_up("old")
    upload = {"type": "upload", "uploadId": "upid_0123456789ab", "time": "2025-12-31T00:00:00Z", "deviceId": "d"}
    records = [upload, cbg(1, uploadId=upload["uploadId"])]
    for _ in range(2):
        stage.request("POST", f"/data/{user.id}", records, token=user.token)


def large_answer(stage: Stage) -> None:
    """Data that do not fit into an answer."""
    user = stage.sign_up("large")
    path = open_data_set(stage, user)
    for _ in range(2):
        records = [cbg(number, payload={"note": "0123456789abcdef" * 250}) for number in range(800)]
        stage.request("POST", f"{path}/data", records, token=user.token)
    stage.request_for(303, "GET", f"/data/{user.id}", token=user.token)


def erasure(stage: Stage) -> None:
    """All data of a user, erased on request."""
    user = stage.sign_up("erasure")
    add(stage, user, open_data_set(stage, user), SMALL)
    note = {"message": {"guid": "a", "timestamp": "2026-01-01T10:00:00Z", "messagetext": "A snack"}}
    stage.request("POST", f"/message/send/{user.id}", note, token=user.token)
    stage.request("DELETE", f"/v1/users/{user.id}/data", {"password": PASSWORD}, token=user.token)
    stage.request("DELETE", f"/v1/users/{user.id}/data", token=stage.server)


def data_sources(stage: Stage) -> None:
    """Data sources: created, listed, connected, used by a partner, disconnected and deleted."""
    user = stage.sign_up("sources")
    data_set_id = open_data_set(stage, user).rpartition("/")[2]
    sources = f"/v1/users/{user.id}/data_sources"
    made = {"providerType": "oauth", "providerName": "twiist", "providerExternalId": "link-1"}
    first = stage.request("POST", sources, made, token=stage.server).json()["id"]
    path = f"/v1/data_sources/{first}"
    connected = {"state": "connected", "providerSessionId": "session-1", "dataSetId": data_set_id}
    stage.request("PUT", path, connected, token=stage.server)
    stage.request("GET", path, token=user.token)
    stage.request("GET", sources, token=user.token)
    stage.request("GET", "/v1/provider_sessions/session-1/data_source", token=stage.server)
    stage.request("POST", "/v1/partners/twiist/data/link-1", [cbg(1)], token=stage.server)
    stage.request("GET", "/v1/partners/twiist/sector")
    stage.request("PUT", path, {"state": "disconnected"}, token=stage.server)
    stage.request("DELETE", path, token=stage.server)
    stage.request("POST", sources, {"providerType": "oauth", "providerName": "test"}, token=stage.server)
    stage.request("DELETE", sources, token=stage.server)


USE_CASES = (
    continuous_data_set,
    long_tail,
    normal_data_sets,
    glucose,
    old_upload,
    large_answer,
    erasure,
    data_sources,
)
