"""Requests of two people to the server that is recorded, and the data that have to be there afterwards."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PASSWORD = "a-long-password"  # noqa: S105  of people who do not exist
TOKEN = "X-Tidepool-Session-Token"  # noqa: S105  the name of a header
RECORDS = 20
DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"

Reply = tuple[int, Mapping[str, str], bytes]
"""Status, headers by lower-case name, body."""
Send = Callable[[str, str, bytes, Mapping[str, str]], Reply]


@dataclass(frozen=True, slots=True)
class PersonView:
    """All that a person has, as the person sees it."""

    records: Mapping[str, float] = field(default_factory=dict)
    """The value by origin id."""
    files: frozenset[str] = frozenset()
    """The digests of the contents of blobs and device logs."""
    notes: frozenset[str] = frozenset()
    documents: frozenset[int] = frozenset()
    """The dates of Nightscout entries."""
    name: str = ""
    data_sets: int = 0
    """Number of data sets that are closed."""
    is_signed_in: bool = True
    """True if the second login lasts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what it changes."""

    number: str
    person: str
    method: str
    path: str
    body: str
    """JSON, or a text to store."""
    effect: dict[str, Any]

    def after(self, seen: PersonView) -> PersonView:
        """The possessions of the person after the request."""
        changed: dict[str, Any] = {}
        for kind, value in self.effect.items():
            match kind:
                case "add":
                    changed["records"] = {**seen.records, **value}
                case "remove":
                    changed["records"] = {name: v for name, v in seen.records.items() if name != value}
                case "file":
                    changed["files"] = seen.files | {value}
                case "note":
                    changed["notes"] = seen.notes | {value}
                case "documents":
                    changed["documents"] = seen.documents | set(value)
                case "name":
                    changed["name"] = value
                case "close":
                    changed["data_sets"] = seen.data_sets + 1
                case "sign_out":
                    changed["is_signed_in"] = False
        return replace(seen, **changed)


class Person:
    """A person who sends one request after the other, each with its number as trace id."""

    def __init__(self, name: str, send: Send, now_s: float) -> None:
        self.name, self.send, self._now_ms = name, send, int(now_s * 1000)
        self.steps: list[Step] = []
        self.given: dict[str, str] = {}
        self._count = 0

    def sign_up(self) -> None:
        """Make the account, and what the steps need."""
        email = f"{self.name}@example.org"
        body = {"username": email, "emails": [email], "password": PASSWORD}
        _, headers, content = self._ask("POST", "/auth/user", body, {})
        self.given |= {"user": json.loads(content)["userid"], "token": headers[TOKEN.lower()]}
        user = self.given["user"]
        opened = {"type": "upload", "dataSetType": "continuous", "deduplicator": {"name": DELETE_ORIGIN}}
        _, _, content = self._ask("POST", f"/v1/users/{user}/data_sets", opened, {})
        self.given["data_set"] = json.loads(content)["data"]["id"]
        credential = {"name": "phone", "scope": "upload"}
        _, _, content = self._ask("POST", f"/v1/users/{user}/nightscout_credentials", credential, {})
        self.given["device"] = json.loads(content)["token"]
        _, headers, _ = self._ask("POST", "/auth/login", None, {})
        self.given["second"] = headers[TOKEN.lower()]

    def round(self, number: int) -> None:
        """Send one request of each kind that is due."""
        user, data_set = self.given["user"], self.given["data_set"]
        values = {f"{number}-{n}": 60 + (number * 7 + n) % 200 for n in range(RECORDS)}
        records = [self._record(number * RECORDS + n, name, value) for n, (name, value) in enumerate(values.items())]
        self._ask("POST", f"/v1/data_sets/{data_set}/data", records, {"add": values})
        if number % 3 == 1:
            gone = f"{number}-3"
            self._ask("DELETE", f"/v1/data_sets/{data_set}/data", [{"origin": {"id": gone}}], {"remove": gone})
        if number % 2 == 0:
            text = f"{self.name} {number} " * (50 if number % 4 else 4000)
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._ask("POST", f"/v1/users/{user}/blobs", text, {"file": digest})
        if number % 3 == 0:
            text = f"note {number}"
            note = {"message": {"guid": text, "timestamp": "2026-01-01T00:00:00Z", "messagetext": text}}
            self._ask("POST", f"/message/send/{user}", note, {"note": text})
        if number % 4 == 0:
            dates = [self._now_ms - number * 600_000 - n * 1000 for n in range(3)]
            entries = [{"type": "sgv", "sgv": 100, "date": date} for date in dates]
            self._ask("POST", "/api/v1/entries.json", entries, {"documents": dates})
        if number % 5 == 0:
            name = f"{self.name} {number}"
            self._ask("PUT", f"/metadata/{user}/profile", {"fullName": name}, {"name": name})
        if number % 6 == 0:
            closed = {"type": "upload", "dataSetType": "normal", "deviceId": f"d-{number}"}
            _, _, made = self._ask("POST", f"/v1/users/{user}/data_sets", closed, {})
            path = f"/v1/data_sets/{json.loads(made)['data']['id']}"
            self._ask("PUT", path, {"state": "closed"}, {"close": 1})

    def change_password(self) -> None:
        """End every login but this one, by a new password."""
        body = {"updates": {"password": f"{PASSWORD}-2"}}
        self._ask("PUT", "/auth/user", body, {"sign_out": 1})

    def _record(self, number: int, name: str, value: float) -> dict[str, Any]:
        minute = number % 60
        time = f"2026-01-{1 + number // 1440 % 28:02d}T{number // 60 % 24:02d}:{minute:02d}:00Z"
        return {"type": "cbg", "units": "mg/dL", "value": value, "time": time, "origin": {"id": name}}

    def _ask(self, method: str, path: str, body: Any, effect: dict[str, Any]) -> Reply:
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        number = f"{self.name}{self._count}"
        self._count += 1
        self.steps.append(Step(number, self.name, method, path, text[:100], effect))
        headers = {"X-Tidepool-Trace-Request": f"step-{number}"}
        if "device" in self.given and path.startswith("/api/v1"):
            headers["api-secret"] = self.given["device"]
        elif path == "/auth/login":
            basic = base64.b64encode(f"{self.name}@example.org:{PASSWORD}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        elif "token" in self.given:
            headers[TOKEN] = self.given["token"]
        if isinstance(body, str):
            headers["Content-Type"] = "text/plain"
        reply = self.send(method, path, text.encode(), headers)
        if reply[0] >= 300:
            raise RuntimeError(f"{method} {path}: {reply[0]} {reply[2][:200]!r}")
        return reply


def seen_by(given: Mapping[str, str], send: Send) -> PersonView:
    """All that a person has, as the server answers now.

    Raises:
        RuntimeError: an answer is not a success.
    """
    user, headers = given["user"], {TOKEN: given["token"]}

    def got(path: str) -> Any:
        status, _, body = send("GET", path, b"", headers)
        if status != 200:
            raise RuntimeError(f"GET {path.partition(user)[0]}: {status} {body[:200]!r}")
        return body

    records = json.loads(got(f"/data/{user}?type=cbg"))
    blobs = json.loads(got(f"/v1/users/{user}/blobs?size=100"))
    contents = [got(f"/v1/blobs/{blob['id']}/content") for blob in blobs]
    notes = send("GET", f"/message/all/{user}", b"", headers)
    profile = send("GET", f"/metadata/{user}/profile", b"", headers)
    data_sets = json.loads(got(f"/v1/users/{user}/data_sets?size=100"))
    status, _, entries = send("GET", "/api/v1/entries.json?count=1000", b"", {"api-secret": given["device"]})
    if {notes[0], profile[0]} - {200, 404} or status != 200:
        raise RuntimeError(f"notes {notes[0]}, profile {profile[0]}, entries {status}")
    return PersonView(
        records={record["origin"]["id"]: round(record["value"] * MG_DL) for record in records if _is_own(record)},
        files=frozenset(hashlib.sha256(content).hexdigest() for content in contents),
        notes=frozenset(note["messagetext"] for note in json.loads(notes[2])["messages"]) if notes[0] == 200 else NONE,
        documents=frozenset(entry["date"] for entry in json.loads(entries) if entry["date"] > RECORDS_UNTIL_MS),
        name=json.loads(profile[2]).get("fullName", "") if profile[0] == 200 else "",
        data_sets=sum(_is_closed(data_set) for data_set in data_sets),
        is_signed_in=send("GET", "/auth/token", b"", {TOKEN: given["second"]})[0] == 200,
    )


MG_DL = 18.01559
"""mg/dL in one mmol/L."""
RECORDS_UNTIL_MS = 1_770_000_000_000
"""The records are of January 2026, and are rendered as entries too; what the devices send is later."""
NONE: frozenset[str] = frozenset()


def _is_closed(data_set: Mapping[str, Any]) -> bool:
    """Whether one of the data sets that the steps close was closed, which alone changes it."""
    return bool(data_set["dataSetType"] == "normal" and data_set["modifiedTime"] != data_set["createdTime"])


def _is_own(record: Mapping[str, Any]) -> bool:
    return not str(record.get("origin", {}).get("id", "ns:")).startswith("ns:")
