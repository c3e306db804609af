"""The state in which every use case begins: Anna has something of each kind, and so has Cara, whom nobody touches."""

import base64
import hashlib
from typing import Any

from chalicelib.accounts.account import Account
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation, SignUpStatus
from tests.fakes.engine import upload
from tests.fakes.oidc_app import App
from tests.faults.scene import SERVER, Scene

ANNA, BEN, CARA, ZOE, KID = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd", "eeeeeeeeee"
PASSWORD = "a-good-one?"
DEVICE_HASH = "org.tidepool.deduplicator.device.deactivate.hash"
DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"
STAGED = 200
"""So many records do not fit into the item of their entry."""
CONTENT = b"hello world"
LATER_CONTENT = b"a content that comes later"
LOG_HEADERS = {
    "X_Logs_Start_At_Time": "2025-12-01T00:00:00Z",
    "X_Logs_End_At_Time": "2025-12-01T01:00:00Z",
}
NOTE = {"message": {"guid": "a", "timestamp": "2025-12-01T10:00:00Z", "messagetext": "A snack"}}
PROFILE = {"defaultProfile": "Default", "startDate": "2025-12-01T00:00:00Z", "store": {}}


def cbg(number: int, **members: Any) -> dict[str, Any]:
    """A reading that does not compress well; its number tells its time and its origin."""
    payload = {"note": hashlib.sha512(str(number).encode()).hexdigest()}
    time = f"2025-12-{1 + number % 28:02d}T{number // 28 % 24:02d}:00:00Z"
    record = {"type": "cbg", "units": "mg/dL", "value": 100, "time": time, "deviceId": "d", "payload": payload}
    return record | {"origin": {"id": f"r{number}"}} | members


def content_headers(content: bytes) -> dict[str, str]:
    """The headers of a content that a client sends."""
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return {"Content_Type": "text/plain", "Digest": f"MD5={digest}"}


def basic(email: str, password: str) -> dict[str, str]:
    """The header of a sign-in by password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


def session(user_id: str) -> dict[str, str]:
    """The header of a user's session."""
    return {"X_Tidepool_Session_Token": f"token-of-{user_id}"}


def prepare(scene: Scene) -> None:
    """Make accounts and what they have, let jobs run, and add a little more."""
    for user_id, name in ((ANNA, "anna"), (BEN, "ben"), (CARA, "cara"), (ZOE, "zoe")):
        account = Account(
            user_id, scene.now_ms, f"{name}@example.org", f"now:{PASSWORD}", ("patient",), 1, True, email_proven=True
        )
        scene.services.accounts.accounts.create(account)
        scene.token(user_id)
    scene.token(SERVER)
    for user_id in (ANNA, CARA):
        _Possessions(scene, user_id).make()
    scene.hear_of_contents()
    scene.work(1)
    for user_id in (ANNA, CARA):
        _Possessions(scene, user_id).make_later()
    for user_id in (ANNA, BEN, CARA, ZOE, SERVER):
        scene.token(user_id)
    _leave_sign_up(scene)
    scene.ask("POST", "/confirm/send/forgot/anna@example.org")
    scene.ask("POST", "/confirm/resend/signup/kid@example.org")
    scene.run_messages()
    for name, email in (("forgot", "anna@example.org"), ("verify", "kid@example.org")):
        scene.names[f"a {name}"] = scene.under_test.outbox.texts[email].partition("?key=")[2][:32]


