"""Local time of a zone of the IANA database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from chalicelib.durations import DAY_S
from chalicelib.frozen import frozen
from chalicelib.model.text_formats import TIME_ZONE

UTC_NAME = "UTC"
_SLOT_S = 900
"""Clocks change at multiples of a quarter of an hour."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)


@frozen
class Zone:
    """A time zone, by its name."""

    name: str
    rules: tzinfo

    def local_minutes(self, times_ms: Sequence[int]) -> list[int]:
        """The time of clocks on the wall at these times, in minutes since 1970-01-01T00:00 on such a clock."""
        offsets: dict[int, int] = {}
        constant: dict[int, int | None] = {}
        found = []
        for time_ms in times_ms:
            time_s = time_ms // 1000
            day = time_s // DAY_S
            if day not in constant:
                constant[day] = self._constant_offset_s(day)
            offset_s = constant[day]
            if offset_s is None:
                slot = time_s // _SLOT_S
                if slot not in offsets:
                    offsets[slot] = self._offset_s(slot * _SLOT_S)
                offset_s = offsets[slot]
            found.append((time_s + offset_s) // 60)
        return found

    def _constant_offset_s(self, day: int) -> int | None:
        """The offset from UTC on a day in UTC; None if it changes on that day."""
        first, last = self._offset_s(day * DAY_S), self._offset_s((day + 1) * DAY_S - _SLOT_S)
        return first if first == last else None

    def _offset_s(self, time_s: int) -> int:
        try:
            offset = (_EPOCH + timedelta(seconds=time_s)).astimezone(self.rules).utcoffset()
        except OverflowError:  # the first and the last day of the calendar
            return 0
        return 0 if offset is None else int(offset.total_seconds())


def zone_named(name: str) -> Zone | None:
    """The zone of this name; None if there is none."""
    # Imported late: only profiles need it.
    from zoneinfo import ZoneInfo

    return Zone(name, ZoneInfo(name)) if TIME_ZONE.accepts(name) else None


def local_date(day: int) -> str:
    """The date of a day, counted from 1970-01-01."""
    return (_FIRST_DAY + timedelta(days=day)).isoformat()
