"""Times as the API reads and writes them. Source: data-model.md, section 2, Times.

A time is read as RFC 3339 with a mandatory zone, and a little beyond it as the reference does: a one-digit hour,
a comma before the fraction, and zone offsets up to 24:60. Years before 1 exist, so `datetime` cannot hold them all:
a `Moment` counts seconds.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

RFC3339_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"
LOCAL_LAYOUT = "2006-01-02T15:04:05"

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAYS_IN_400_YEARS = 146_097

_LOCAL = r"(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?"
_ZONE = r"(?:Z|([+-])(\d\d):(\d\d))"


class Moment(NamedTuple):
    """An instant, and the offset from UTC that it was written with."""

    epoch_s: int
    nanoseconds: int
    offset_s: int

    @property
    def epoch_ms(self) -> int:
        """Milliseconds since the epoch; finer digits are cut off."""
        return self.epoch_s * 1000 + self.nanoseconds // 1_000_000

    @property
    def is_zero(self) -> bool:
        """Year 1, January 1, 00:00:00 UTC: the reference's "no time"."""
        return self.epoch_s == _ZERO_EPOCH_S and not self.nanoseconds

    @property
    def stored(self) -> str:
        """As GET answers it: UTC with `Z`, milliseconds, trailing zeros trimmed."""
        return _format(self.epoch_s, self.nanoseconds // 1_000_000 * 1_000_000) + "Z"

    @property
    def sent(self) -> str:
        """As it was sent: same offset, same digits (nine at most), trailing zeros trimmed."""
        text = _format(self.epoch_s + self.offset_s, self.nanoseconds)
        if not self.offset_s:
            return text + "Z"
        hours, minutes = divmod(abs(self.offset_s) // 60, 60)
        return f"{text}{'-' if self.offset_s < 0 else '+'}{hours:02d}:{minutes:02d}"


_ZERO_EPOCH_S = (date(1, 1, 1).toordinal() - _EPOCH_ORDINAL) * 86_400


def parse_time(text: str) -> Moment | None:
    """The moment that an RFC 3339 text names; None when it names none."""
    match = re.fullmatch(_LOCAL + _ZONE, text, re.ASCII)
    if match is None:
        return None
    *local, sign, zone_hours, zone_minutes = match.groups()
    offset_s = 0
    if sign:
        # 24 hours and 60 minutes are let through, as the reference does: some write them.
        if int(zone_hours) > 24 or int(zone_minutes) > 60:
            return None
        offset_s = (int(zone_hours) * 60 + int(zone_minutes)) * 60 * (-1 if sign == "-" else 1)
    moment = _moment(*local)
    return moment and Moment(moment.epoch_s - offset_s, moment.nanoseconds, offset_s)


def parse_local_time(text: str) -> Moment | None:
    """The moment that a date-time without zone names when it is taken as UTC; None when it names none."""
    match = re.fullmatch(_LOCAL, text, re.ASCII)
    return match and _moment(*match.groups())


def _moment(
    year: str, month: str, day: str, hour: str, minute: str, second: str, fraction: str | None
) -> Moment | None:
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    # Year 0 is the leap year 400 of the calendar's cycle, moved back.
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
    # An offset can carry a time out of the years that `date` knows: shift by a whole cycle and back.
    cycles, day_of_cycle = divmod(days + _EPOCH_ORDINAL - 1, _DAYS_IN_400_YEARS)
    day = date.fromordinal(day_of_cycle + 1)
    text = f"{day.year + 400 * cycles:04d}-{day.month:02d}-{day.day:02d}T"
    text += f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{nanoseconds:09d}".rstrip("0") if nanoseconds else text