class _Possessions:
    """The possessions of a user. Each id gets a name that begins with the first letter of the user's."""

    def __init__(self, scene: Scene, user_id: str) -> None:
        self._scene = scene
        self._user_id = user_id

    def make(self) -> None:
        """Data, files, notes, documents, shares."""
        self._data_sets()
        self._files()
        self._documents()
        self._shares()
        user = f"/v1/users/{self._user_id}"
        source = {"providerType": "oauth", "providerName": "twiist", "providerExternalId": f"link-{self._user_id}"}
        self._keep("source", self._ask("POST", f"{user}/data_sources", source, by=SERVER)["id"])
        connected = {"state": "connected", "providerSessionId": f"session-{self._user_id}"}
        connected["dataSetId"] = self._name("continuous")
        self._ask("PUT", f"/v1/data_sources/{self._name('source')}", connected, by=SERVER)
        self._keep("restricted", self._ask("POST", f"{user}/restricted_tokens", {})["id"])
        self._ask("PUT", f"/metadata/{self._user_id}/profile", {"fullName": "A"})
        self._keep("note", self._ask("POST", f"/message/send/{self._user_id}", NOTE)["id"])
        app = App(self._scene.send, "xdrip", "xdrip://callback/tidepool", nonce=None)
        email = {ANNA: "anna@example.org", CARA: "cara@example.org"}[self._user_id]
        self._keep("refresh", app.tokens(email, PASSWORD)["refresh_token"])
        task = {
            "type": "strandline.diagnostics.echo",
            "data": {"message": "a"},
            "availableTime": "2026-03-01T00:00:00Z",
        }
        self._keep("task", self._ask("POST", "/v1/tasks", task, by=SERVER)["id"])
        self._ask("GET", f"/metrics/thisuser/prepared-{self._user_id}")

    def make_later(self) -> None:
        """Make data that jobs have not seen."""
        self._add("continuous", [cbg(number, value=150) for number in range(3)])
        normal = self._open("normal", dataSetType="normal", deviceId="d", deduplicator={"name": DEVICE_HASH})
        self._add(normal, [cbg(number) for number in range(2, 6)])
        app = App(self._scene.send, "xdrip", "xdrip://callback/tidepool", nonce=None, verifier="v" * 50)
        email = {ANNA: "anna@example.org", CARA: "cara@example.org"}[self._user_id]
        self._keep("code", app.returned(app.sign_in(email, PASSWORD))["code"])

    def _data_sets(self) -> None:
        continuous = self._open("continuous", dataSetType="continuous", deduplicator={"name": DELETE_ORIGIN})
        self._add(continuous, [cbg(number) for number in range(6)])
        self._add(continuous, [{"type": "food", "time": "2025-12-02T00:00:00Z", "name": "x", "origin": {"id": "f"}}])
        earlier = self._open("earlier", dataSetType="normal", deviceId="d", deduplicator={"name": DEVICE_HASH})
        self._add(earlier, [cbg(number) for number in range(4)])
        self._ask("PUT", f"/v1/data_sets/{self._name(earlier)}", {"state": "closed"})
        deleted = self._open("deleted", dataSetType="continuous")
        self._add(deleted, [cbg(number, value=90) for number in range(STAGED)])
        self._ask("DELETE", f"/v1/data_sets/{self._name(deleted)}")

    def _files(self) -> None:
        for kind, more in (("blobs", {}), ("device_logs", LOG_HEADERS)):
            path = f"/v1/users/{self._user_id}/{kind}"
            self._keep(kind, self._ask("POST", path, CONTENT, **content_headers(CONTENT), **more)["id"])
            size = {"X_Upload_Size": str(len(LATER_CONTENT))}
            more = more | {"X_Logs_Start_At_Time": "2025-12-01T00:30:00Z"} if more else {}
            headers = content_headers(LATER_CONTENT) | size | more
            opened = self._ask("POST", f"{path}?upload=direct", b"", **headers)["id"]
            self._keep(f"opened {kind}", opened)
        embedded = self._scene.under_test.embedded
        upload(embedded, f"device_logs/{self._user_id}/{self._name('opened device_logs')}", LATER_CONTENT)

    def _documents(self) -> None:
        path = f"/v1/users/{self._user_id}/nightscout_credentials"
        made = self._ask("POST", path, {"name": "Pump", "scope": "upload"})
        self._keep("credential", made["id"])
        self._keep("secret", made["token"])
        spare = self._ask("POST", path, {"name": "Spare", "scope": "read"})
        self._keep("spare", spare["id"])
        jwt = self._scene.ask("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]
        self._keep("jwt", jwt)
        for name, document in (
            ("entries", {"type": "sgv", "sgv": 100, "date": 1_764_547_200_000, "device": "d"}),
            ("treatments", {"eventType": "Meal Bolus", "insulin": 2, "created_at": "2025-12-02T00:00:00Z"}),
            ("profile", PROFILE),
            ("devicestatus", {"device": "d", "created_at": "2025-12-31T00:00:00Z"}),
            ("food", {"type": "food", "name": "apple"}),
        ):
            reply = self._scene.ask("POST", f"/api/v1/{name}", [document], api_secret=made["token"]).json()
            self._keep(name, (reply[0] if isinstance(reply, list) else reply)["_id"])
        v3 = {"eventType": "Note", "date": 1_764_550_800_000, "app": "AAPS", "identifier": "note-1"}
        self._scene.ask("POST", "/api/v3/treatments", v3, Authorization=f"Bearer {jwt}")

    def _shares(self) -> None:
        self._ask("POST", f"/access/{self._user_id}/{BEN}", {"view": {}})
        invitation = {"email": f"{self._user_id}@example.org", "permissions": {"view": {}}}
        sent = self._ask("POST", f"/confirm/send/invite/{self._user_id}", invitation)
        self._keep("invitation", sent["key"])
        if self._user_id == ANNA:
            invited = {"email": "anna@example.org", "permissions": {"view": {}}}
            self._keep("received", self._ask("POST", f"/confirm/send/invite/{ZOE}", invited, by=ZOE)["key"])
            self._keep("child", self._ask("POST", f"/auth/user/{ANNA}/user", {})["userid"])

    def _open(self, name: str, **members: Any) -> str:
        body = {"type": "upload", **members}
        made = self._ask("POST", f"/v1/users/{self._user_id}/data_sets", body)
        self._keep(name, made["data"]["id"])
        return name

    def _add(self, name: str, records: list[dict[str, Any]]) -> None:
        self._ask("POST", f"/v1/data_sets/{self._name(name)}/data", records)

    def _ask(self, method: str, path: str, body: Any = None, *, by: str = "", **headers: str) -> Any:
        headers |= session(by or self._user_id)
        reply = self._scene.ask(method, path, body, **headers)
        assert reply.status < 300, (method, path, reply)
        return reply.json() if reply.body.startswith((b"{", b"[")) else None

    def _name(self, name: str) -> str:
        return self._scene.names[f"{self._user_id[0]} {name}"]

    def _keep(self, name: str, value: str) -> None:
        self._scene.names[f"{self._user_id[0]} {name}"] = value


def _leave_sign_up(scene: Scene) -> None:
    """An account whose address nobody has verified, and which asked for another mail."""
    account = Account(KID, scene.now_ms, "kid@example.org", f"now:{PASSWORD}", ("patient",))
    scene.services.accounts.accounts.create(account, expires_time_ms=scene.now_ms)
    asked = SignUpConfirmation(KID, "id", "kid@example.org", "", SignUpStatus.PENDING, scene.now_ms, scene.now_ms)
    scene.services.confirmations.sign_ups.put(asked)
