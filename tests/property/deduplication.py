"""Models deduplication as dedup.md describes it: documents in one list are marked, changed and destroyed in steps.

It is slow and plain on purpose: what the fold says must be what comes out here. Nothing of the fold is used.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"
OLDER = "org.tidepool.deduplicator.dataset.delete.origin.older"
DROP_HASH = "org.tidepool.deduplicator.dataset.drop.hash"
DEACTIVATE = "org.tidepool.deduplicator.device.deactivate.hash"
TRUNCATE = "org.tidepool.deduplicator.device.truncate.dataset"
NONE = "org.tidepool.deduplicator.none"


@dataclass
class StoredDataSet:
    """A data set row."""

    id: str
    name: str
    is_continuous: bool
    device_id: str | None
    created_time: int
    modified_time: int
    is_closed: bool = False
    is_active: bool = False
    deleted_time: int | None = None

    def __post_init__(self) -> None:
        self.is_active = self.is_continuous


@dataclass(eq=False)
class StoredRecord:
    """A record row."""

    body: dict[str, Any]
    upload_id: str
    is_active: bool
    hash: str | None = None
    archived_by: str | None = None
    origin_id: str | None = field(init=False)
    origin_time: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.origin_id = self.body.get("origin", {}).get("id")
        self.origin_time = self.body.get("origin", {}).get("time")

    def matches(self, kind: str, values: set[str]) -> bool:
        return {"id": self.body["id"], "origin": self.origin_id, "hash": self.hash}[kind] in values


class Reference:
    """The data of one user."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.data_sets: dict[str, StoredDataSet] = {}
        self.records: list[StoredRecord] = []

    def create(self, data_set: StoredDataSet) -> None:
        self.data_sets[data_set.id] = data_set

    def add(self, data_set: StoredDataSet, bodies: list[dict[str, Any]]) -> None:
        records = [StoredRecord(body, data_set.id, data_set.is_continuous) for body in bodies]
        of_data_set = [record for record in self.records if record.upload_id == data_set.id]
        if data_set.name in (DEACTIVATE, DROP_HASH):
            for record in records:
                scope = data_set.id if data_set.name == DROP_HASH else record.body["deviceId"]
                record.hash = identity_hash(self.user_id, scope, record.body)
        if data_set.name == DROP_HASH:
            records = [
                record for place, record in enumerate(records) if record.hash not in hashes_of(records[place + 1 :])
            ]
            known = hashes_of([record for record in of_data_set if record.is_active])
            records = [record for record in records if record.hash not in known]
        if data_set.name == OLDER:
            looked_up = {
                record.origin_id for record in records if record.body["type"] in ("bolus", "food") and record.origin_id
            }
            found = [record for record in of_data_set if record.is_active and record.origin_id in looked_up]
            records = [
                record
                for record in records
                if all(replaces(record, stored) for stored in found if stored.origin_id == record.origin_id)
            ]
        if data_set.name in (ORIGIN, OLDER):
            replaced = {record.origin_id for record in records if record.origin_id is not None}
            self._destroy([record for record in of_data_set if record.origin_id in replaced])
        self.records.extend(records)

    def delete_data(self, data_set: StoredDataSet, kind: str, values: set[str]) -> None:
        matching = [
            record for record in self.records if record.upload_id == data_set.id and record.matches(kind, values)
        ]
        if data_set.name not in (ORIGIN, OLDER):
            self._destroy(matching)
            return
        for record in matching:
            if record.is_active:
                record.is_active = False

    def close(self, data_set: StoredDataSet, now: int) -> None:
        data_set.is_closed = True
        data_set.modified_time = now
        own = [record for record in self.records if record.upload_id == data_set.id]
        device_id = data_set.device_id
        if data_set.name == DEACTIVATE and device_id is not None:
            hashes = hashes_of(own)
            for record in self.records:
                if record.is_active and record.body.get("deviceId") == device_id and record.hash in hashes:
                    record.is_active = False
                    record.archived_by = data_set.id
        if data_set.name == TRUNCATE and device_id is not None:
            others = [record for record in self.records if record.upload_id != data_set.id]
            self._destroy([record for record in others if record.body.get("deviceId") == device_id])
            for other in self.data_sets.values():
                if other.id != data_set.id and other.device_id == device_id and other.deleted_time is None:
                    other.deleted_time = now
        if not data_set.is_continuous:
            data_set.is_active = True
            for record in own:
                record.is_active = True
                record.archived_by = None

    def delete(self, data_set: StoredDataSet, now: int) -> None:
        own = [record for record in self.records if record.upload_id == data_set.id]
        if data_set.name == DEACTIVATE and data_set.device_id is not None:
            for record in self.records:
                if record.archived_by == data_set.id:
                    equal = next(other for other in own if other.hash == record.hash)
                    record.is_active, record.archived_by = equal.is_active, equal.archived_by
        self._destroy(own)
        if data_set.deleted_time is None:
            data_set.deleted_time = data_set.modified_time = now

    def erase(self) -> None:
        self.data_sets.clear()
        self.records.clear()

    @property
    def visible(self) -> list[StoredRecord]:
        return [record for record in self.records if record.is_active]

    def _destroy(self, records: list[StoredRecord]) -> None:
        self.records = [record for record in self.records if record not in records]


def hashes_of(records: list[StoredRecord]) -> set[str | None]:
    """The hashes of some records."""
    return {record.hash for record in records}


def replaces(new: StoredRecord, stored: StoredRecord) -> bool:
    """The table of dedup 5.2."""
    if new.origin_time is None:
        return False
    if stored.origin_time is None:
        return True
    return datetime.fromisoformat(new.origin_time) > datetime.fromisoformat(stored.origin_time)


def identity_hash(user_id: str, scope: str, body: dict[str, Any]) -> str:
    """dedup 4, for the types that the machine posts; their times have no fraction, their values few digits."""
    fields = [user_id, scope, body["time"], body["type"]]
    if body["type"] == "bolus":
        fields.append(body["subType"])
    if body["type"] == "cbg":
        fields += [body["units"], f"{body['value']:g}"]
    return base64.b64encode(hashlib.sha256("|".join(fields).encode()).digest()).decode()
