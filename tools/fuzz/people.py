"""The people as whom requests are sent, on a server with something of the owner's to find."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

NOBODY, OWNER, GRANTEE, SERVER = "nobody", "owner", "grantee", "server"
PASSWORD = "a-password-of-the-fuzzer"  # noqa: S105  of accounts that hold nothing
CONTENT = b"content"
READING = {"type": "cbg", "time": "2026-01-01T00:00:00Z", "units": "mmol/L", "value": 5, "deviceId": "meter"}


@dataclass(frozen=True, slots=True)
class Role:
    """One of those who send requests."""

    name: str
    headers: Mapping[str, str]
    """Those that say who sends."""


@dataclass(frozen=True, slots=True)
class World:
    """The people, and the ids of what the owner has, by the names of path parameters."""

    roles: tuple[Role, ...]
    ids: Mapping[str, str]


def make_world(base_url: str, server_secret: str, run: str) -> World:
    """Make accounts for this run, with data of the owner that the grantee may read and add to."""
    owner_id, owner = _sign_up(base_url, f"owner-{run}@example.org")
    grantee_id, grantee = _sign_up(base_url, f"grantee-{run}@example.org")
    _send("POST", f"{base_url}/access/{owner_id}/{grantee_id}", owner, {"view": {}, "upload": {}, "note": {}})
    created = _send("POST", f"{base_url}/v1/users/{owner_id}/data_sets", owner, {"dataSetType": "continuous"})
    data_set_id = created["data"]["uploadId"]
    _send("POST", f"{base_url}/v1/data_sets/{data_set_id}/data", owner, [READING])
    _send("PUT", f"{base_url}/metadata/{owner_id}/profile", owner, {"fullName": "Anna"})
    digest = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    upload = {**owner, "Content-Type": "text/plain", "Digest": f"MD5={digest}"}
    blob = _send("POST", f"{base_url}/v1/users/{owner_id}/blobs", upload, CONTENT)
    ids = {
        "userId": owner_id,
        "userid": owner_id,
        "sharerId": owner_id,
        "granteeId": grantee_id,
        "dataSetId": data_set_id,
        "blobId": blob["id"],
        "collection": "profile",
        "realm": "tidepool",
    }
    roles = (
        Role(NOBODY, {}),
        Role(OWNER, owner),
        Role(GRANTEE, grantee),
        Role(SERVER, {"X-Tidepool-Service-Secret": server_secret}),
    )
    return World(roles, ids)


def placeholders(world: World) -> Iterator[tuple[str, str]]:
    """The texts of this run with the names that stand for them in a stored request."""
    for role in world.roles:
        for value in role.headers.values():
            yield value, f"<{role.name}>"
    for name, value in world.ids.items():
        if name not in ("collection", "realm", "userid", "sharerId"):
            yield value, f"<{name}>"


def _sign_up(base_url: str, email: str) -> tuple[str, Mapping[str, str]]:
    """The id of a new user, and the headers that stand for them."""
    body = {"username": email, "emails": [email], "password": PASSWORD}
    with urlopen(_request("POST", f"{base_url}/auth/user", {}, body)) as reply:  # noqa: S310  an address of ours
        token = reply.headers["X-Tidepool-Session-Token"]
        return json.load(reply)["userid"], {"X-Tidepool-Session-Token": token}


def _send(method: str, url: str, headers: Mapping[str, str], body: Any) -> Any:
    with urlopen(_request(method, url, headers, body)) as reply:  # noqa: S310  as above
        return json.loads(reply.read() or b"null")


def _request(method: str, url: str, headers: Mapping[str, str], body: Any) -> Request:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    return Request(url, data, sent, method=method)  # noqa: S310  as above
