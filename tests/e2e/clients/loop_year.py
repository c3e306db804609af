"""A year as Loop would send it: the demo's synthetic year, each record with an id of its own and Loop's payload."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from tools.demo import generator
from tools.demo.comparison import as_shown
from tools.demo.generator import LOCAL_TIME, Record

DAYS = 365
SEED = 4
START = datetime(2025, 1, 1, tzinfo=LOCAL_TIME)
REQUEST_RECORDS = 1000
"""Most records of a request of Loop's."""


def records(days: int = DAYS) -> list[Record]:
    """The records of so many days, of a year more than 100,000, in the order of their times, the same each time."""
    return [_as_loop_sends(record) for record in generator.records(days, SEED, START)]


def requests_of(sent: list[Record]) -> Iterator[list[Record]]:
    """The records in the portions in which Loop sends them."""
    for start in range(0, len(sent), REQUEST_RECORDS):
        yield sent[start : start + REQUEST_RECORDS]


def shown(sent: Iterable[Record], upload_id: str) -> Iterator[Record]:
    """The records that the platform must return for those sent, by its published rules."""
    for record in sent:
        for row in as_shown(record):
            if row["type"] == "wizard" and "bolus" in record:
                row["bolus"] = record["bolus"]["id"]
            yield row | {"uploadId": upload_id}


def checksum(data: Iterable[Record]) -> str:
    """SHA-256 of what records say, whatever their order and that of their members; 5 and 5.0 are the same."""
    return hashlib.sha256("\n".join(sorted(map(_text, data))).encode()).hexdigest()


def _text(record: Record) -> str:
    return json.dumps(json.loads(json.dumps(record), parse_int=float), sort_keys=True)


def _as_loop_sends(record: Record) -> Record:
    name = uuid.uuid5(uuid.NAMESPACE_OID, record["origin"]["id"])
    sent = record | {
        "id": uuid.uuid5(name, record["type"]).hex,
        "payload": {"syncIdentifier": str(name).upper(), "syncVersion": 1},
    }
    if record["type"] == "wizard" and "bolus" in record:
        sent["bolus"] = _as_loop_sends(record["bolus"])
    return sent
