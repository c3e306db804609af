"""Overrides of pump settings as temporary overrides. Source: nightscout-api 14."""

from typing import Any

from chalicelib.nightscout.document import Document
from chalicelib.nightscout.rendering.record import Record, app_of, mg_dl, minutes, rendered_treatment

SECONDS_APP = ".Loop"
"""The end of the name of the app that sends durations of overrides in seconds."""


def rendered_override(record: Record) -> Document:
    """The temporary override of a record; without a duration it is indefinite."""
    members: dict[str, Any] = {"reason": record.get("overridePreset") or record.get("overrideType", "custom")}
    duration_ms = override_duration_ms(record)
    members |= {"duration": minutes(duration_ms)} if duration_ms else {"durationType": "indefinite"}
    if (target := target_range(record)) is not None:
        members["correctionRange"] = target
    if "basalRateScaleFactor" in record:
        members["insulinNeedsScaleFactor"] = record["basalRateScaleFactor"]
    return rendered_treatment(record, "Temporary Override", members)


def override_duration_ms(record: Record) -> float:
    """The duration of an override in milliseconds; 0 if it has none.

    The data model has milliseconds, and Loop sends seconds.
    """
    duration = record.get("duration", 0)
    return float(duration * 1000 if app_of(record).endswith(SECONDS_APP) else duration)


def target_range(record: Record) -> list[int] | None:
    """The range that an override aims at, in mg/dL; None if it has none."""
    target = record.get("bgTarget")
    return None if target is None else list(bounds_mg_dl(target, record.get("units", {}).get("bg")))


def bounds_mg_dl(target: Record, units: Any) -> tuple[int, int]:
    """The lower and the upper bound of a target, which is a range, a value, or a value with a range or an upper
    bound."""
    middle, width = target.get("target", 0), target.get("range", 0)
    low, high = target.get("low", middle - width), target.get("high", middle + width)
    return mg_dl(low, units), mg_dl(high, units)
