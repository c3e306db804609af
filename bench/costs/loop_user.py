"""The day of a person with a CGM and Loop: an upload every five minutes, with records as Loop sends them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from uuid import UUID

from bench.costs.assumptions import RECORDS_A_DAY, UPLOADS_A_DAY
from bench.records import REQUEST_RECORDS, SAMPLES, Record

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(days=1) / UPLOADS_A_DAY


def uploads(day: int) -> Iterator[list[Record]]:
    """The requests of a day, counted from 0, each with the records of five minutes. Deterministic."""
    shapes = _loops_records()
    sent: dict[str, int] = dict.fromkeys(RECORDS_A_DAY, 0)
    for step in range(UPLOADS_A_DAY):
        request = []
        for name, a_day in RECORDS_A_DAY.items():
            until_now = (step + 1) * a_day // UPLOADS_A_DAY
            for number in range(sent[name], until_now):
                index = day * a_day + number
                request.append(_as_another(shapes[name][index % len(shapes[name])], day, step, index))
            sent[name] = until_now
        yield request


def backlog(days: range) -> Iterator[list[Record]]:
    """The records of whole days, in requests as large as those in which Loop sends a backlog."""
    records = (record for day in days for upload in uploads(day) for record in upload)
    while request := list(islice(records, REQUEST_RECORDS)):
        yield request


def start_of(day: int) -> datetime:
    """The start of a day."""
    return FIRST_DAY + timedelta(days=day)


def _as_another(shape: Record, day: int, step: int, index: int) -> Record:
    time = (start_of(day) + step * STEP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    # Each id is unique, and compresses as badly as the ids that phones make.
    digest = sha256(f"{shape['type']} {index}".encode()).digest()
    origin = shape.get("origin", {}) | {"id": str(UUID(bytes=digest[:16]))}
    return {name: value for name, value in shape.items() if name != "id"} | {"time": time, "origin": origin}


def _loops_records() -> Mapping[str, list[Record]]:
    """The records of Loop in the samples, by type."""
    by_type: dict[str, list[Record]] = defaultdict(list)
    for sample in json.loads((SAMPLES / "manifest.json").read_bytes()):
        if (sample["client"], sample["method"], sample["path"][-5:]) == ("loop", "POST", "/data"):
            for record in json.loads((SAMPLES / sample["file"]).read_bytes()):
                by_type[record["type"]].append(record)
    return by_type
