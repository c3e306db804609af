"""Records: adds, repeats, deletes and uploads as apps and the Uploader send them, reads, `latest`, and polls."""

from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.soak.calls import Question, Reply
from tools.soak.ledger import Changes
from tools.soak.part import Account, Operation, Part, Write

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
STEP, AGP = timedelta(minutes=5), timedelta(days=14)
LATEST_TYPE = "smbg"
"""Records of this type are not made of Nightscout documents."""
TYPES = ("cbg", "cbg", "cbg", "cbg", LATEST_TYPE, "bolus", "food")
UPLOAD = {
    "type": "upload",
    "time": "2026-01-01T00:00:00Z",
    "computerTime": "2026-01-01T00:00:00",
    "timezone": "UTC",
    "timezoneOffset": 0,
    "conversionOffset": 0,
    "version": "1.0.0",
    "timeProcessing": "utc-bootstrapping",
    "deviceTags": ["cgm"],
    "deviceManufacturers": ["Soak"],
    "deviceModel": "soak",
    "deviceSerialNumber": "1",
    "client": {"name": "org.strandline.soak", "version": "1.0.0"},
    "deduplicator": {"name": "org.tidepool.deduplicator.device.deactivate.hash"},
}
"""The description of an upload, as the Uploader sends one."""
LARGE_ADD = 300
"""Enough for the body of an entry to be stored in parts."""
DERIVED = "ns:"
"""The beginning of the origin ids of records that are made of Nightscout documents."""


class Records(Part):
    """The records of one person, by origin id."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "records")
        opened = self._ask(
            "open a data set", "POST", f"/v1/users/{account.id}/data_sets", {"dataSetType": "continuous"}
        )
        self.data_path = f"/v1/data_sets/{opened.json()['data']['uploadId']}/data"
        self._open_uploads: list[tuple[str, Changes]] = []
        self._closed_uploads: list[tuple[str, Changes]] = []
        self._etag: str | None = None
        self._at_etag: dict[str, Hashable] = {}

    def operations(self) -> Sequence[Operation]:
        """As an app and the Uploader send them."""
        return (
            *(Operation(6, self._add), Operation(3, self._repeat), Operation(2, self._delete)),
            *(Operation(2, self._upload), Operation(2, self._close), Operation(0.3, self._delete_upload)),
            *(Operation(3, self._read), Operation(3, self._read_latest), Operation(4, self._poll)),
            *(Operation(1, self._read_summaries), Operation(1, self._read_freshness)),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All records but those that are made of documents."""
        return _shown(self._ask("read all", "GET", f"/data/{self.account.id}").json())

    def derived(self) -> Iterator[tuple[str, float]]:
        """Time and value of each glucose reading that is made of a document."""
        for record in self._ask("read derived", "GET", f"/data/{self.account.id}?type=cbg").json():
            if record.get("origin", {}).get("id", "").startswith(DERIVED):
                yield record["time"], record["value"]

    # Writes.

    def _add(self) -> None:
        count = LARGE_ADD if self.random.random() < 0.03 else self.random.randint(1, 20)
        self._post("add", {str(self.next_number()): self.random.randint(20, 250) for _ in range(count)})

    def _repeat(self) -> None:
        """Send records again, some with another value."""
        own = [key for key in self.ledger.values if "-" not in key]
        changes: dict[str, Hashable | None] = {key: self.ledger.values[key] for key in self.chosen(own, 10)}
        changes |= dict.fromkeys(self.chosen(own, 3), self.random.randint(20, 250))
        if changes:
            self._post("repeat", changes)

    def _delete(self) -> None:
        chosen = self.chosen((key for key in self.ledger.values if "-" not in key), 3)
        selectors = [{"origin": {"id": key}} for key in chosen]
        question = Question("delete", "DELETE", self.data_path, selectors)
        if chosen:
            self.write(Write(dict.fromkeys(chosen), lambda: self.client.ask(question)))

    def _post(self, kind: str, changes: Changes) -> None:
        question = Question(kind, "POST", self.data_path, [_record(key, value) for key, value in changes.items()])
        self.write(Write(changes, lambda: self.client.ask(question)))

    def _upload(self) -> None:
        """Upload a device's readings, and leave the data set open."""
        name = str(self.next_number())
        description = UPLOAD | {"deviceId": f"device {name}"}
        opened = self._ask("open an upload", "POST", f"/v1/users/{self.account.id}/datasets", description)
        upload_id = opened.json()["data"]["uploadId"]
        values = {
            f"{name}-{self.next_number()!s}": self.random.randint(20, 250) for _ in range(self.random.randint(1, 30))
        }
        records = [_record(key, value) | {"deviceId": description["deviceId"]} for key, value in values.items()]
        self._ask("upload", "POST", f"/v1/datasets/{upload_id}/data", records)
        self._open_uploads.append((upload_id, values))

    def _close(self) -> None:
        """Close an upload, by which its records become visible."""
        if not self._open_uploads:
            return
        upload_id, values = self._open_uploads.pop()
        headers = {"Idempotency-Key": upload_id}  # a repetition without one is refused: the data set is closed
        question = Question("close", "PUT", f"/v1/datasets/{upload_id}", {"dataState": "closed"}, headers)
        self.write(Write(values, lambda: self.client.ask(question)))
        self._closed_uploads.append((upload_id, values))

    def _delete_upload(self) -> None:
        if not self._closed_uploads:
            return
        upload_id, values = self._closed_uploads.pop()

        def send() -> Reply:
            statuses = (200, 404) if self.is_repeating else (200,)
            return self.client.ask(
                Question("delete an upload", "DELETE", f"/v1/datasets/{upload_id}", statuses=statuses)
            )

        self.write(Write(dict.fromkeys(values), send))

    # Reads, each compared.

    def _read(self) -> None:
        """Read some hours."""
        first = self.random.randint(0, self._count)
        start, end = (FIRST + (number - 0.5) * STEP for number in (first, first + 100))
        query = f"startDate={start:%Y-%m-%dT%H:%M:%SZ}&endDate={end:%Y-%m-%dT%H:%M:%SZ}"
        seen = self._ask("read", "GET", f"/data/{self.account.id}?{query}").json()
        self._compare(seen, {key for key in self.ledger.values if first <= _number(key) < first + 100})

    def _read_latest(self) -> None:
        seen = self._ask("latest", "GET", f"/data/{self.account.id}?type={LATEST_TYPE}&latest=true").json()
        of_type = sorted((key for key in self.ledger.values if _type(key) == LATEST_TYPE), key=_number)
        self._compare(seen, set(of_type[-1:]))

    def _poll(self) -> None:
        """Ask for what changed, as a follower does."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        path = f"/data/{self.account.id}?type={LATEST_TYPE}"
        reply = self.client.ask(Question("poll", "GET", path, headers=headers, statuses=(200, 304)))
        if reply.status == 304:
            self.found += self.ledger.differences_of(self._at_etag)
            return
        of_type = {key for key in self.ledger.values if _type(key) == LATEST_TYPE}
        self._compare(reply.json(), of_type)
        self._etag, self._at_etag = reply.headers.get("etag"), dict(self.ledger.values)

    def _read_summaries(self) -> None:
        name = self.random.choice(("cgm", "bgm", "con"))
        path = f"/v1/summaries/{name}/{self.account.id}"
        self.client.ask(Question("summary", "GET", path, statuses=(200, 404)))  # 404: the last two years are empty
        path = f"/v1/users/{self.account.id}/agp?end={FIRST + AGP:%Y-%m-%dT%H:%M:%SZ}"
        has_readings = any(_type(key) == "cbg" and _number(key) * STEP < AGP for key in self.ledger.values)
        self.client.ask(Question("AGP", "GET", path, statuses=(200,) if has_readings else (404,)))

    def _read_freshness(self) -> None:
        self._ask("freshness", "GET", f"/v1/users/{self.account.id}/freshness")

    def _compare(self, seen: list[dict[str, Any]], keys: set[str]) -> None:
        """Expect a reader to see the records of these keys."""
        self.found += self.ledger.compare(_shown(seen), keys)

    def _ask(self, kind: str, method: str, path: str, body: Any = None) -> Reply:
        return self.client.ask(Question(kind, method, path, body, statuses=(200, 201)))


def _number(key: str) -> int:
    """The number from which time and type of a record follow; the key of one of an upload begins with the upload's."""
    return int(key.rpartition("-")[2])


