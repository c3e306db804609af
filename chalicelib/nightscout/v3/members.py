"""Members of documents as v3 completes, checks and shows them. Source: nightscout-api 9."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.durations import MINUTE_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.model.json_values import is_number, plain_number
from chalicelib.nightscout.document import VALID, Collection, Document
from chalicelib.nightscout.modification import SRV_MODIFIED
from chalicelib.nightscout.sent_documents import sent_documents
from chalicelib.nightscout.times import LAST_MS, ZonedTime, iso_time, read_iso

IDENTIFIER = "identifier"
SRV_CREATED = "srvCreated"
SUBJECT = "subject"
MODIFIED_BY = "modifiedBy"
OF_SERVER = (SRV_CREATED, SRV_MODIFIED, SUBJECT, MODIFIED_BY)
IMMUTABLE = (IDENTIFIER, "date", "utcOffset", "eventType", "device", "app", *OF_SERVER, VALID)
"""The members that no change may alter."""
_TIMES = ("created_at", "date")
READ_ONLY = ("isReadOnly", "readOnly", "readonly")
MIN_DATE_MS = 946_684_800_000
"""The first millisecond of the year 2000. Smaller numbers are seconds."""
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?", re.ASCII)
MAX_OFFSET_MINUTES = 1440
MAX_IDENTIFIER_LENGTH = 500
NAMESPACE = uuid.UUID(bytes=b"NightscoutRocks!")

Body = Mapping[str, Any]


def sent_document(sent: Any) -> dict[str, Any]:
    """The document of a body, without `_id` and without what does not belong into documents.

    Raises:
        InvalidRequestError: the body is not an object, or an empty one, or is nested too deeply.
    """
    documents = sent_documents(sent) if isinstance(sent, dict) else []
    if not documents:
        raise InvalidRequestError("Bad or missing request body")
    return {name: value for name, value in documents[0].items() if name != "_id"}


def completed(sent: Body) -> dict[str, Any]:
    """A document to store with its date, offset, time of creation and identifier, without the members of the server.

    Raises:
        InvalidRequestError: one of these, or `app`, is missing or bad.
    """
    body = {name: value for name, value in sent.items() if name not in OF_SERVER}
    zoned = read_date(body.get("date")) or read_date(body.get("created_at"))
    if zoned is None or not zoned.time_ms > MIN_DATE_MS:
        raise _bad("date")
    body["date"] = zoned.time_ms
    body["created_at"] = iso_time(zoned.time_ms)
    offset = body.setdefault("utcOffset", zoned.offset_minutes)
    if not is_number(offset) or not -MAX_OFFSET_MINUTES <= offset <= MAX_OFFSET_MINUTES:
        raise _bad("utcOffset")
    if not _is_name(body.get("app")):
        raise _bad("app")
    if not body.get(IDENTIFIER):
        body[IDENTIFIER] = _identifier(body)
    if not _is_name(body[IDENTIFIER]) or len(body[IDENTIFIER]) > MAX_IDENTIFIER_LENGTH:
        raise _bad(IDENTIFIER)
    return body


def require_unchanged(sent: Body, stored: Document, names: Sequence[str] = IMMUTABLE) -> None:
    """Raise unless immutable members have their stored values. Those of the client that the stored document lacks may
    be set.

    Raises:
        InvalidRequestError: a member would change, or the document is read-only.
    """
    if stored.is_read_only or any(stored.body.get(name) is True for name in READ_ONLY):
        raise InvalidRequestError("Trying to modify read-only document")
    known = {VALID: True} | shown(stored)
    for name in names:
        value = known.get(name)
        is_settable = value is None and name not in OF_SERVER
        if name in sent and sent[name] != value and not is_settable:
            zoned = read_date(sent[name]) if name == "date" else None
            if zoned is None or zoned.time_ms != value:
                raise InvalidRequestError(f"Field {name} cannot be modified by the client")


def duration_of(sent: Body, stored: Body) -> dict[str, Any]:
    """The duration of a document in all its forms: in minutes, in milliseconds, and the end; nothing if it has none.

    Args:
        sent: the members that a client sent. What they say counts: the end, else milliseconds, else minutes.
        stored: the document that they change, whose duration counts if none was sent; empty for a whole document.
    """
    base_ms = _base_ms(sent, stored)
    if base_ms is None:
        return {}
    end_ms = _number(sent.get("endmills"))
    for body in (sent, stored) if end_ms is None else ():
        if "durationInMilliseconds" in body:
            duration_ms = _number(body["durationInMilliseconds"]) or 0
            end_ms = base_ms + duration_ms if duration_ms > 0 else None
            break
        if "duration" in body:
            end_ms = base_ms + (_number(body["duration"]) or 0) * MINUTE_MS
            break
    if end_ms is None or end_ms < base_ms:
        return {}
    duration_ms = plain_number(end_ms - base_ms)
    minutes = int(duration_ms / MINUTE_MS + 0.5)
    return {"duration": minutes, "durationInMilliseconds": duration_ms, "endmills": plain_number(end_ms)}


def _base_ms(sent: Body, stored: Body) -> float | None:
    """The time at which a document's duration begins; None if there is none."""
    places = ((sent, "mills"), (stored, "mills"), *((body, name) for body in (sent, stored) for name in _TIMES))
    for body, name in places:
        moment = read_iso(body.get(name))
        time_ms = _number(body.get(name)) if moment is None else moment.time_ms
        if time_ms is not None:
            return time_ms
    return None


