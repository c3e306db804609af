"""Notes: what people wrote about a moment in a user's data, and the replies to it. Source: message 2."""

import hashlib
from typing import Any

from chalicelib import json_text
from chalicelib.frozen import frozen
from chalicelib.model.times import format_time

ID_LENGTH = 24
FIRST_TIME_MS = -62_135_596_800_000
"""The start of the year 1, the first time that a note can be about: not every language can write earlier ones."""


@frozen
class Note:
    """A note, or a reply to one.

    `id` follows from who wrote what, so a note that is sent again is the same note.
    """

    id: str
    guid: str
    """The id that the client chose; several notes may have the same one."""
    owner_id: str
    """The user whose data the note is about."""
    author_id: str
    time_ms: int
    """The moment that the note is about, in milliseconds since the epoch."""
    timestamp: str
    """The same as it was sent, in the author's zone."""
    text: str
    created_time_ms: int
    parent_id: str | None = None
    """The note that this one replies to; None for a note."""
    version: int = 1
    """Counts the changes."""


@frozen
class TimeRange:
    """Times from `from_ms` up to but without `before_ms`, in milliseconds since the epoch; None means no bound."""

    from_ms: int | None = None
    before_ms: int | None = None

    def since(self, from_ms: int | None) -> "TimeRange":
        """The times of the range from this one on; None means no limit."""
        if from_ms is None or (self.from_ms is not None and self.from_ms >= from_ms):
            return self
        return TimeRange(from_ms, self.before_ms)


@frozen
class Content:
    """The text of an author: the members of a message that a client sets."""

    guid: str
    time_ms: int
    timestamp: str
    text: str


def new_note(owner_id: str, author_id: str, content: Content, created_time_ms: int, parent_id: str | None) -> Note:
    """The note with this content."""
    named = [owner_id, author_id, parent_id, content.guid, content.timestamp, content.text]
    id_ = hashlib.sha256(json_text.encode(named)).hexdigest()[:ID_LENGTH]
    return Note(
        id_,
        content.guid,
        owner_id,
        author_id,
        content.time_ms,
        content.timestamp,
        content.text,
        created_time_ms,
        parent_id,
    )


def message_object(note: Note, full_name: str | None) -> dict[str, Any]:
    """A note as clients read it; `full_name` is that of its author, if there is one."""
    message: dict[str, Any] = {
        "id": note.id,
        "guid": note.guid,
        "parentmessage": note.parent_id,
        "userid": note.author_id,
        "groupid": note.owner_id,
        "timestamp": note.timestamp,
        "createdtime": format_time(note.created_time_ms),
        "messagetext": note.text,
    }
    return message if full_name is None else message | {"user": {"fullName": full_name}}