def _type(key: str) -> str:
    number = _number(key)
    return TYPES[number % len(TYPES)] if "-" not in key else TYPES[-3 - number % 2]


def _record(key: str, value: Any) -> dict[str, Any]:
    type_ = _type(key)
    time = f"{FIRST + _number(key) * STEP:%Y-%m-%dT%H:%M:%S}"
    record = {"type": type_, "time": f"{time}Z", "deviceTime": time, "deviceId": "soak", "origin": {"id": key}}
    if type_ == "bolus":
        return record | {"subType": "normal", "normal": value / 10}
    if type_ == "food":
        return record | {"nutrition": {"carbohydrate": {"net": value, "units": "grams"}}}
    return record | {"units": "mmol/L", "value": value / 10}


def _shown(seen: list[dict[str, Any]]) -> Iterator[tuple[str, Hashable]]:
    """Key and value of each record; the whole record as text in place of its value if anything else differs."""
    for record in seen:
        key = record.get("origin", {}).get("id", "")
        if record["type"] == "upload" or key.startswith(DERIVED):
            continue
        value = _value(record)
        is_as_sent = all(
            record.get(name) == sent for name, sent in _record(key, value).items() if name not in ("deviceId", "origin")
        )
        yield key, value if is_as_sent else str(record)


def _value(record: dict[str, Any]) -> int:
    if record["type"] == "food":
        return int(record["nutrition"]["carbohydrate"]["net"])
    amount: float = record["normal" if record["type"] == "bolus" else "value"]
    return round(amount * 10)
