"""Checks of what clients send about notes: bodies and times. Source: message 3."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import json_text
from chalicelib.errors import InvalidFieldsError, InvalidRequestError, MalformedJsonError, TooLargeError
from chalicelib.frozen import frozen
from chalicelib.model.errors import between, length_out_of_range, value_not_parsable
from chalicelib.model.times import RFC3339_LAYOUT, Moment, parse_local_time, parse_time
from chalicelib.notes.note import FIRST_TIME_MS, Content, TimeRange

MAX_TEXT_BYTES = 10 * 1024
MAX_GUID_LENGTH = 256

GUID, TIMESTAMP, TEXT = "guid", "timestamp", "messagetext"


@frozen
class Edit:
    """The changes of a note; None leaves a member as it is. `timestamp` and `time_ms` are the same time."""

    timestamp: str | None
    time_ms: int | None
    text: str | None


def parse_message(body: Any) -> Content:
    """The content of a new note or reply.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidRequestError: a member is missing, empty or not a text; the error names each.
        InvalidFieldsError: the time cannot be read, or the guid is too long.
        TooLargeError: the text is larger than `MAX_TEXT_BYTES`.
    """
    given = _texts(body)
    missing = {name: "property is required" for name in (GUID, TIMESTAMP, TEXT) if name not in given}
    if missing:
        raise InvalidRequestError(json_text.encode(missing).decode())
    if len(given[GUID]) > MAX_GUID_LENGTH:
        fault = length_out_of_range(len(given[GUID]), between(1, MAX_GUID_LENGTH))
        raise InvalidFieldsError((fault.at(f"/message/{GUID}"),))
    time_ms = _time_ms(given[TIMESTAMP])
    return Content(given[GUID], time_ms, given[TIMESTAMP], _fitting(given[TEXT]))


def parse_edit(body: Any) -> Edit:
    """The changes of a note.

    Raises:
        MalformedJsonError: the body is not an object.
        InvalidRequestError: there is neither a text nor a time.
        InvalidFieldsError: the time cannot be read.
        TooLargeError: the text is larger than `MAX_TEXT_BYTES`.
    """
    given = _texts(body)
    if TIMESTAMP not in given and TEXT not in given:
        raise InvalidRequestError(json_text.encode({"edited": "either messagetext or timestamp is required"}).decode())
    timestamp, text = given.get(TIMESTAMP), given.get(TEXT)
    return Edit(timestamp, None if timestamp is None else _time_ms(timestamp), None if text is None else _fitting(text))


def parse_times(query: Mapping[str, Sequence[str]]) -> TimeRange:
    """The times that `starttime` and `endtime` select; an empty value selects nothing.

    Raises:
        InvalidFieldsError: a value is not a time.
    """
    bounds = {}
    for name in ("starttime", "endtime"):
        values = query.get(name, ())
        bounds[name] = _bound_ms(values[0], name) if values and values[0] else None
    return TimeRange(bounds["starttime"], bounds["endtime"])


def _texts(body: Any) -> dict[str, str]:
    """The members of the message that are texts and not empty, as the reference looks at them."""
    if not isinstance(body, dict):
        raise MalformedJsonError("the body is not an object")
    message = body.get("message")
    if not isinstance(message, dict):
        return {}
    texts = {name: message.get(name) for name in (GUID, TIMESTAMP, TEXT)}
    return {name: text for name, text in texts.items() if isinstance(text, str) and text}


def _fitting(text: str) -> str:
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise TooLargeError(MAX_TEXT_BYTES, f"the text of a note may have at most {MAX_TEXT_BYTES} bytes")
    return text


def _time_ms(text: str) -> int:
    moment = parse_time(text)
    if moment is None or moment.epoch_ms < FIRST_TIME_MS:
        raise InvalidFieldsError((value_not_parsable(text, RFC3339_LAYOUT).at(f"/message/{TIMESTAMP}"),))
    return moment.epoch_ms


def _bound_ms(text: str, name: str) -> int:
    """A bound of the times to list: a time, or a local time or a day, which are read as UTC."""
    # Some clients do not encode the "+" of an offset, and then it arrives as a blank.
    text = text.replace(" ", "+", 1)
    moment: Moment | None = parse_time(text) or parse_local_time(text) or parse_local_time(f"{text}T00:00:00")
    if moment is None:
        raise InvalidFieldsError((value_not_parsable(text, RFC3339_LAYOUT).at(parameter=name),))
    return max(moment.epoch_ms, FIRST_TIME_MS)
