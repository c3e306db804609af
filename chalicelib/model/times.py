"""Times as the API reads and writes them. Source: data-model 2, Times.

A time is RFC 3339 with a mandatory zone. As in the reference, a one-digit hour, a comma before the fraction, and zone
offsets up to 24:60 are accepted too. The year 0 is accepted, which `datetime` cannot hold, so a `Moment` counts
seconds.

`parse_time` and `parse_local_time` define what is a time. The fast path below them (`read_time`, `stored_time`, `is_…`)
reads the shapes that clients send in a fraction of the time, and calls them for the others.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from chalicelib.model.datum import FastPathMiss

RFC3339_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"
LOCAL_LAYOUT = "2006-01-02T15:04:05"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_DAYS_IN_400_YEARS = 146_097

_LOCAL_PATTERN = r"(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?"
_ZONE_PATTERN = r"(?:Z|([+-])(\d\d):(\d\d))"


class Moment(NamedTuple):
    """An instant, and the offset from UTC in which it was written."""

    epoch_s: int
    nanoseconds: int
    offset_s: int

    @property
    def epoch_ms(self) -> int:
        """Milliseconds since the epoch; finer digits are truncated."""
        return self.epoch_s * 1000 + self.nanoseconds // 1_000_000

    @property
    def is_zero(self) -> bool:
        """Whether this is year 1, January 1, 00:00:00 UTC, which the reference treats as "no time"."""
        return self.epoch_s == _ZERO_EPOCH_S and not self.nanoseconds

    @property
    def stored(self) -> str:
        """The time as GET answers it: UTC with `Z`, milliseconds, trailing zeros trimmed."""
        return _format(self.epoch_s, self.nanoseconds // 1_000_000 * 1_000_000) + "Z"

    @property
    def sent(self) -> str:
        """The time as it was sent: same offset, at most nine fractional digits, trailing zeros trimmed."""
        text = _format(self.epoch_s + self.offset_s, self.nanoseconds)
        if not self.offset_s:
            return text + "Z"
        hours, minutes = divmod(abs(self.offset_s) // 60, 60)
        return f"{text}{'-' if self.offset_s < 0 else '+'}{hours:02d}:{minutes:02d}"


_ZERO_EPOCH_S = (date(1, 1, 1).toordinal() - _EPOCH_ORDINAL) * 86_400
_FIRST_EPOCH_S = _ZERO_EPOCH_S - 366 * 86_400
_LAST_EPOCH_S = (date(9999, 12, 31).toordinal() - _EPOCH_ORDINAL + 1) * 86_400 - 1
"""The first and the last second that RFC 3339 can write in UTC: those of the years 0 and 9999."""


def parse_time(text: str) -> Moment | None:
    """The moment that an RFC 3339 text denotes; None if the text is not a time, or cannot be written in UTC."""
    match = re.fullmatch(_LOCAL_PATTERN + _ZONE_PATTERN, text, re.ASCII)
    if match is None:
        return None
    sign, zone_hours, zone_minutes = match.group(8, 9, 10)
    offset_s = 0
    if sign:
        # The reference accepts offsets of 24 hours and of 60 minutes.
        if int(zone_hours) > 24 or int(zone_minutes) > 60:
            return None
        offset_s = (int(zone_hours) * 60 + int(zone_minutes)) * 60 * (-1 if sign == "-" else 1)
    moment = _moment(match)
    if moment is None or not _FIRST_EPOCH_S <= moment.epoch_s - offset_s <= _LAST_EPOCH_S:
        return None
    return Moment(moment.epoch_s - offset_s, moment.nanoseconds, offset_s)


def parse_local_time(text: str) -> Moment | None:
    """The moment that a date-time without zone denotes in UTC; None if the text is not a date-time."""
    match = re.fullmatch(_LOCAL_PATTERN, text, re.ASCII)
    return match and _moment(match)


def format_time(time_ms: int) -> str:
    """Milliseconds since the epoch as GET answers them: UTC with `Z`, trailing zeros of the fraction trimmed."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return Moment(seconds, milliseconds * 1_000_000, 0).stored


def _moment(match: re.Match[str]) -> Moment | None:
    """The moment that the groups of the local pattern denote in UTC; None if there is no such time."""
    year, month, day, hour, minute, second, fraction = match.groups()[:7]
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    # The calendar repeats every 400 years: `date` computes year 0 as year 400.
    shift_years = 400 if year == "0000" else 0
    try:
        ordinal = date(int(year) + shift_years, int(month), int(day)).toordinal()
    except ValueError:
        return None
    days = ordinal - _EPOCH_ORDINAL - (_DAYS_IN_400_YEARS if shift_years else 0)
    epoch_s = days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    return Moment(epoch_s, int((fraction or "")[:9].ljust(9, "0")), 0)


def _format(epoch_s: int, nanoseconds: int) -> str:
    days, seconds = divmod(epoch_s, 86_400)
    # An offset can move a time out of the years that `date` holds: shift by whole cycles, and back.
    cycles, day_of_cycle = divmod(days + _EPOCH_ORDINAL - 1, _DAYS_IN_400_YEARS)
    day = date.fromordinal(day_of_cycle + 1)
    text = f"{day.year + 400 * cycles:04d}-{day.month:02d}-{day.day:02d}T"
    text += f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{nanoseconds:09d}".rstrip("0") if nanoseconds else text


# --- the fast path ----------------------------------------------------------------------------------------------------

