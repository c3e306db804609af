"""Records an event: makes the stored message from a request, and puts it into the stream.

The message holds the subject of the event as a salted hash only. The hash also replaces the subject's id in the path,
the address, the event's name and the query. Source: metrics-api 1 and 2.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote

import orjson

from chalicelib.access.call import Call, SessionReader, token_hash
from chalicelib.errors import InvalidTokenError, UnauthorizedError, WrongKindOfCallerError
from chalicelib.frozen import frozen
from chalicelib.metrics.ports import MetricsPorts
from chalicelib.metrics.query import nested

MESSAGE_TYPE = "metrics:create"
HASH_DIGITS = 10
MIN_ID_LENGTH = 8
"""A shorter subject is not an id: it may be a part of other words, and is replaced only where it stands alone."""


class SubjectKind(Enum):
    """The subject of an event."""

    USER = "user"
    """The user whom the path names."""
    THIS_USER = "thisuser"
    """The user who sends the event."""
    SERVER = "server"
    """The server that the path names."""


PATH_PARAMETER = {SubjectKind.USER: "userid", SubjectKind.SERVER: "servername"}
"""The name of the subject in an event's `params`. The subject of THIS_USER is not in the path."""


@frozen
class Occurrence:
    """An event as a request reports it."""

    kind: SubjectKind
    subject: str
    event_name: str
    query: Mapping[str, Sequence[str]]


def this_user(call: Call) -> str:
    """The id of the user who calls.

    Raises:
        WrongKindOfCallerError: the caller is not a user, or may not record events of its own.
    """
    user_id = call.caller.user_id
    if user_id is None:
        raise WrongKindOfCallerError
    require_recorder(call, user_id)
    return user_id


def require_recorder(call: Call, user_id: str | None = None) -> None:
    """Raise unless the caller may record events of a user, or, without one, of servers.

    Raises:
        WrongKindOfCallerError: the caller may not.
    """
    try:
        call.require(user_id)
    except UnauthorizedError as error:
        raise WrongKindOfCallerError from error


def require_valid_token(call: Call, session_token: str | None, sessions: SessionReader) -> None:
    """Raise if a token was sent that is not valid.

    Raises:
        InvalidTokenError: the session of the token expired, or there is none.

    Source: metrics-api 1.
    """
    if session_token is None:
        return
    session = sessions.find(token_hash(session_token))
    if session is None or session.expires_time_ms <= call.now_ms:
        raise InvalidTokenError


def record(call: Call, occurrence: Occurrence, ports: MetricsPorts) -> None:
    """Put an event into the stream, in one attempt.

    Raises:
        UnavailableError: the stream did not confirm it in time, and the event counts as lost.
    """
    subject_hash = hash_subject(occurrence.subject, ports.salt())
    ports.stream.put(subject_hash, orjson.dumps(event_message(call, occurrence, subject_hash)))


def hash_subject(subject: str, salt: str) -> str:
    """The first ten hexadecimal digits of the SHA-1 of salt and subject, as on the reference platform."""
    return hashlib.sha1(f"{salt}{subject}".encode(), usedforsecurity=False).hexdigest()[:HASH_DIGITS]


def event_message(call: Call, occurrence: Occurrence, subject_hash: str) -> dict[str, Any]:
    """The stored message: the members of the reference platform's, an id, and the time of the call.

    `url` is composed from its parts, since gateways pass on only these.
    """
    event_name, query = occurrence.event_name, occurrence.query
    if occurrence.kind is not SubjectKind.SERVER:
        event_name = _replace_subject(occurrence.subject, subject_hash, event_name)
        query = {
            _replace_subject(occurrence.subject, subject_hash, name): [
                _replace_subject(occurrence.subject, subject_hash, value) for value in values
            ]
            for name, values in query.items()
        }
    in_path = PATH_PARAMETER.get(occurrence.kind)
    return {
        "type": MESSAGE_TYPE,
        "id": call.new_id(),
        "time": time_text(call.now_ms),
        "user": subject_hash,
        "eventName": event_name,
        "event": nested(query),
        "params": ({in_path: subject_hash} if in_path else {}) | {"eventname": event_name},
        "url": _url(occurrence.kind, subject_hash, event_name, query),
        "method": "GET",
    }


def time_text(time_ms: int) -> str:
    """The time as RFC 3339 in UTC with milliseconds, always of the same length."""
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _replace_subject(subject: str, subject_hash: str, text: str) -> str:
    """The text with the hash in place of each occurrence of the subject."""
    if text == subject:
        return subject_hash
    return text.replace(subject, subject_hash) if len(subject) >= MIN_ID_LENGTH else text


def _url(kind: SubjectKind, subject_hash: str, event_name: str, query: Mapping[str, Sequence[str]]) -> str:
    segments = [kind.value] if kind is SubjectKind.THIS_USER else [kind.value, subject_hash]
    path = "/".join(["", "metrics", *segments, quote(event_name, safe="")])
    pairs = [f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, values in query.items() for value in values]
    return path + ("?" + "&".join(pairs) if pairs else "")
