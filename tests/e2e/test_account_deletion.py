"""Deleting an account leaves nothing of its user behind: counted over all tables and objects."""

import hashlib
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalicelib.access.call import token_hash
from chalicelib.engine.definitions import ACCOUNTS, BLOBS, DATA, TABLES
from chalicelib.erasure import erase_deleted_users
from chalicelib.tasks.task import Task
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.purge import purge
from tests.e2e.client import PASSWORD, Client, User, sample
from tests.e2e.test_blobs import HELLO, content, md5, open_upload, put, store, when_available

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.conftest import Platform
    from tests.e2e.storage import Storage

HOUR_MS = 3_600_000
LIMIT_MS = 600_000
OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that a platform keeps."""

    storage: "Storage"

    def of(self, traces: set[str]) -> Counter[str]:
        """The number of items by table, and of objects, that contain any of these texts."""
        found: Counter[str] = Counter()
        for table in TABLES:
            items = self.storage.items(table)
            found[table.name] = sum(_has(json.dumps(item, default=_text), traces) for item in items)
        objects = self.storage.engine.objects
        bodies = ((key, objects.get(key) or b"") for key in objects.keys(""))
        found[OBJECTS] = sum(_has(key + body.decode("latin-1"), traces) for key, body in bodies)
        return +found


def _text(value: Any) -> str:
    assert isinstance(value, bytes)
    return value.decode("latin-1")


def _has(text: str, traces: set[str]) -> bool:
    return any(trace in text for trace in traces)


def run_later(job: Callable[[TaskRun, "Services"], None], services: "Services", hours: int) -> dict[str, Any]:
    """Run a job as if some hours later, when receipts and requests are due; return its counts."""

    def now_ms() -> int:
        return time.time_ns() // 1_000_000 + hours * HOUR_MS

    run = TaskRun(Task("0", "a job", now_ms()), {}, now_ms() + LIMIT_MS, now_ms, lambda: None)
    job(run, replace(services, now_ms=now_ms, tiles=replace(services.tiles, now_ms=now_ms)))
    return run.data


def _data(user: User) -> set[str]:
    """Data of every kind: in a log, in parts, closed, deleted, refused. Answers the ids of the data sets."""
    cbg = {"type": "cbg", "units": "mg/dL", "value": 100, "time": "2026-01-01T00:00:00Z"}
    live, uploaded, deleted = (
        user.open_data_set(sample(f"{app}/01_create_data_set.json")) for app in ("loop", "uploader", "xdrip")
    )
    noise = content(20_000).hex()
    large = [cbg | {"payload": {"noise": noise[start : start + 4000]}} for start in range(0, len(noise), 4000)]
    user.add(f"/v1/data_sets/{live}/data", large)
    user.add(f"/v1/datasets/{uploaded}/data", sample("uploader/03_block_1000.json"))
    assert user.request("PUT", f"/v1/datasets/{uploaded}", sample("uploader/04_finish.json")).status == 200
    user.add(f"/v1/datasets/{deleted}/data", [cbg])
    assert user.request("DELETE", f"/v1/datasets/{deleted}").status == 200
    assert user.request("POST", f"/v1/data_sets/{live}/data", [{"type": "no such type"}]).status == 400
    assert len(user.request("GET", f"/v1/users/{user.id}/refusals").json()) == 1
    return {live, uploaded, deleted}


def _contents(user: User) -> set[str]:
    """A blob, one that came directly, one without content, and a device log. Answers their ids."""
    direct = open_upload(user, content(20_000)).json()
    assert put(direct["upload"], content(20_000)).status == 200
    when_available(user, direct["id"])
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Digest": f"MD5={md5(b'[]')}",
        "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z",
        "X-Logs-End-At-Time": "2026-01-01T01:00:00Z",
    }
    log = user.request("POST", f"/v1/users/{user.id}/device_logs", b"[]", headers)
    assert log.status == 201, log.body
    return {direct["id"], store(user, HELLO).json()["id"], open_upload(user, HELLO).json()["id"], log.json()["id"]}


def _account(user: User, other: User, server: Client) -> set[str]:
    """Logins, a token for links, grants both ways, metadata and a data source. Answers ids, tokens and their hashes."""
    tokens = [str(user.token), user.request("GET", "/auth/login").headers["x-tidepool-session-token"]]
    restricted = user.request("POST", f"/v1/users/{user.id}/restricted_tokens", {}).json()["id"]
    until = {"expiresTime": "2099-01-01T00:00:00Z"}
    assert user.request("POST", f"/access/{user.id}/{other.id}", {"view": until, "upload": {}}).status == 200
    assert other.request("POST", f"/access/{other.id}/{user.id}", {"view": {"windowHours": 24}}).status == 200
    for collection in ("profile", "settings", "preferences"):
        assert user.request("PUT", f"/metadata/{user.id}/{collection}", {"fullName": "Anna"}).status == 200
    source = {"providerType": "oauth", "providerName": "test"}
    reply = server.request("POST", f"/v1/users/{user.id}/data_sources", source)
    assert reply.status == 201, reply.body
    return {restricted, reply.json()["id"], *tokens, *map(token_hash, tokens)}


def _documents(user: User) -> set[str]:
    """Documents of Nightscout apps, with what is derived from them, a device status and a credential. Answers ids."""
    path = f"/v1/users/{user.id}/nightscout_documents"
    ids = {secrets.token_hex(12) for _ in range(4)}
    documents = [{"_id": id_, "created_at": "2026-01-01T00:00:00.000Z", "insulin": 1, "notes": id_} for id_ in ids]
    for collection in ("treatments", "food", "devicestatus"):
        reply = user.request("POST", f"{path}/{collection}", documents)
        assert (reply.status, reply.json()["stored"]) == (200, 4), reply.body
    assert any(record["type"] == "bolus" for record in user.records())
    credential = {"name": "Phone", "scope": "upload"}
    issued = user.request("POST", f"/v1/users/{user.id}/nightscout_credentials", credential).json()
    client = Client(user.base_url)
    assert len(client.request("GET", f"/api/v1/devicestatus.json?token={issued['token']}").json()) == 0  # of old days
    found = f"/api/v1/devicestatus.json?find[created_at][$gte]=2025&token={issued['token']}"
    assert len(client.request("GET", found).json()) == 4
    return {issued["id"], *ids}


def test_nothing_of_a_deleted_user_is_left_but_counters(
    services: "Services", storage: "Storage", platform: "Platform", server: Client
) -> None:
    user, other = User(platform.base_url), User(platform.base_url)
    traces = {user.id, user.email, hashlib.sha256(user.email.encode()).hexdigest()}
    traces |= _account(user, other, server) | _data(user) | _contents(user) | _documents(user)
    kept = Kept(storage)
    of_other = kept.of({other.email})
    before = kept.of(traces)
    # Account, address, role and place in the list of all; two sessions and two grants, twice each; a restricted token
    # and its entries in the lists of user and login; three collections; the network address of the sign-up;
    # a Nightscout credential, its entry, and the number of them.
    assert before[ACCOUNTS.name] == 4 + 2 * (2 + 2) + 3 + 3 + 1 + 3
    # Counters; of three data sets head, description and entry; an order to purge; a refusal; a source under three keys.
    assert before[DATA.name] > 1 + 3 * 3 + 1 + 1 + 3  # more: the large body stands in parts
    assert before[BLOBS.name] == 4 * 2 + 1  # the bytes that count for the quota
    assert before[OBJECTS] == 3

    reply = user.request("DELETE", f"/auth/user/{user.id}", {"password": PASSWORD})
    assert (reply.status, reply.body) == (204, b"")
    assert user.request("GET", "/auth/user").status == 401
    assert other.request("GET", f"/data/{user.id}").status == 403
    assert server.request("GET", f"/data/{user.id}").json() == []

    assert run_later(erase_deleted_users, services, 1)["users"] >= 1
    assert run_later(purge, services, 2)["dataSets"] >= 3
    # What stays: the epochs of the user's data and of the documents, and the counter of failed sign-ins, which expires.
    assert kept.of(traces) == {DATA.name: 2, ACCOUNTS.name: 1}
    assert services.data.data_sets.owner(user.id).epoch > 0
    assert kept.of({other.email}) == of_other
    assert other.request("GET", f"/access/groups/{other.id}").json() == {other.id: {"root": {}}}
    again = {"username": user.email, "emails": [user.email], "password": PASSWORD}
    assert Client(platform.base_url).request("POST", "/auth/user", again).status == 201
