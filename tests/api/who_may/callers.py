"""Credentials as a request may carry them, and for whom each stands at each door of the platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.access.call import Session, token_hash
from chalicelib.api.operations.operation import ErrorFormat
from tests.api.who_may.scene import ANNA, GRANTS, USER_IDS, Scene
from tests.fakes.services import SERVER_SECRET

SESSION = "X-Tidepool-Session-Token"
USERS: Mapping[str, str] = {
    "owner": ANNA,
    **{name: USER_IDS[name] for name in GRANTS},
    "stranger": USER_IDS["stranger"],
    "related": USER_IDS["sharer"],
    "named": USER_IDS["grantee in the path"],
}
USERS = {name: user_id for name, user_id in USERS.items() if name != "grantee in the path"}
PERSONS = (*USERS, "server")
"""Those who send a session token, each by the name of the table."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The headers and query parameters of a credential."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


Carry = Callable[[Scene, str], Sent]
"""Function that sends a scene's credential in a request to a path."""


def _session(name: str) -> Carry:
    return lambda scene, _path: Sent({SESSION: scene.values[name]})


def _bearer(name: str) -> Carry:
    return lambda scene, _path: Sent({"Authorization": f"Bearer {scene.values[name]}"})


def _secret(name: str) -> Carry:
    return lambda scene, _path: Sent({"API-SECRET": scene.values[name]})


def _query(parameter: str, name: str) -> Carry:
    return lambda scene, _path: Sent(query={parameter: scene.values[name]})


def _fixed(headers: Mapping[str, str]) -> Carry:
    return lambda _scene, _path: Sent(headers)


def _person(name: str) -> Carry:
    return lambda scene, _path: Sent({SESSION: scene.server if name == "server" else scene.tokens[USERS[name]]})


def _expired(scene: Scene, _path: str) -> Sent:
    """A session token of Anna's a millisecond after its end."""
    scene.fakes.sessions.add(Session(token_hash("expired"), ANNA, False, 0, scene.fakes.now_ms))
    return Sent({SESSION: "expired"})


def _restricted(path: str | None, *, seconds: int = 60) -> Callable[[Scene, str], Sent]:
    def carry(scene: Scene, sent_to: str) -> Sent:
        body: dict[str, Any] = {"paths": [path or sent_to.removeprefix("/dataservices")]}
        token = scene.tokens[ANNA]
        made = scene.api.request("POST", f"/v1/users/{ANNA}/restricted_tokens", body, token=token).json()["id"]
        if seconds < 0:
            found = scene.fakes.restricted_tokens.find(made)
            assert found is not None
            scene.fakes.now_ms = found.expiration_time_ms
        return Sent(query={"restricted_token": made})

    return carry


def _server_bearer(scene: Scene, _path: str) -> Sent:
    return Sent({"Authorization": f"Bearer {scene.server}"})


PLATFORM, OLDER, READ, OAUTH, V1, V3 = "platform", "older", "read", "oauth", "v1", "v3"
DOORS: Mapping[ErrorFormat, str] = {
    ErrorFormat.PLATFORM: PLATFORM,
    ErrorFormat.PLATFORM_ENVELOPE: PLATFORM,
    ErrorFormat.READ: READ,
    ErrorFormat.AUTH: OLDER,
    ErrorFormat.CONFIRM: OLDER,
    ErrorFormat.NODE: OLDER,
    ErrorFormat.OAUTH: OAUTH,
    ErrorFormat.NIGHTSCOUT: V1,
    ErrorFormat.NIGHTSCOUT_V3: V3,
}
TIDEPOOL = (PLATFORM, OLDER, READ)


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential, and for whom it stands at each door; nobody at all others."""

    carry: Carry
    stands_for: Mapping[str, str] = field(default_factory=dict)
    is_malformed: bool = False
    """True if the doors that read it answer 403 instead of 401."""


def _everywhere(who: str) -> Mapping[str, str]:
    return dict.fromkeys(TIDEPOOL, who)


CREDENTIALS: Mapping[str, Credential] = {
    "no credential": Credential(_fixed({})),
    **{f"session of {name}": Credential(_person(name), _everywhere(name)) for name in PERSONS},
    "session as bearer": Credential(_bearer("session"), {PLATFORM: "owner", OAUTH: "owner"}),
    "session as Nightscout secret": Credential(_secret("session")),
    "session as restricted token": Credential(_query("restricted_token", "session")),
    "expired session": Credential(_expired),
    "unknown session": Credential(_fixed({SESSION: "unknown"})),
    "session of a server as bearer": Credential(_server_bearer, {PLATFORM: "stranger"}),
    "server secret": Credential(_fixed({"X-Tidepool-Server-Secret": SERVER_SECRET}), {PLATFORM: "server"}),
    "service secret": Credential(_fixed({"X-Tidepool-Service-Secret": SERVER_SECRET}), {PLATFORM: "server"}),
    "wrong server secret": Credential(_fixed({"X-Tidepool-Server-Secret": "wrong"}), is_malformed=True),
    "server secret as session": Credential(_fixed({SESSION: SERVER_SECRET})),
    "restricted token": Credential(
        _query("restricted_token", "restricted"), {PLATFORM: "owner by link", READ: "owner by link"}
    ),
    "restricted token for the path": Credential(_restricted(None), {PLATFORM: "owner by link", READ: "owner by link"}),
    "restricted token for another path": Credential(_restricted("/v1/nowhere")),
    "restricted token at its end": Credential(_restricted(None, seconds=-1)),
    "restricted token as session": Credential(_session("restricted")),
    "restricted token as bearer": Credential(_bearer("restricted")),
    "access token as session": Credential(_session("access_token"), _everywhere("owner")),
    "access token as bearer": Credential(_bearer("access_token"), {PLATFORM: "owner", OAUTH: "owner"}),
    "access token as Nightscout secret": Credential(_secret("access_token")),
    "refresh token as session": Credential(_session("refresh_token")),
    "refresh token as bearer": Credential(_bearer("refresh_token")),
    "ID token as session": Credential(_session("id_token")),
    "ID token as bearer": Credential(_bearer("id_token")),
    "cookies of the pages": Credential(lambda scene, _path: Sent({"Cookie": scene.values["cookies"]})),
    "session cookie as session": Credential(_session("sso_cookie")),
    "session cookie as bearer": Credential(_bearer("sso_cookie")),
    "form token as session": Credential(_session("form_token")),
    "form token as bearer": Credential(_bearer("form_token")),
    "key of a new password as session": Credential(_session("reset")),
    "key of a new password as bearer": Credential(_bearer("reset")),
    "key of a sign-up as session": Credential(_session("verify")),
    "key of an invitation as session": Credential(_session("received")),
    "Nightscout token to read": Credential(_secret("read_token"), {V1: "reader"}),
    "Nightscout token to upload": Credential(_secret("upload_token"), {V1: "uploader"}),
    "Nightscout token in the query": Credential(_query("token", "upload_token"), {V1: "uploader"}),
    "Nightscout JWT to read": Credential(_bearer("read_jwt"), {V1: "reader", V3: "reader"}),
    "Nightscout JWT to upload": Credential(_bearer("upload_jwt"), {V1: "uploader", V3: "uploader"}),
    "Nightscout token as session": Credential(_session("upload_token")),
    "Nightscout JWT as session": Credential(_session("upload_jwt")),
    "Nightscout id as secret": Credential(_secret("upload_id")),
}