# The separators: every third character, starting with the fifth.
_UTC_SEPARATORS = "--T::Z"
_FRACTION_SEPARATORS = "--T::."
_OFFSET_SEPARATORS = frozenset({"--T::+", "--T::-"})
_LOCAL_SEPARATORS = "--T::"

_SECONDS_LENGTH = len("2017-02-05T13:26:51Z")
_MILLISECONDS_LENGTH = len("2017-02-05T13:26:51.120Z")
_NANOSECONDS_LENGTH = len("2017-02-05T13:26:51.120000000Z")

_CACHED_TIMES = 4096


def read_time(text: object) -> tuple[str, int, str]:
    """A datum's time as stored, in milliseconds since the epoch, and as sent (see `datum.Datum`).

    Raises:
        FastPathMiss: it is not a time, or is the zero time.
    """
    if type(text) is not str:
        raise FastPathMiss
    instant = _common_instant(text)
    if instant is not None:
        stored = text if text[-2] != "0" or len(text) == _SECONDS_LENGTH else _common_trimmed(text)
        return stored, _epoch_ms(instant), stored
    instant = _instant(text)
    if instant is None:
        moment = _slow_moment(text)
        return moment.stored, moment.epoch_ms, moment.sent
    if text[-1] != "Z":
        return _in_utc(instant), _epoch_ms(instant), _sent_with_offset(text)
    return _trimmed(text, _MILLISECONDS_LENGTH), _epoch_ms(instant), _trimmed(text, _NANOSECONDS_LENGTH)


def stored_time(text: object) -> str:
    """A time as stored.

    Raises:
        FastPathMiss: it is not a time, or is the zero time.
    """
    if type(text) is not str:
        raise FastPathMiss
    stored = _common_stored(text) if len(text) <= _MILLISECONDS_LENGTH else None
    if stored is not None:
        return stored
    instant = _instant(text)
    if instant is None:
        return _slow_moment(text).stored
    return _in_utc(instant) if text[-1] != "Z" else _trimmed(text, _MILLISECONDS_LENGTH)


@lru_cache(maxsize=_CACHED_TIMES)
def _common_stored(text: str) -> str | None:
    """A time of a common shape as stored; None if it is invalid or has another shape.

    Cached, because the forecasts and histories of dosing decisions repeat the same few hundred times.
    """
    if _common_instant(text) is None:
        return None
    return text if text[-2] != "0" or len(text) == _SECONDS_LENGTH else _common_trimmed(text)


def is_zoned_time(text: str) -> bool:
    """Whether a text is a time with a zone."""
    return _common_instant(text) is not None or _instant(text) is not None or parse_time(text) is not None


def is_zero_time(text: str) -> bool:
    """Whether a text denotes the zero time, the first instant of year 1."""
    # With a negative offset it is written in the year 0.
    return text[:3] == "000" and (moment := parse_time(text)) is not None and moment.is_zero


def is_local_time(text: str) -> bool:
    """Whether a text is a date-time without zone."""
    if len(text) == _SECONDS_LENGTH - 1 and text[4::3] == _LOCAL_SEPARATORS and text[11:13] != "24":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return False
        return True
    return parse_local_time(text) is not None


def _common_instant(text: str) -> datetime | None:
    """The instant of a time in UTC with whole seconds or milliseconds; None if it is invalid or has another shape."""
    length = len(text)
    if length == _MILLISECONDS_LENGTH:
        if text[4:20:3] != _FRACTION_SEPARATORS or text[-1] != "Z":
            return None
    elif length != _SECONDS_LENGTH or text[4::3] != _UTC_SEPARATORS:
        return None
    return _from_iso(text)


def _instant(text: str) -> datetime | None:
    """The instant of a time; None if it is invalid, has an uncommon shape, or lies in the first or last year."""
    shape = text[4:20:3]
    if shape == _FRACTION_SEPARATORS:
        fraction = text[20:-1] if text[-1] == "Z" else text[20:-6]
        if not (fraction.isdigit() and fraction.isascii() and (text[-1] == "Z" or _has_offset(text))):
            return None
    elif not (shape in _OFFSET_SEPARATORS and _has_offset(text)):
        return None
    return _from_iso(text)


def _from_iso(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Python 3.14 reads hour 24 as hour 0 of the next day.
    return instant if 1 < instant.year < 9999 and (instant.hour or text[11:13] != "24") else None


def _epoch_ms(instant: datetime) -> int:
    elapsed = instant - _EPOCH
    return elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000


def _has_offset(text: str) -> bool:
    return text[-6] in "+-" and text[-3] == ":" and text[-2] < "6"


def _in_utc(instant: datetime) -> str:
    # The text ends in `+00:00`.
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds")[:-6]
    return f"{text.rstrip('0').rstrip('.') if text[-1] == '0' else text}Z"


def _sent_with_offset(text: str) -> str:
    local, offset = text[:-6][: _NANOSECONDS_LENGTH - 1], text[-6:]
    if "." in local:
        local = local.rstrip("0").rstrip(".")
    return f"{local}Z" if offset[1:] == "00:00" else local + offset


def _common_trimmed(text: str) -> str:
    return f"{text[:19]}Z" if text[19:23] == ".000" else _trimmed(text, _MILLISECONDS_LENGTH)


def _trimmed(text: str, length: int) -> str:
    return f"{text[:-1][: length - 1].rstrip('0').rstrip('.')}Z"


def _slow_moment(text: str) -> Moment:
    moment = parse_time(text)
    if moment is None or moment.is_zero:
        raise FastPathMiss
    return moment
