"""Records as apps of the Tidepool API send them, and readings of the Nightscout API."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes.services import START_MS

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples" / "loop"
MINUTE_MS = 60_000
DAY_MS = 86_400_000


def at(minutes_ago: float) -> str:
    """A time before now as the Tidepool API takes it."""
    moment = datetime.fromtimestamp((START_MS - int(minutes_ago * MINUTE_MS)) / 1000, UTC)
    return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def record(kind: str, minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A record of an app."""
    origin = {"id": f"{kind}-{minutes_ago}-{len(more)}", "name": "org.tidepool.Loop", "type": "application"}
    return {"type": kind, "time": at(minutes_ago), "origin": origin, **more}


def cbg(value: float, minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A reading of a sensor."""
    return record("cbg", minutes_ago, value=value, units="mg/dL", **more)


def sgv(value: Any, minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A reading of a sensor, as apps of the Nightscout API send it."""
    return {"type": "sgv", "sgv": value, "date": START_MS - int(minutes_ago * MINUTE_MS), "device": "cgm", **more}


def basal(kind: str, minutes_ago: float, duration_ms: int, **more: Any) -> dict[str, Any]:
    """A basal; of 1.5 U/h, unless it is a suspension."""
    more = more if kind == "suspend" else {"rate": 1.5, **more}
    return record("basal", minutes_ago, deliveryType=kind, duration=duration_ms, **more)


def loop_day() -> Iterator[dict[str, Any]]:
    """The records that Loop sends of a day, by time, without dosing decisions."""
    names = ("02_settings", "03_glucose", "04_doses", "05_carbs", "06_pump_events", "07_overrides")
    records = [record for name in names for record in json.loads((SAMPLES / f"{name}.json").read_text())]
    return iter(sorted(records, key=lambda record: str(record["time"])))