def shown(document: Document) -> dict[str, Any]:
    """A document as v3 shows it. One that v1 stored has its `_id` as identifier, and is dated and modified as others
    are."""
    body = {name: value for name, value in document.body.items() if name != "_id"}
    body.setdefault(IDENTIFIER, document.id)
    if SRV_MODIFIED not in body:
        # A document made of other data has no place in the order of changes: it counts as modified at its own time.
        modified_ms = max(0, document.time_ms) if document.is_read_only else document.modified_ms
        body[SRV_MODIFIED] = modified_ms
        body.setdefault(SRV_CREATED, modified_ms)
    if SUBJECT not in body and (document.collection is not Collection.PROFILE or "date" not in body):
        body["date"] = document.time_ms
    return body


def projected(body: Body, fields: Sequence[str]) -> Body:
    """A document with these members; with all of them for no names."""
    return {name: body[name] for name in fields if name in body} if fields else body


def read_date(value: Any) -> ZonedTime | None:
    """The time of a number of milliseconds or seconds, of its digits, or of a text; None if it is unreadable, or before
    the year 2000."""
    number = number_in(value) if isinstance(value, str) else _number(value)
    moment = read_iso(value) if number is None else _moment_of(number)
    return None if moment is None or moment.time_ms < MIN_DATE_MS else moment


def read_since(text: str) -> ZonedTime | None:
    """The time since which changes are asked for, as `read_date`, but of any year; None if it is unreadable."""
    number = number_in(text)
    return read_iso(text) if number is None else _moment_of(number)


def _moment_of(number: float) -> ZonedTime | None:
    if not 0 < number <= LAST_MS:
        return None
    return ZonedTime(int(number) * 1000 if number < MIN_DATE_MS else int(number), 0)


def number_in(text: str) -> float | None:
    """The number that a text spells, with nothing around it but spaces; None if it spells none."""
    return plain_number(float(text)) if _NUMBER.fullmatch(text.strip()) else None


def _identifier(body: Body) -> str:
    """The identifier that Nightscout makes of device, date and event, so that repeats have the same one."""
    device = body.get("device", "undefined")
    event = [body["eventType"]] if body.get("eventType") else []
    parts = ["null" if device is None else device, body["date"], *event]
    return str(uuid.uuid5(NAMESPACE, "_".join(map(str, parts))))


def _bad(name: str) -> InvalidRequestError:
    return InvalidRequestError(f"Bad or missing {name} field")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _number(value: Any) -> float | None:
    return value if is_number(value) else None
