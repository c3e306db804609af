"""Temporary basals that are a percentage of the schedule: the rate follows from the profile. Source: nightscout-api 14.

The rate is that of the schedule when the temporary basal begins.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.durations import DAY_MS, MINUTE_MS
from chalicelib.model.text_formats import time_zone_names
from chalicelib.nightscout.document import Document
from chalicelib.nightscout.mapping.profiles import active_schedules, number_of, starts_of, value_at

SCHEDULED_RATE = "scheduledRate"
"""The member under which the mapping of treatments finds the rate; it is never stored."""
_RATES = ("rate", "absolute")


def is_percentage(document: Document) -> bool:
    """Whether a document is a temporary basal that has a percentage and no rate."""
    body = document.body
    return (
        body.get("eventType") == "Temp Basal"
        and number_of(body.get("percent")) is not None
        and all(number_of(body.get(name)) is None for name in _RATES)
    )


def scheduled_rate(document: Document, profile: Mapping[str, Any]) -> float | None:
    """The rate of a profile's active schedule when a temporary basal begins; None if it has none that can be read."""
    schedules = active_schedules(profile)
    starts = None if schedules is None else starts_of(schedules.get("basal"))
    if schedules is None or not starts:
        return None
    return value_at(starts, _time_of_day_ms(document, schedules.get("timezone")))


def _time_of_day_ms(document: Document, zone: Any) -> int:
    """The time of the day at which a document was made, in the zone of the profile, else by its own offset."""
    if isinstance(zone, str) and zone in time_zone_names():
        local = datetime.fromtimestamp(document.time_ms / 1000, UTC).astimezone(ZoneInfo(zone))
        return ((local.hour * 60 + local.minute) * 60 + local.second) * 1000
    offset = number_of(document.body.get("utcOffset")) or 0
    return int(document.time_ms + offset * MINUTE_MS) % DAY_MS
