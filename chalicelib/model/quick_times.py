"""The times that clients really send, read in a fraction of the time that `times` takes.

Anything unusual, right or wrong, is left to `times` or raises `Doubt`. Source: data-model.md, section 2, Times.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from chalicelib.model.doubt import Doubt
from chalicelib.model.times import Moment, parse_local_time, parse_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Every third character from the fifth on.
_IN_UTC = "--T::Z"
_WITH_FRACTION = "--T::."
_WITH_OFFSET = frozenset({"--T::+", "--T::-"})
_LOCAL = "--T::"

_SECONDS_LENGTH = len("2017-02-05T13:26:51Z")
_MILLISECONDS_LENGTH = len("2017-02-05T13:26:51.120Z")
_NANOSECONDS_LENGTH = len("2017-02-05T13:26:51.120000000Z")

_REMEMBERED_TIMES = 4096


def read_time(text: object) -> tuple[str, int, str]:
    """A datum's time as stored, in milliseconds since the epoch, and as sent (see `datum.Datum`)."""
    if type(text) is not str:
        raise Doubt
    instant = _usual_instant(text)
    if instant is not None:
        stored = text if text[-2] != "0" or len(text) == _SECONDS_LENGTH else _usual_trimmed(text)
        return stored, _epoch_ms(instant), stored
    instant = _instant(text)
    if instant is None:
        moment = _unusual(text)
        return moment.stored, moment.epoch_ms, moment.sent
    if text[-1] != "Z":
        return _in_utc(instant), _epoch_ms(instant), _sent_with_offset(text)
    return _trimmed(text, _MILLISECONDS_LENGTH), _epoch_ms(instant), _trimmed(text, _NANOSECONDS_LENGTH)


def stored_time(text: object) -> str:
    """A time as stored."""
    if type(text) is not str:
        raise Doubt
    stored = _usual_stored(text) if len(text) <= _MILLISECONDS_LENGTH else None
    if stored is not None:
        return stored
    instant = _instant(text)
    if instant is None:
        return _unusual(text).stored
    return _in_utc(instant) if text[-1] != "Z" else _trimmed(text, _MILLISECONDS_LENGTH)


@lru_cache(maxsize=_REMEMBERED_TIMES)
def _usual_stored(text: str) -> str | None:
    """A time of the usual shape as stored; None when it is wrong, or of another shape.

    The forecasts and histories of dosing decisions name the same few hundred times again and again.
    """
    if _usual_instant(text) is None:
        return None
    return text if text[-2] != "0" or len(text) == _SECONDS_LENGTH else _usual_trimmed(text)


def is_zoned_time(text: str) -> bool:
    """Whether a text is a time with a zone."""
    return _usual_instant(text) is not None or _instant(text) is not None or parse_time(text) is not None


def is_zero_time(text: str) -> bool:
    """Whether a text is a time, and that is the first instant of the year 1."""
    # An offset can carry it into the year 0.
    return text[:3] == "000" and (moment := parse_time(text)) is not None and moment.is_zero


def is_local_time(text: str) -> bool:
    """Whether a text is a date-time without zone."""
    if len(text) == _SECONDS_LENGTH - 1 and text[4::3] == _LOCAL and text[11:13] != "24":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return False
        return True
    return parse_local_time(text) is not None


def _usual_instant(text: str) -> datetime | None:
    """The instant of a time in UTC with whole seconds or milliseconds; None when it is wrong, or of another shape."""
    length = len(text)
    if length == _MILLISECONDS_LENGTH:
        if text[4:20:3] != _WITH_FRACTION or text[-1] != "Z":
            return None
    elif length != _SECONDS_LENGTH or text[4::3] != _IN_UTC:
        return None
    return _from_iso(text)


def _instant(text: str) -> datetime | None:
    """The instant that a time names; None when the text is wrong, of an unusual shape, or at the calendar's ends."""
    shape = text[4:20:3]
    if shape == _WITH_FRACTION:
        fraction = text[20:-1] if text[-1] == "Z" else text[20:-6]
        if not (fraction.isdigit() and fraction.isascii() and (text[-1] == "Z" or _has_offset(text))):
            return None
    elif not (shape in _WITH_OFFSET and _has_offset(text)):
        return None
    return _from_iso(text)


def _from_iso(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Python 3.14 reads hour 24 as the next day's first.
    return instant if 1 < instant.year < 9999 and (instant.hour or text[11:13] != "24") else None


def _epoch_ms(instant: datetime) -> int:
    since = instant - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _has_offset(text: str) -> bool:
    return text[-6] in "+-" and text[-3] == ":" and text[-2] < "6"


def _in_utc(instant: datetime) -> str:
    # A datetime in UTC ends in `+00:00`.
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds")[:-6]
    return f"{text.rstrip('0').rstrip('.') if text[-1] == '0' else text}Z"


def _sent_with_offset(text: str) -> str:
    local, offset = text[:-6][: _NANOSECONDS_LENGTH - 1], text[-6:]
    if "." in local:
        local = local.rstrip("0").rstrip(".")
    return f"{local}Z" if offset[1:] == "00:00" else local + offset


def _usual_trimmed(text: str) -> str:
    return f"{text[:19]}Z" if text[19:23] == ".000" else _trimmed(text, _MILLISECONDS_LENGTH)


def _trimmed(text: str, length: int) -> str:
    return f"{text[:-1][: length - 1].rstrip('0').rstrip('.')}Z"


def _unusual(text: str) -> Moment:
    moment = parse_time(text)
    if moment is None or moment.is_zero:
        raise Doubt
    return moment
