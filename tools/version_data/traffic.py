"""Requests of two people to a platform of any version, and the answers afterwards.

This module runs inside the sources of the version that is asked, which may be older than itself. So it imports nothing
of the project, and skips what that version does not have yet.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass(frozen=True)
class Answer:
    """A reply: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


Send = Callable[[str, str, bytes, Mapping[str, str]], Answer]
"""Sends a request: method, path with query, body, headers."""

ANNA, BEN = "anna@example.org", "ben@example.org"
PASSWORD = "a-long-password"  # noqa: S105  of people who do not exist
TOKEN = "x-tidepool-session-token"  # noqa: S105  the name of a header
UNKNOWN = (403, 404, 405)
"""The statuses of routes that a version does not have: 403 is that of a gateway."""
READINGS = 300
CONTENT = b"the content of a file\n" * 40
DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"
DEACTIVATE_HASH = "org.tidepool.deduplicator.device.deactivate.hash"
REBUILD = "strandline.data.rebuild"
APP = {
    "client_id": "xdrip",
    "redirect_uri": "xdrip://callback/tidepool",
    "response_type": "code",
    "scope": "openid offline_access",
    "state": "s",
    "code_challenge_method": "S256",
}
VERIFIER = "v" * 43


class NotThereError(Exception):
    """This version has no such route."""


