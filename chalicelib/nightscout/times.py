"""Times as Nightscout's documents and queries have them. Source: nightscout-api 4 to 6."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

DAY_MS = 86_400_000
MINUTE_MS = 60_000
MAX_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|z|[+ -]\d\d(?::?\d\d)?)?)?", re.ASCII
)


class ZonedTime(NamedTuple):
    """An instant, and the offset of the text that it was read from; 0 for a text without one."""

    time_ms: int
    offset_minutes: int


def iso_time(time_ms: int) -> str:
    """A time as Nightscout stores it: UTC with three digits of a second."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"


def read_iso(text: Any) -> ZonedTime | None:
    """The time of an ISO text, with any offset or none, which is UTC; None if it is unreadable.

    A blank in place of the sign of an offset is the `+` that a query loses.
    """
    match = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        offset = _offset_minutes(zone)
        moment -= timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    return ZonedTime(int(moment.timestamp()) * 1000 + milliseconds, offset)


def read_time_ms(value: Any) -> int | None:
    """A time in milliseconds from a number; None for anything else, and outside the years 1970 to 9999."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_MS:
        return None
    return int(value)


def _offset_minutes(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if zone.startswith("-") else minutes
