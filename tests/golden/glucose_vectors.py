"""Reads the golden vectors of summaries and profiles; see tests/data/golden/summary/README.md and agp/README.md."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.glucose.reading import Reading, by_hour, counted, in_order, sensor_minutes
from chalicelib.model.glucose import CONVERTED_UNITS, to_mmol_l

FOLDER = Path(__file__).parent.parent / "data" / "golden"

Case = Mapping[str, Any]


@cache
def cases(name: str) -> dict[str, Case]:
    """All cases of a folder, by name."""
    lines = (line for path in sorted((FOLDER / name).glob("*.jsonl")) for line in path.read_text().splitlines())
    return {case["case"]: case for case in map(json.loads, lines)}


def time_ms(text: str) -> int:
    """Milliseconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def records(data: list[Case]) -> Iterator[dict[str, Any]]:
    """The single records of a case's `data`, in the order in which they are stored."""
    for item in data:
        if "values" not in item:
            yield dict(item)
            continue
        common = {name: value for name, value in item.items() if name not in ("values", "stepSeconds")}
        first = datetime.fromisoformat(item["time"]).astimezone(UTC)
        for index, value in enumerate(item["values"]):
            if value is not None:
                time = first + timedelta(seconds=index * item["stepSeconds"])
                shown = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                yield common | {"time": shown, "value": value}


def counted_cbg(data: list[Case]) -> list[Reading]:
    """The sensor readings of a case that count, by time."""
    readings = [
        Reading(
            time_ms=time_ms(record["time"]),
            value_mmol_l=to_mmol_l(record["value"]) if record["units"] in CONVERTED_UNITS else record["value"],
            minutes=sensor_minutes(record.get("deviceId"), record.get("sampleInterval")),
            stored_ms=0,
            is_continuous=True,
        )
        for record in records(data)
        if record["type"] == "cbg"
    ]
    return [reading for _, of_hour in by_hour(in_order(readings)) for reading in counted(of_hour)]