@dataclass
class Traffic:
    """The requests of two people and a server, and what they were given."""

    send: Send
    server_secret: str
    run_tasks: Callable[[], None]
    """Lets the background jobs run that are due."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    given: dict[str, str] = field(default_factory=dict)
    """Ids, tokens and credentials by name."""
    skipped: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Write something of everything that a user can have."""
        for name, email in (("anna", ANNA), ("ben", BEN)):
            made = self.ask("POST", "/auth/user", {"username": email, "emails": [email], "password": PASSWORD})
            self.given |= {name: made.json()["userid"], f"{name}_session": made.headers[TOKEN]}
        headers = {"X-Tidepool-Server-Name": "a-server", "X-Tidepool-Server-Secret": self.server_secret}
        self.given["server"] = self.ask("POST", "/auth/serverlogin", headers=headers).headers[TOKEN]
        steps = (self._accounts, self._data, self._old_upload, self._files, self._notes, self._devices, self._app)
        for step in steps:
            self._unless_missing(step)
        self._rebuild()
        self._unless_missing(self._newer_data)

    def read(self) -> dict[str, Any]:
        """The answers to what Anna, Ben, a server and a device may read: status and JSON, or the body in base64."""
        found = {}
        for who, path in self._reads():
            reply = self.send("GET", path, b"", self._credential(who))
            if reply.status in UNKNOWN:
                continue
            found[f"{who} {path}"] = {"status": reply.status} | _content(reply)
        return found

    def ask(
        self, method: str, path: str, body: Any = None, who: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The reply, which has to be a success.

        Raises:
            NotThereError: the version has no such route.
        """
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        reply = self.send(method, path, sent, {**self._credential(who), **(headers or {})})
        if reply.status in UNKNOWN:
            raise NotThereError(f"{method} {path}")
        if reply.status >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.body[:300]!r}")
        return reply

    def _credential(self, who: str) -> dict[str, str]:
        if not who:
            return {}
        return {"api-secret": self.given["device"]} if who == "device" else {TOKEN: self.given[_SESSIONS[who]]}

    def _unless_missing(self, step: Callable[[], None]) -> None:
        try:
            step()
        except NotThereError as error:
            self.skipped.append(str(error))

    def _reads(self) -> list[tuple[str, str]]:
        user, given = self.given["anna"], self.given
        data = [f"/data/{user}", f"/data/{user}?latest=true", f"/data/{user}?type=cbg"]
        users = [f"/v1/users/{user}/{name}" for name in ("data_sets", "datasets", "blobs", "device_logs")]
        others = [f"/metadata/{user}/profile", f"/access/{user}", "/auth/user"]
        more = [f"/v1/users/{user}/data_sources", f"/message/all/{user}", f"/v1/summaries/cgm/{user}"]
        things = [f"/v1/blobs/{given['blob']}", f"/v1/blobs/{given['blob']}/content"]
        things += [f"/v1/device_logs/{given['log']}/content"] if "log" in given else []
        anna = [("anna", path) for path in (*data, *users, *others, *more, *things)]
        shared = (f"/data/{user}?type=bolus", f"/metadata/{user}/profile", f"/access/groups/{given['ben']}")
        ben = [("ben", path) for path in shared]
        server = [("server", path) for path in (f"/v1/users/{user}/restricted_tokens", f"/auth/user/{ANNA}")]
        documents = ("entries.json?count=1000", "treatments.json?count=1000", "profile.json", "devicestatus.json")
        device = [("device", f"/api/v1/{path}") for path in documents] if "device" in given else []
        return anna + ben + server + device

    def _accounts(self) -> None:
        anna, ben = self.given["anna"], self.given["ben"]
        profile = {"fullName": "Anna", "patient": {"birthday": "2001-01-01", "diagnosisDate": "2010-01-01"}}
        self.ask("PUT", f"/metadata/{anna}/profile", profile, "anna")
        self.ask("PUT", f"/metadata/{anna}/preferences", {"units": "mg/dL"}, "anna")
        self.ask("POST", f"/access/{anna}/{ben}", {"view": {}, "note": {}}, "anna")
        until = (self.now + timedelta(days=30)).isoformat().replace("+00:00", "Z")
        made = self.ask("POST", f"/v1/users/{anna}/restricted_tokens", {"expirationTime": until}, "anna")
        self.given["restricted"] = made.json()["id"]
        source = {"providerType": "oauth", "providerName": "test", "providerExternalId": "link"}
        self.ask("POST", f"/v1/users/{anna}/data_sources", source, "server")

    def _data(self) -> None:
        path = self._open(dataSetType="continuous", deduplicator={"name": DELETE_ORIGIN}, client=CLIENT)
        self.given["open_data_set"] = path.rpartition("/")[2]
        self.ask("POST", f"{path}/data", [self._reading(number) for number in range(READINGS)], "anna")
        self.ask("DELETE", f"{path}/data", [{"origin": {"id": "r-7"}}], "anna")
        self.ask("POST", f"{path}/data", [self._reading(8, value=55), *self._treatments()], "anna")
        for _ in range(2):  # the second replaces the first
            of_device = self._open(dataSetType="normal", deviceId="pump", deduplicator={"name": DEACTIVATE_HASH})
            records = [self._bolus(number, deviceId="pump") for number in range(20)]
            self.ask("POST", f"{of_device}/data", records, "anna")
            self.ask("PUT", of_device, {"state": "closed"}, "anna")
        deleted = self._open(dataSetType="continuous")
        self.ask("POST", f"{deleted}/data", [self._reading(number, value=300) for number in range(20)], "anna")
        self.ask("DELETE", deleted, who="anna")

    def _old_upload(self) -> None:
        upload = {"type": "upload", "uploadId": "upid_0123456789ab", "time": self._time(500), "deviceId": "old"}
        records = [self._bolus(400 + number, uploadId=upload["uploadId"], deviceId="old") for number in range(5)]
        self.ask("POST", f"/data/{self.given['anna']}", [upload, *records], "anna")

    def _files(self) -> None:
        user = self.given["anna"]
        digest = base64.b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
        headers = {"Content-Type": "text/plain", "Digest": f"MD5={digest}"}
        self.given["blob"] = self.ask("POST", f"/v1/users/{user}/blobs", CONTENT, "anna", headers).json()["id"]
        times = {"X-Logs-Start-At-Time": self._time(20), "X-Logs-End-At-Time": self._time(10)}
        headers |= {"Content-Type": "application/json; charset=utf-8", **times}
        self.given["log"] = self.ask("POST", f"/v1/users/{user}/device_logs", CONTENT, "anna", headers).json()["id"]

    def _notes(self) -> None:
        body = {"message": {"guid": "g", "timestamp": self._time(30), "messagetext": "A snack"}}
        note = self.ask("POST", f"/message/send/{self.given['anna']}", body, "anna").json()["id"]
        self.ask("POST", f"/message/reply/{note}", body, "ben")

    def _devices(self) -> None:
        path = f"/v1/users/{self.given['anna']}/nightscout_credentials"
        self.given["device"] = self.ask("POST", path, {"name": "Phone", "scope": "upload"}, "anna").json()["token"]
        base_ms = int(self.now.timestamp() * 1000)
        entries = [{"type": "sgv", "sgv": 90 + n, "date": base_ms - n * 300_000 - 60_000} for n in range(50)]
        self.ask("POST", "/api/v1/entries.json", entries, "device")
        meal = {"eventType": "Meal Bolus", "insulin": 2, "carbs": 20, "created_at": self._time(3)}
        self.ask("POST", "/api/v1/treatments.json", [meal], "device")
        profile = {"defaultProfile": "Default", "startDate": self._time(90), "store": {}}
        self.ask("POST", "/api/v1/profile.json", profile, "device")
        self.ask("POST", "/api/v1/devicestatus.json", {"device": "phone", "created_at": self._time(2)}, "device")

    def _app(self) -> None:
        """Sign in by OpenID Connect, as an app does."""
        realm = "/realms/tidepool/protocol/openid-connect"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        page = self.ask("GET", f"{realm}/auth?{urlencode({**APP, 'code_challenge': challenge})}")
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.body.decode())
        form = {unescape(name): unescape(value) for name, value in fields} | {"username": ANNA, "password": PASSWORD}
        cookies = {"Cookie": page.headers.get("set-cookie", "").partition(";")[0]}
        returned = self.ask("POST", f"{realm}/auth", urlencode(form).encode(), headers=cookies | FORM)
        code = parse_qs(urlsplit(returned.headers["location"]).query)["code"][0]
        exchanged = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        named = {name: APP[name] for name in ("client_id", "redirect_uri")}
        reply = self.ask("POST", f"{realm}/token", urlencode(exchanged | named).encode(), headers=FORM).json()
        self.given |= {"access_token": reply["access_token"], "refresh_token": reply["refresh_token"]}

    def _rebuild(self) -> None:
        """Have the data made into tiles."""
        task = {"type": REBUILD, "data": {"userId": self.given["anna"]}}
        path = f"/v1/tasks/{self.ask('POST', '/v1/tasks', task, 'server').json()['id']}"
        for _ in range(60):
            self.run_tasks()
            state = self.ask("GET", path, who="server").json()["state"]
            if state not in ("pending", "running"):
                break
        if state != "completed":
            raise RuntimeError(f"the task to rebuild tiles is {state}")

    def _newer_data(self) -> None:
        """Data that came after the tiles were made."""
        path = f"/v1/data_sets/{self.given['open_data_set']}"
        self.ask("POST", f"{path}/data", [self._reading(READINGS + number) for number in range(12)], "anna")

    def _open(self, **members: Any) -> str:
        body = {"type": "upload", **members}
        made = self.ask("POST", f"/v1/users/{self.given['anna']}/data_sets", body, "anna").json()["data"]
        return f"/v1/data_sets/{made['id']}"

    def _time(self, number: int) -> str:
        """A time, five minutes earlier for each number."""
        return (self.now - timedelta(minutes=5 * number)).isoformat().replace("+00:00", "Z")

    def _reading(self, number: int, **members: Any) -> dict[str, Any]:
        value = 100 + (number * 37) % 150
        record = {"type": "cbg", "units": "mg/dL", "value": value, "time": self._time(number + 1), "deviceId": "cgm"}
        return record | {"origin": {"id": f"r-{number}"}} | members

    def _bolus(self, number: int, **members: Any) -> dict[str, Any]:
        record = {"type": "bolus", "subType": "normal", "normal": 1 + number % 5, "time": self._time(number + 1)}
        return record | {"deviceId": "pump"} | members

    def _treatments(self) -> list[dict[str, Any]]:
        basal = {"type": "basal", "deliveryType": "temp", "duration": 1_800_000, "rate": 0.5, "deviceId": "loop"}
        food = {"type": "food", "nutrition": {"carbohydrate": {"net": 20, "units": "grams"}}, "deviceId": "loop"}
        basals = [basal | {"time": self._time(6 * n + 1), "origin": {"id": f"b-{n}"}} for n in range(40)]
        return [*basals, food | {"time": self._time(40), "origin": {"id": "f-1"}}]


_SESSIONS = {"anna": "anna_session", "ben": "ben_session", "server": "server"}
CLIENT = {"name": "org.example.app", "version": "1.0"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _content(reply: Answer) -> dict[str, Any]:
    try:
        return {"json": reply.json()}
    except ValueError:
        return {"base64": base64.b64encode(reply.body).decode()}
