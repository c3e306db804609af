"""Recording an event: what is kept of a request, and how it is handed on.

The subject of an event is kept as a salted hash only. Its id is taken out of everything else that is kept, too: path,
address, and what the client says in the name and the query. Source: metrics-api 1 and 2.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote

import orjson

from chalicelib.access.call import Caller, SessionReader, token_hash
from chalicelib.errors import InvalidTokenError, WrongKindOfCallerError
from chalicelib.metrics.ports import MetricsPorts
from chalicelib.metrics.query import nested

MESSAGE_TYPE = "metrics:create"
HASH_DIGITS = 10
MIN_ID_LENGTH = 8
"""A shorter subject is no id: as a part of other words it says nothing of anybody, and is left there."""


class SubjectKind(Enum):
    """Whom an event is about."""

    USER = "user"
    """The user whom the path names."""
    THIS_USER = "thisuser"
    """The user who sends the event."""
    SERVER = "server"
    """The server that the path names."""


PATH_PARAMETER = {SubjectKind.USER: "userid", SubjectKind.SERVER: "servername"}
"""What the reference calls the subject among an event's `params`; that of THIS_USER is in no path."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """That something happened, as a request tells it."""

    kind: SubjectKind
    subject: str
    event_name: str
    query: Mapping[str, Sequence[str]]
    time_ms: int


def this_user(caller: Caller) -> str:
    """The id of the user who calls.

    Raises:
        WrongKindOfCallerError: the caller is a server.
    """
    if caller.is_server or caller.user_id is None:
        raise WrongKindOfCallerError
    return caller.user_id


def require_server(caller: Caller) -> None:
    """Nothing, when the caller is a server.

    Raises:
        WrongKindOfCallerError: it is a user.
    """
    if not caller.is_server:
        raise WrongKindOfCallerError


def check_optional_token(session_token: str | None, sessions: SessionReader, now_ms: int) -> None:
    """Nothing, when no token was sent, or one that is valid.

    Raises:
        InvalidTokenError: a token was sent and is not valid.

    Source: metrics-api 1.
    """
    if session_token is None:
        return
    session = sessions.find(token_hash(session_token))
    if session is None or session.expires_time_ms <= now_ms:
        raise InvalidTokenError


def record(occurrence: Occurrence, event_id: str, ports: MetricsPorts) -> None:
    """Nothing, once the event is handed on. Nothing is tried twice: fire and forget.

    Raises:
        UnavailableError: it was not handed on in time, and counts as lost.
    """
    subject_hash = hash_subject(occurrence.subject, ports.salt())
    ports.stream.put(subject_hash, orjson.dumps(event_message(occurrence, event_id, subject_hash)))


def hash_subject(subject: str, salt: str) -> str:
    """The first ten hexadecimal digits of the SHA-1 of salt and subject, as the reference has it."""
    return hashlib.sha1(f"{salt}{subject}".encode(), usedforsecurity=False).hexdigest()[:HASH_DIGITS]


def event_message(occurrence: Occurrence, event_id: str, subject_hash: str) -> dict[str, Any]:
    """What is kept of an occurrence, with the members that the reference gives it, an id and our time.

    `url` is written anew from its parts, since gateways hand on the parts only.
    """
    event_name, query = occurrence.event_name, occurrence.query
    if occurrence.kind is not SubjectKind.SERVER:
        event_name = _without(occurrence.subject, subject_hash, event_name)
        query = {
            _without(occurrence.subject, subject_hash, name): [
                _without(occurrence.subject, subject_hash, value) for value in values
            ]
            for name, values in query.items()
        }
    in_path = PATH_PARAMETER.get(occurrence.kind)
    return {
        "type": MESSAGE_TYPE,
        "id": event_id,
        "time": time_text(occurrence.time_ms),
        "user": subject_hash,
        "eventName": event_name,
        "event": nested(query),
        "params": ({in_path: subject_hash} if in_path else {}) | {"eventname": event_name},
        "url": _url(occurrence.kind, subject_hash, event_name, query),
        "method": "GET",
    }


def time_text(time_ms: int) -> str:
    """RFC 3339 in UTC with three digits of fraction, always of one length."""
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _without(subject: str, subject_hash: str, text: str) -> str:
    """The text with the hash wherever it has the subject."""
    if text == subject:
        return subject_hash
    return text.replace(subject, subject_hash) if len(subject) >= MIN_ID_LENGTH else text


def _url(kind: SubjectKind, subject_hash: str, event_name: str, query: Mapping[str, Sequence[str]]) -> str:
    segments = [kind.value] if kind is SubjectKind.THIS_USER else [kind.value, subject_hash]
    path = "/".join(["", "metrics", *segments, quote(event_name, safe="")])
    pairs = [f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, values in query.items() for value in values]
    return path + ("?" + "&".join(pairs) if pairs else "")
