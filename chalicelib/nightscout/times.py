"""Times as Nightscout's documents and queries have them. Source: nightscout-api 4 to 6."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from chalicelib.durations import DAY_MS
from chalicelib.model.json_values import is_number

LAST_MS = 8_640_000_000_000_000
"""The last millisecond that JavaScript knows, which is far behind that."""
_CYCLE_YEARS = 400
"""The years after which dates and days of the week are the same again."""
_CYCLE_MS = 146_097 * DAY_MS
_MINUTE = timedelta(minutes=1)
MAX_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
_ZONE = r"\s*(Z|z|[+ -]\d\d(?::?\d\d)?)?"
_ISO = re.compile(
    rf"(\d{{4}})-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{{1,9}}))?)?)?{_ZONE})?)?", re.ASCII
)
_BASIC_ISO = re.compile(
    rf"(\d{{4}})(\d\d)(\d\d)(?:[Tt](\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d{{1,9}}))?)?)?{_ZONE})?", re.ASCII
)
_MAIL = re.compile(
    r"(?:[A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(?::\d\d)?(?: [A-Za-z]{1,4}| [+-]\d{4})?", re.ASCII
)
"""The form of a time in a header. Source: RFC 2822, 3.3."""
_DAY_OF_YEAR = r"(?:[a-z]{3,9},? )?(?P<month>[a-z]{3,9}) (?P<day>\d{1,2}),? "
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?(?: ?(?P<half>[ap]m))?"
_NAMED_ZONE = r"(?: ?(?P<zone>gmt|utc|[ecmp][sd]t)?(?P<offset>[+-]\d\d:?\d\d)?)"
_SPELLED = (
    re.compile(rf"{_DAY_OF_YEAR}(?P<year>\d{{4}}),? {_CLOCK}{_NAMED_ZONE}(?: \(.*\))?", re.ASCII | re.IGNORECASE),
    re.compile(rf"{_DAY_OF_YEAR}{_CLOCK}{_NAMED_ZONE} (?P<year>\d{{4}})", re.ASCII | re.IGNORECASE),
)
"""The forms in which JavaScript and Java write a time: `Fri Mar 01 2024 09:00:00 GMT+0100 (CET)` and `Fri Mar 01
08:00:00 GMT 2024`."""
_MAX_SPELLED_LENGTH = 100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOURS_OF_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
"""The zones that JavaScript reads by name, beside UTC."""
_HALF_DAY_HOURS = 12
_MIDNIGHT = "24"
"""The hour of a midnight at the end of a day, if minutes and seconds are 0."""


class ZonedTime(NamedTuple):
    """An instant, and the offset of the text that it was read from; 0 for a text without one."""

    time_ms: int
    offset_minutes: int


def iso_time(time_ms: int) -> str:
    """A time as Nightscout stores it: UTC with three digits of a second, and six digits of a year after 9999."""
    cycles = 0 if time_ms <= MAX_MS else 1 + (time_ms - MAX_MS) // _CYCLE_MS
    moment = datetime.fromtimestamp((time_ms - cycles * _CYCLE_MS) // 1000, UTC)
    year = f"+{moment.year + cycles * _CYCLE_YEARS:06}" if cycles else f"{moment.year:04}"
    return f"{year}-{moment:%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"


def read_iso(text: Any) -> ZonedTime | None:
    """The time of an ISO text, or of one as headers have it or JavaScript and Java write it, with any offset or none,
    which is UTC; None if it is unreadable.

    A blank in place of the sign of an offset is the `+` that a query loses.
    """
    if not isinstance(text, str):
        return None
    text = text.strip()
    match = _ISO.fullmatch(text) or _BASIC_ISO.fullmatch(text)
    if match is None:
        return _read_mail_time(text) or _read_spelled_time(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    is_end_of_day = hour == _MIDNIGHT and not int(minute or 0) and not int(second or 0) and not int(fraction or 0)
    try:
        hours = 0 if is_end_of_day else int(hour or 0)
        moment = datetime(int(year), int(month), int(day or 1), hours, int(minute or 0), int(second or 0), tzinfo=UTC)
        offset = _offset_minutes(zone)
        moment += timedelta(days=1 if is_end_of_day else 0, minutes=-offset)
    except (ValueError, OverflowError):
        return None
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    return ZonedTime(int(moment.timestamp()) * 1000 + milliseconds, offset)


def read_time(value: Any) -> ZonedTime | None:
    """The time of a text as `read_iso` reads it, or of a number of milliseconds; None if it is unreadable."""
    time_ms = read_time_ms(value)
    return read_iso(value) if time_ms is None else ZonedTime(time_ms, 0)


def _read_mail_time(text: str) -> ZonedTime | None:
    if not _MAIL.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
        offset = moment.utcoffset() or timedelta()
        return ZonedTime(int(moment.replace(tzinfo=UTC).timestamp() - offset.total_seconds()) * 1000, offset // _MINUTE)
    except (ValueError, OverflowError):
        return None


def _read_spelled_time(text: str) -> ZonedTime | None:
    """The time of a text with the name of a month. Its offset is that in digits, as in Nightscout."""
    if len(text) > _MAX_SPELLED_LENGTH:
        return None
    spaced = " ".join(text.split())
    parts = next((match.groupdict() for pattern in _SPELLED if (match := pattern.fullmatch(spaced))), None)
    if parts is None or parts["month"][:3].lower() not in _MONTHS:
        return None
    hour = int(parts["hour"])
    if half := (parts["half"] or "").lower():
        if not 1 <= hour <= _HALF_DAY_HOURS:
            return None
        hour = hour % _HALF_DAY_HOURS + (_HALF_DAY_HOURS if half == "pm" else 0)
    offset = _offset_minutes(parts["offset"])
    away_minutes = offset or _HOURS_OF_ZONES.get((parts["zone"] or "").lower(), 0) * 60
    try:
        month = _MONTHS.index(parts["month"][:3].lower()) + 1
        day = datetime(int(parts["year"]), month, int(parts["day"]), hour, int(parts["minute"]), tzinfo=UTC)
        moment = day.replace(second=int(parts["second"] or 0)) - timedelta(minutes=away_minutes)
    except (ValueError, OverflowError):
        return None
    milliseconds = int((parts["fraction"] or "0").ljust(3, "0")[:3])
    return ZonedTime(int(moment.timestamp()) * 1000 + milliseconds, offset)


def read_time_ms(value: Any) -> int | None:
    """A time in milliseconds from a number; None for anything else, and outside the years 1970 to 9999."""
    return int(value) if is_number(value) and 0 < value <= MAX_MS else None


def _offset_minutes(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if zone.startswith("-") else minutes
