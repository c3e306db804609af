"""Erasure of a deleted user: at once with the reply, and later by the job."""

import base64
import hashlib

from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.dispatch import seed_jobs
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices
from tests.fakes.tasks import run_due

OWNER = "aaaaaaaaaa"
VIEWER = "bbbbbbbbbb"
CONTENT = b"a device's log"


def test_erasure_leaves_nothing_of_a_user(api: ApiClient, fakes: FakeServices) -> None:
    seed_jobs(TASK_TYPES, fakes.services.tasks)
    run_due(fakes.services, fakes.engine)
    server, owner, viewer = fakes.sign_in("server", is_server=True), fakes.sign_in(OWNER), fakes.sign_in(VIEWER)
    data_set = api.request("POST", f"/v1/users/{OWNER}/data_sets", {"type": "upload"}, token=owner).json()["data"]
    cbg = {"type": "cbg", "units": "mg/dL", "value": 100, "time": "2026-01-01T00:00:00Z"}
    assert api.request("POST", f"/v1/data_sets/{data_set['id']}/data", [cbg], token=owner).status == 200
    digest = "MD5=" + base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    stored = api.request(
        "POST", f"/v1/users/{OWNER}/blobs", CONTENT, token=owner, **{"Content-Type": "text/plain", "Digest": digest}
    )
    assert stored.status == 201
    source = {"providerType": "oauth", "providerName": "test"}
    assert api.request("POST", f"/v1/users/{OWNER}/data_sources", source, token=server).status == 201
    assert api.request("PUT", f"/metadata/{OWNER}/profile", {"fullName": "A"}, token=owner).status == 200
    note = {"message": {"guid": "a", "timestamp": "2026-01-01T00:00:00Z", "messagetext": "A snack"}}
    assert api.request("POST", f"/message/send/{OWNER}", note, token=owner).status == 201
    assert api.request("POST", f"/access/{OWNER}/{VIEWER}", {"view": {}}, token=owner).status == 200
    assert api.request("GET", f"/data/{OWNER}", token=viewer).status == 200

    assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 204
    assert api.request("GET", f"/v1/users/{OWNER}/data_sets", token=owner).status == 401
    assert api.request("GET", f"/data/{OWNER}", token=viewer).status == 403
    assert api.request("GET", f"/data/{OWNER}", token=server).json() == []
    assert api.request("GET", f"/metadata/{OWNER}/profile", token=server).status == 404

    fakes.now_ms += 3_600_000
    run_due(fakes.services, fakes.engine)
    server = fakes.sign_in("server", is_server=True)
    for path in (f"/v1/users/{OWNER}/blobs", f"/v1/users/{OWNER}/data_sources", f"/v1/users/{OWNER}/data_sets"):
        reply = api.request("GET", path, token=server)
        assert (reply.status, reply.json()) == (200, [])
    assert api.request("GET", f"/message/all/{OWNER}", token=server).json() == {"messages": []}
    assert fakes.object_keys() == []
    assert fakes.accounts.deletions() == []
