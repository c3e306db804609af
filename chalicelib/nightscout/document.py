"""Documents: what apps store by the Nightscout API, in collections, each under a key. Source: nightscout-api 5, 14, 17.

A document is kept as a record of a log of its own. Its key is what tells whether another document is the same one, as
a digest: it is the origin id of the record, so the log replaces and deletes documents as it does any records.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from chalicelib import json_text
from chalicelib.errors import InvalidRequestError
from chalicelib.frozen import frozen
from chalicelib.model.datum import Datum
from chalicelib.nightscout.times import iso_time

DOCUMENT = "document"
"""The member of a stored record that holds the document."""
TIME = "time"
"""The member that holds its time, in milliseconds since the epoch."""
MAX_BYTES = 300 * 1024
"""A document as JSON: more than any app sends, and less than an item of the table holds."""
OBJECT_ID = re.compile("[0-9a-f]{24}")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
STORED_ID = "Must be 24-character hex string or omit for auto-generation."
REPLACED_ID = "Must be 24-character hex string."
"""The rules for the `_id` of a document to store, and of one to replace or delete."""
MAX_SHOWN = 100
"""Characters of a wrong `_id` that an answer shows."""
VALID = "isValid"
"""The member that is false in a deleted document, which v3 shows to apps that ask for changes."""
_MODIFIED = "modified"
_KEY_DIGITS = 16
_LAST_SECOND = 0xFFFFFFFF


class Collection(StrEnum):
    """The collections whose documents are kept in the log."""

    ENTRIES = "entries"
    TREATMENTS = "treatments"
    PROFILE = "profile"
    FOOD = "food"
    ACTIVITY = "activity"
    SETTINGS = "settings"


class InvalidIdError(InvalidRequestError):
    """An `_id` has another form than 24 hexadecimal digits, where another form is refused."""

    def __init__(self, rule: str, sent: str) -> None:
        super().__init__("Invalid _id format")
        self.description = f"{rule} Got: {sent[:MAX_SHOWN]}"


@frozen
class Document:
    """A document with what finds it: its collection, the digest of its key, and its time."""

    collection: Collection
    key: str
    time_ms: int
    body: dict[str, Any]
    """As it is returned, with `_id`."""
    is_read_only: bool = False
    """True if it is made of data that came by another API, so that no client of this one changes it."""
    modified_ms: int = field(default=0, compare=False)
    """Its `srvModified`: when it was stored, as a number that no other document of the user has. 0 before that."""

    @property
    def body_of_v1(self) -> dict[str, Any]:
        """As v1 shows it: apps of v1 need `dateString`, which v3 does not store."""
        if self.collection is not Collection.ENTRIES or "dateString" in self.body:
            return self.body
        return self.body | {"dateString": iso_time(self.time_ms)}

    @property
    def is_deleted(self) -> bool:
        """Whether it only tells that there was such a document."""
        return self.body.get(VALID) is False

    @property
    def id(self) -> str:
        """Its `_id`: 24 hexadecimal digits."""
        return str(self.body["_id"])


def document_key(collection: str, *parts: str) -> str:
    """The digest of a key: 16 hexadecimal digits."""
    joined = "\0".join((collection, *parts))
    return hashlib.sha256(joined.encode(errors="replace")).hexdigest()[:_KEY_DIGITS]


def new_id(time_ms: int, key: str) -> str:
    """The `_id` of a document whose client chose none: its second, and its key. Repeats get the same one."""
    return f"{min(time_ms // 1000, _LAST_SECOND):08x}{key}"


def key_of_id(document_id: str) -> str:
    """The key that an `_id` of `new_id` holds."""
    return document_id[-_KEY_DIGITS:]


def second_of_id(document_id: str) -> int:
    """The second that an `_id` of `new_id` begins with."""
    return int(document_id[:-_KEY_DIGITS], 16)


def is_object_id(value: Any) -> bool:
    """Whether a value has the form of an `_id`: 24 hexadecimal digits in lower case."""
    return isinstance(value, str) and OBJECT_ID.fullmatch(value) is not None


def require_object_id(document_id: str) -> None:
    """Raise unless a text has the form of an `_id`.

    Raises:
        InvalidIdError: it has another form.
    """
    if not is_object_id(document_id):
        raise InvalidIdError(REPLACED_ID, document_id)


def chosen_id(sent: Mapping[str, Any], rule: str) -> str | None:
    """The `_id` that a client chose for a document; None if it chose none.

    Args:
        rule: the rule that a refusal quotes.

    Raises:
        InvalidIdError: it has another form.
    """
    document_id = sent.get("_id")
    if document_id is not None and not is_object_id(document_id):
        raise InvalidIdError(rule, str(document_id))
    return None if document_id is None else str(document_id)


def is_uuid(value: Any) -> bool:
    """Whether a value has the form of a UUID."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def as_datum(document: Document) -> Datum:
    """A document as a record of its log."""
    record = {
        "type": str(document.collection),
        TIME: document.time_ms,
        "origin": {"id": document.key},
        DOCUMENT: document.body,
        _MODIFIED: document.modified_ms,
    }
    return Datum(record, document.time_ms, "")


def document_of(text: bytes) -> Document:
    """The document of a stored record."""
    record = json_text.decode(text)
    modified_ms = record.get(_MODIFIED, record[TIME])
    return Document(
        Collection(record["type"]), record["origin"]["id"], record[TIME], record[DOCUMENT], modified_ms=modified_ms
    )
