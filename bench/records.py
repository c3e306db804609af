"""The records that the benchmarks send: 1,000 of all kinds that real clients send, and 90 days of readings."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from tools.demo import generator
from tools.demo.generator import LOCAL_TIME
from tools.project import ROOT

Record = dict[str, Any]

SAMPLES = ROOT / "tests" / "data" / "samples"
REQUEST_RECORDS = 1000
CGM_START = datetime(2026, 1, 1, tzinfo=LOCAL_TIME)
_MIXED_START = datetime(2026, 1, 1, tzinfo=UTC)


def mixed(count: int, batch: int = 0) -> list[Record]:
    """Records of every kind in the samples, alternately, each with its own time and origin. Deterministic by batch."""
    of_kind = [cycle(records) for records in _samples_by_kind().values()]
    kinds = cycle(of_kind)
    return [_as_another(next(next(kinds)), batch * count + number) for number in range(count)]


def cbg_requests(days: int) -> Iterator[list[Record]]:
    """The readings of a synthetic user's days, in requests of 1,000."""
    readings = (record for record in generator.records(days, seed=1, start=CGM_START) if record["type"] == "cbg")
    while request := list(islice(readings, REQUEST_RECORDS)):
        yield request


def as_body(records: list[Record]) -> bytes:
    """The records as the body of a request."""
    return orjson.dumps(records)


def kind_of(record: Record) -> tuple[str, ...]:
    """The discriminators of a record, by which its rules differ."""
    return str(record["type"]), str(record.get("subType", "")), str(record.get("deliveryType", ""))


def _samples_by_kind() -> dict[tuple[str, ...], list[Record]]:
    by_kind: dict[tuple[str, ...], list[Record]] = {}
    for path in _data_files():
        for record in json.loads(path.read_bytes()):
            by_kind.setdefault(kind_of(record), []).append(record)
    return by_kind


def _data_files() -> list[Path]:
    """The samples that are bodies of requests to add data."""
    manifest = json.loads((SAMPLES / "manifest.json").read_bytes())
    return [
        SAMPLES / sample["file"] for sample in manifest if (sample["method"], sample["path"][-5:]) == ("POST", "/data")
    ]


def _as_another(record: Record, number: int) -> Record:
    time = (_MIXED_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    origin = record.get("origin", {}) | {"id": f"bench-{number:08d}"}
    return {name: value for name, value in record.items() if name != "id"} | {"time": time, "origin": origin}
