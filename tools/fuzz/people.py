"""The people as whom requests are sent, on a server with something of the owner's to find."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

NOBODY, OWNER, GRANTEE, SERVER = "nobody", "owner", "grantee", "server"
READER, UPLOADER = "reader", "uploader"
"""Apps of the Nightscout API with a credential of the owner: one that reads, and one that uploads."""
ROLES = (NOBODY, OWNER, GRANTEE, SERVER, READER, UPLOADER)
PASSWORD = "a-password-of-the-fuzzer"  # noqa: S105  of accounts that hold nothing
CONTENT = b"content"
READINGS = [
    {"type": "cbg", "time": f"2026-01-{day:02}T00:00:00Z", "units": "mmol/L", "value": 5, "deviceId": "meter"}
    for day in range(1, 21)
]
RECORDS = [
    *READINGS,
    {"type": "bolus", "subType": "normal", "time": "2026-01-01T01:00:00Z", "normal": 2, "deviceId": "pump"},
    {"type": "food", "time": "2026-01-01T02:00:00Z", "nutrition": {"carbohydrate": {"net": 20, "units": "grams"}}},
]
NOTE = {"guid": "a-guid", "timestamp": "2026-01-01T11:00:00+01:00", "messagetext": "a snack"}
LOG_TIMES = {"X-Logs-Start-At-Time": "2026-01-01T00:00:00Z", "X-Logs-End-At-Time": "2026-01-02T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Role:
    """One of those who send requests."""

    name: str
    headers: Mapping[str, str]
    """Those that say who sends."""

    @property
    def is_nightscout(self) -> bool:
        """Whether it is an app of the Nightscout API, which other operations do not know."""
        return self.name in (READER, UPLOADER)


@dataclass(frozen=True, slots=True)
class World:
    """The people, and the ids of what the owner has, by the names of path parameters."""

    roles: tuple[Role, ...]
    ids: Mapping[str, str]
    owner_email: str

    @property
    def owner_token(self) -> str:
        """The token of the owner's session."""
        (owner,) = (role for role in self.roles if role.name == OWNER)
        return owner.headers["X-Tidepool-Session-Token"]


def make_world(base_url: str, server_secret: str, run: str) -> World:
    """Make accounts for this run, with data of the owner that the grantee may read and add to."""
    owner_email = f"owner-{run}@example.org"
    owner_id, owner = _sign_up(base_url, owner_email)
    grantee_id, grantee = _sign_up(base_url, f"grantee-{run}@example.org")
    _send("POST", f"{base_url}/access/{owner_id}/{grantee_id}", owner, {"view": {}, "upload": {}, "note": {}})
    created = _send("POST", f"{base_url}/v1/users/{owner_id}/data_sets", owner, {"dataSetType": "continuous"})
    data_set_id = created["data"]["uploadId"]
    _send("POST", f"{base_url}/v1/data_sets/{data_set_id}/data", owner, RECORDS)
    _send("PUT", f"{base_url}/metadata/{owner_id}/profile", owner, {"fullName": "Anna"})
    blob_id, log_id = _upload_files(base_url, owner_id, owner)
    note = _send("POST", f"{base_url}/message/send/{owner_id}", owner, {"message": NOTE})
    ids = {
        "userId": owner_id,
        "userid": owner_id,
        "sharerId": owner_id,
        "granteeId": grantee_id,
        "dataSetId": data_set_id,
        "blobId": blob_id,
        "logId": log_id,
        "messageId": note["id"],
        "collection": "profile",
        "realm": "tidepool",
    }
    roles = (
        Role(NOBODY, {}),
        Role(OWNER, owner),
        Role(GRANTEE, grantee),
        Role(SERVER, {"X-Tidepool-Service-Secret": server_secret}),
        *(
            Role(name, _nightscout_headers(base_url, owner_id, owner, scope))
            for name, scope in ((READER, "read"), (UPLOADER, "upload"))
        ),
    )
    return World(roles, ids, owner_email)


def _upload_files(base_url: str, owner_id: str, owner: Mapping[str, str]) -> tuple[str, str]:
    """Upload a blob and a device log of the owner. Returns their ids."""
    digest = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
    upload = {**owner, "Content-Type": "text/plain", "Digest": f"MD5={digest}"}
    blob = _send("POST", f"{base_url}/v1/users/{owner_id}/blobs", upload, CONTENT)
    log = _send("POST", f"{base_url}/v1/users/{owner_id}/device_logs", upload | LOG_TIMES, CONTENT)
    return blob["id"], log["id"]


def placeholders(world: World) -> Iterator[tuple[str, str]]:
    """The texts of this run with the names that stand for them in a stored request."""
    for role in world.roles:
        for value in role.headers.values():
            yield value, f"<{role.name}>"
    for name, value in world.ids.items():
        if name not in ("collection", "realm", "userid", "sharerId"):
            yield value, f"<{name}>"


def nightscout_headers(token: str, jwt: str) -> dict[str, str]:
    """The headers with which an app shows its token: that of the versions 1 and 2 of the API, and that of version 3."""
    secret = hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()
    return {"api-secret": secret, "Authorization": f"Bearer {jwt}"}


def _nightscout_headers(base_url: str, owner_id: str, owner: Mapping[str, str], scope: str) -> dict[str, str]:
    body = {"name": f"a {scope} app", "scope": scope}
    token = _send("POST", f"{base_url}/v1/users/{owner_id}/nightscout_credentials", owner, body)["token"]
    jwt = _send("GET", f"{base_url}/api/v2/authorization/request/{token}", {}, None)["token"]
    return nightscout_headers(token, jwt)


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
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    return Request(url, data, sent, method=method)  # noqa: S310  as above
