"""Documents of the Nightscout API, as its uploaders send and its followers poll them."""

import hashlib
import time
import uuid
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from tools.demo.comparison import mmol_l
from tools.soak.calls import Client, Question, Reply
from tools.soak.ledger import CHANGED, LOST, Changes, Finding
from tools.soak.part import Account, Operation, Part, Write
from tools.soak.records import Records

STEP_MS = 300_000
BEGAN_MS_AGO = 20 * 24 * 3600 * 1000
LIMIT = 10_000


class Documents(Part):
    """The documents of one collection."""

    def __init__(self, account: Account, device: Client, collection: str) -> None:
        super().__init__(account, collection)
        self.device = device
        self.first_ms = int(time.time() * 1000) // STEP_MS * STEP_MS - BEGAN_MS_AGO

    def ask(self, kind: str, method: str, path: str, body: Any = None) -> Reply:
        """The reply to the device of the person."""
        return self.device.ask(Question(kind, method, path, body))

    def next_ms(self) -> int:
        """The time of a new document: its own, and five minutes after the last."""
        return self.first_ms + self.next_number() * STEP_MS

    def post(self, kind: str, changes: Changes, body: list[dict[str, Any]]) -> None:
        """Send documents."""
        path = f"/api/v1/{self.collection}.json"
        self.write(Write(changes, lambda: self.ask(kind, "POST", path, body)))

    @property
    def collection(self) -> str:
        """The name of the collection in paths."""
        return self.ledger.name.partition(" ")[0]


