"""Entries of a data set's log, and the bytes of their bodies.

Columns hold what the fold and the filters compare. The records are stored as the text that `GET /data/{userId}`
returns, and inflated only when they are returned. Body of an entry that adds data:

    form (1 byte) | length of the columns (4 bytes) | columns, deflated | texts joined by line feeds, deflated

Body of an entry that deletes data: form (1 byte) | JSON of the selectors, deflated.

An entry of a few records is deflated with a preset dictionary and takes half the space: what a phone sends every five
minutes fits into one kilobyte, the unit of what a write costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import Enum
from functools import cached_property
from typing import Any

from chalicelib import json_text
from chalicelib.encoding.raw_deflate import deflate, inflate, inflate_each
from chalicelib.frozen import frozen
from chalicelib.log.compression_dictionary import PRESET_DICTIONARY
from chalicelib.log.records import RecordAddress, Records, columns_of
from chalicelib.model.data import Datum

PLAIN, WITH_DICTIONARY = 1, 2
"""The forms of a body."""
SMALL_BYTES = 32 * 1024
"""Texts up to this size are deflated with the dictionary; longer ones repeat enough by themselves."""
ITEM_BYTES = 256
"""About how many bytes an item takes beside its content: keys, names, small attributes, and what DynamoDB adds."""
_LENGTH_BYTES = 4
_COLUMNS_AT = 1 + _LENGTH_BYTES
_LEVELS = {PLAIN: 1, WITH_DICTIONARY: 6}
_DICTIONARIES = {PLAIN: b"", WITH_DICTIONARY: PRESET_DICTIONARY}
LINE_FEED = b"\n"


class EntryKind(Enum):
    """The effect of an entry."""

    ADD = "add"
    DELETE = "delete"


@frozen
class NewEntry:
    """An entry before it has its number."""

    kind: EntryKind
    stored_time_ms: int
    body: bytes
    outline: bytes | None = None
    """Outline of the records (`outline.py`); None for an entry that deletes data, or has none."""

    @property
    def stored_bytes(self) -> int:
        """About how many bytes it takes: those of the body, and those of the item around it."""
        return len(self.body) + ITEM_BYTES


@frozen
class Entry:
    """An entry as it was committed; it never changes."""

    data_set_id: str
    number: int
    kind: EntryKind
    stored_time_ms: int
    body: bytes
    outline: bytes | None = field(default=None, compare=False)
    """Outline of the records (`outline.py`); None without one, as of entries that come from the archive."""

    def contents(self) -> "Records | Selectors":
        """The records that it adds, or which records it deletes. Each call decodes the body."""
        if self.kind is EntryKind.ADD:
            return read_records(self.body, self.number)
        return decode_selectors(self.body)


class EntryDecodedOnce(Entry):
    """An entry that keeps what it decoded: for a request, which folds the same entries several times."""

    @classmethod
    def of(cls, entry: Entry) -> "EntryDecodedOnce":
        """The entry itself if it is one that keeps what it decoded, else one that is not decoded yet."""
        if isinstance(entry, cls):
            return entry
        return cls(entry.data_set_id, entry.number, entry.kind, entry.stored_time_ms, entry.body, entry.outline)

    def contents(self) -> "Records | Selectors":
        """See `Entry.contents`. Only the first call decodes the body."""
        return self._contents

    @cached_property
    def _contents(self) -> "Records | Selectors":
        return super().contents()


class SelectorKind(Enum):
    """By which member the records to delete are selected; the value is part of the body of an entry."""

    ID = "id"
    ORIGIN = "origin"
    HASH = "hash"


@frozen
class Selectors:
    """The records of a data set to delete: all whose id, origin id or hash is one of `values`."""

    kind: SelectorKind
    values: frozenset[str]


def read_records(body: bytes, number: int) -> Records:
    """The records of the entry with this number, which adds data, in the order of the request; embedded records come
    last."""
    _dictionary(body)  # refuses unknown forms now, not when the records are looked at
    return Records(
        columns=lambda: json_text.decode(columns_of_bodies([body])[0]),
        texts=lambda: texts_of_bodies([body])[0].split(LINE_FEED),
        addresses=lambda count: [RecordAddress(number, row) for row in range(count)],
    )


def columns_of_bodies(bodies: Sequence[bytes]) -> list[bytes]:
    """The JSON of the columns in each of these bodies of entries that add data."""
    parts = [body[_COLUMNS_AT : _COLUMNS_AT + int.from_bytes(body[1:_COLUMNS_AT], "big")] for body in bodies]
    return _inflated_parts(bodies, parts)


def texts_of_bodies(bodies: Sequence[bytes]) -> list[bytes]:
    """The texts in each of these bodies of entries that add data, those of one body joined by line feeds."""
    parts = [body[_COLUMNS_AT + int.from_bytes(body[1:_COLUMNS_AT], "big") :] for body in bodies]
    return _inflated_parts(bodies, parts)


def _inflated_parts(bodies: Iterable[bytes], parts: Sequence[bytes]) -> list[bytes]:
    """A part of each of some bodies."""
    if {body[0] for body in bodies} == {WITH_DICTIONARY}:
        return inflate_each(parts, PRESET_DICTIONARY)
    return [inflate(part, _dictionary(body)) for body, part in zip(bodies, parts, strict=True)]


def encode_data(
    data: Sequence[Datum],
    upload_id: str,
    hashes: Sequence[str] | None,
    revision: int | None,
    sequence: int | None = None,
) -> bytes:
    """The body of an entry that adds data, which must not be empty.

    Args:
        upload_id: `uploadId` of each record.
        hashes: the identity hash of each datum, under a deduplicator that hashes.
        revision: `revision` of each record, if given.
        sequence: when old uploads stored the records, among those of their user.
    """
    service: dict[str, Any] = {"uploadId": upload_id}
    if revision is not None:
        service["revision"] = revision
    bodies = [datum.body for datum in data]
    if hashes is None:
        texts = [json_text.encode(body | service) for body in bodies]
    else:
        stored = {} if sequence is None else {"sequence": sequence}
        texts = [
            json_text.encode(body | service | {"_deduplicator": {"hash": digest} | stored})
            for body, digest in zip(bodies, hashes, strict=True)
        ]
    sequences = None if sequence is None else [sequence] * len(data)
    columns = columns_of(bodies, [datum.time_ms for datum in data], hashes, sequences)
    lines = LINE_FEED.join(texts)
    form = WITH_DICTIONARY if len(lines) <= SMALL_BYTES else PLAIN
    deflated = _deflate(json_text.encode(columns), form)
    return bytes([form]) + len(deflated).to_bytes(_LENGTH_BYTES, "big") + deflated + _deflate(lines, form)


def encode_selectors(selectors: Selectors) -> bytes:
    """The body of an entry that deletes data."""
    return bytes([PLAIN]) + _deflate(json_text.encode({selectors.kind.value: sorted(selectors.values)}), PLAIN)


def decode_selectors(body: bytes) -> Selectors:
    """The selectors of an entry that deletes data."""
    ((kind, values),) = json_text.decode(inflate(body[1:], _dictionary(body))).items()
    return Selectors(SelectorKind(kind), frozenset(values))


def _dictionary(body: bytes) -> bytes:
    """The preset dictionary of a body; empty without one."""
    dictionary = _DICTIONARIES.get(body[0])
    if dictionary is None:
        raise ValueError(f"entry of unknown form {body[0]}")
    return dictionary


def _deflate(data: bytes, form: int) -> bytes:
    return deflate(data, _LEVELS[form], _DICTIONARIES[form])