class Entries(Documents):
    """Glucose values by time in ms. Each is a record of the Tidepool API as well."""

    def __init__(self, account: Account, device: Client, records: Records) -> None:
        super().__init__(account, device, "entries")
        self._records = records

    def operations(self) -> Sequence[Operation]:
        """As xDrip+ sends them, and LoopFollow polls."""
        return (
            *(Operation(3, self._add), Operation(1, self._repeat), Operation(0.5, self._delete)),
            *(Operation(3, self._poll), Operation(1, self._poll_properties), Operation(0.3, self._compare_records)),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All entries."""
        path = f"/api/v1/entries.json?find[date][$gte]={self.first_ms}&count={LIMIT}"
        for entry in self.ask("read entries", "GET", path).json():
            yield str(entry["date"]), entry["sgv"]

    def verify_to_the_last(self) -> list[Finding]:
        """The differences of documents, and of the records that are made of them."""
        return [*self.verify(), *self._differences_of_records()]

    def _add(self) -> None:
        self._send({str(self.next_ms()): self.random.randint(40, 400) for _ in range(self.random.randint(1, 5))})

    def _repeat(self) -> None:
        """Send entries again, one with another value."""
        changes: dict[str, Hashable | None] = {
            key: self.ledger.values[key] for key in self.chosen(self.ledger.values, 3)
        }
        changes |= dict.fromkeys(self.chosen(changes, 1), self.random.randint(40, 400))
        if changes:
            self._send(changes)

    def _send(self, changes: Changes) -> None:
        self.post(
            "send entries",
            changes,
            [
                {"type": "sgv", "date": int(key), "dateString": _time(int(key)), "sgv": sgv, "device": "soak"}
                for key, sgv in changes.items()
            ],
        )

    def _delete(self) -> None:
        for key in self.chosen(self.ledger.values, 1):
            path = f"/api/v1/entries?find[date]={key}"
            self.write(Write({key: None}, partial(self.ask, "delete an entry", "DELETE", path)))

    def _poll(self) -> None:
        """The newest entries, as a follower reads them."""
        newest = sorted(self.ledger.values, key=int)[-3:]
        path = f"/api/v1/entries/sgv.json?find[date][$gte]={self.first_ms}&count=3"
        found = [(str(entry["date"]), entry["sgv"]) for entry in self.ask("poll entries", "GET", path).json()]
        self.found += self.ledger.compare(found, set(newest))

    def _poll_properties(self) -> None:
        self.ask("poll properties", "GET", "/api/v2/properties/bgnow,delta")
        self.ask("poll pebble", "GET", "/pebble")

    def _compare_records(self) -> None:
        self.found += self._differences_of_records()

    def _differences_of_records(self) -> list[Finding]:
        """The differences between the entries and the records that are made of them."""
        wanted = {_time(int(key)): mmol_l(float(str(sgv))) for key, sgv in self.ledger.values.items()}
        pairs = [(_normal(time_), value) for time_, value in self._records.derived()]
        name = f"records of {self.ledger.name}"
        findings = [Finding(LOST, name, key) for key in wanted.keys() - dict(pairs).keys()]
        if len(pairs) != len(dict(pairs)) or dict(pairs).keys() - wanted.keys():
            findings.append(Finding(CHANGED, name, f"{len(pairs)} records of {len(wanted)} entries"))
        return findings + [
            Finding(CHANGED, name, f"{key} is {value}, not {wanted[key]}")
            for key, value in pairs
            if key in wanted and wanted[key] != value
        ]


class Treatments(Documents):
    """Carbohydrates in g by identifier."""

    def __init__(self, account: Account, device: Client) -> None:
        super().__init__(account, device, "treatments")
        self._times: dict[str, str] = {}

    def operations(self) -> Sequence[Operation]:
        """As an app sends meals."""
        return (
            *(Operation(1, self._add), Operation(0.5, self._repeat), Operation(0.4, self._delete)),
            Operation(1, self._poll),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All treatments."""
        since = quote(_time(self.first_ms))
        path = f"/api/v1/treatments.json?find[created_at][$gte]={since}&count={LIMIT}"
        for treatment in self.ask("read treatments", "GET", path).json():
            yield treatment.get("identifier", "none"), treatment["carbs"]

    def _add(self) -> None:
        identifier = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self._times[identifier] = _time(self.next_ms())
        self._send({identifier: self.random.randint(1, 90)})

    def _repeat(self) -> None:
        for identifier in self.chosen(self.ledger.values, 1):
            self._send({identifier: self.random.choice((self.ledger.values[identifier], self.random.randint(1, 90)))})

    def _send(self, changes: Changes) -> None:
        self.post(
            "send a treatment",
            changes,
            [
                {"eventType": "Carb Correction", "enteredBy": "soak", "created_at": self._times[key], "carbs": carbs}
                | {"identifier": key}
                for key, carbs in changes.items()
            ],
        )

    def _delete(self) -> None:
        for key in self.chosen(self.ledger.values, 1):
            path = f"/api/v1/treatments/{key}"
            self.write(Write({key: None}, partial(self.ask, "delete a treatment", "DELETE", path)))

    def _poll(self) -> None:
        self.found += self.verify()


class DeviceStatuses(Documents):
    """States of a device: battery in % by time."""

    def __init__(self, account: Account, device: Client) -> None:
        super().__init__(account, device, "devicestatus")

    def operations(self) -> Sequence[Operation]:
        """As Loop sends them."""
        return (Operation(2, self._add), Operation(0.5, self._poll))

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All states."""
        path = f"/api/v1/devicestatus.json?find[created_at][$gte]={quote(_time(self.first_ms))}&count=1000"
        for status in self.ask("read device statuses", "GET", path).json():
            yield status["created_at"], status["uploader"]["battery"]

    def _add(self) -> None:
        created_at, battery = _time(self.next_ms()), self.random.randint(1, 100)
        status = {"device": "soak", "created_at": created_at, "uploader": {"battery": battery}}
        self.post("send a device status", {created_at: battery}, [status])

    def _poll(self) -> None:
        self.found += self.verify()


def open_device(account: Account, device: Client) -> None:
    """Give a device a new credential of its person."""
    body = {"name": "soak", "scope": "upload"}
    path = f"/v1/users/{account.id}/nightscout_credentials"
    made = account.client.ask(Question("make a credential", "POST", path, body, statuses=(200, 201))).json()
    device.headers["api-secret"] = hashlib.sha1(made["token"].encode(), usedforsecurity=False).hexdigest()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _normal(text: str) -> str:
    """A time as `_time` writes it."""
    return _time(round(datetime.fromisoformat(text).timestamp() * 1000))
