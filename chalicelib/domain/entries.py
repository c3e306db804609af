"""An entry of a data set's log, and the bytes in which it is kept.

What the fold and the filters look at stands in columns; the records themselves are kept as the very text that
`GET /data/{userId}` answers, and inflated only when they are to be shown. Body of an entry that adds data:

    version (1 byte) | length of the columns (4 bytes) | columns, deflated | texts joined by line feeds, deflated

Body of an entry that deletes data: version (1 byte) | JSON of the selectors, deflated.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import accumulate
from operator import sub
from typing import Any, TypeVar

from chalicelib.contract import json_text
from chalicelib.model.data import Datum

VERSION = 1
_LENGTH_BYTES = 4
_COLUMNS_AT = 1 + _LENGTH_BYTES
_DEFLATE_LEVEL = 1
_RAW_DEFLATE = -15
_LINE_FEED = b"\n"

_NO_ORIGIN: Mapping[str, Any] = {}

Value = TypeVar("Value")


class EntryKind(Enum):
    """What an entry does."""

    ADD = "add"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry before it has its number."""

    kind: EntryKind
    stored_time_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it was committed; it never changes."""

    data_set_id: str
    number: int
    kind: EntryKind
    stored_time_ms: int
    body: bytes


class SelectorKind(Enum):
    """By what records are named that are to be deleted; the value is how entries keep it."""

    ID = "id"
    ORIGIN = "origin"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Selectors:
    """Which records of a data set to delete: all whose id, origin id or hash is one of `values`."""

    kind: SelectorKind
    values: frozenset[str]


class Records:
    """The records of an entry, as columns and texts; each is inflated when it is first asked for.

    All columns have one value for each record, in the order of the request; embedded records stand at the end.
    """

    def __init__(self, body: bytes) -> None:
        if body[0] != VERSION:
            raise ValueError(f"entry of unknown version {body[0]}")
        self._texts_at = _COLUMNS_AT + int.from_bytes(body[1:_COLUMNS_AT], "big")
        self._body = body

    @cached_property
    def _columns(self) -> Mapping[str, Any]:
        columns: Mapping[str, Any] = json_text.decode(_inflate(self._body[_COLUMNS_AT : self._texts_at]))
        return columns

    def __len__(self) -> int:
        return len(self.times_ms)

    @cached_property
    def types(self) -> list[str]:
        """The type of each record."""
        return _spread(self._columns["type"])

    @cached_property
    def times_ms(self) -> list[int]:
        """The time of each record, in milliseconds since the epoch."""
        return list(accumulate(self._columns["time"]))

    @cached_property
    def origin_ids(self) -> list[str | None]:
        """`origin.id` of each record."""
        return self._optional("originId")

    @cached_property
    def origin_times(self) -> list[str | None]:
        """`origin.time` of each record, as it was sent."""
        return self._optional("originTime")

    @cached_property
    def hashes(self) -> list[str | None]:
        """The identity hash of each record; None under a deduplicator that does not hash."""
        return self._optional("hash")

    @cached_property
    def ids(self) -> list[str]:
        """The id of each record; taken out of the texts, since it is asked for only where data is deleted by id."""
        return [json_text.decode(text)["id"] for text in self.texts]

    @cached_property
    def device_ids(self) -> list[str | None]:
        """`deviceId` of each record."""
        return self._coded("deviceId")

    @cached_property
    def sub_types(self) -> list[str | None]:
        """`subType` of each record."""
        return self._coded("subType")

    @cached_property
    def sources(self) -> list[str | None]:
        """`source` of each record."""
        return self._coded("source")

    @cached_property
    def reasons(self) -> list[str | None]:
        """`reason` of each dosing decision, None for all other types."""
        return self._coded("reason")

    @cached_property
    def sample_intervals_ms(self) -> list[int | None]:
        """`sampleInterval` of each record."""
        return self._optional("sampleInterval")

    @cached_property
    def origin_manufacturers(self) -> list[str | None]:
        """`origin.payload.device.manufacturer` of each record, None where it is no text."""
        return self._coded("originManufacturer")

    @cached_property
    def texts(self) -> list[bytes]:
        """Each record as it is served."""
        return _inflate(self._body[self._texts_at :]).split(_LINE_FEED)

    def _optional(self, name: str) -> list[Any]:
        column: list[Any] | None = self._columns.get(name)
        return [None] * len(self) if column is None else column

    def _coded(self, name: str) -> list[Any]:
        column = self._columns.get(name)
        return [None] * len(self) if column is None else _spread(column)


def encode_data(data: Sequence[Datum], upload_id: str, hashes: Sequence[str] | None, revision: int | None) -> bytes:
    """The body of an entry that adds data, which must not be empty.

    Args:
        upload_id: of the data set, told by every record.
        hashes: the identity hash of each datum, under a deduplicator that hashes.
        revision: told by every record when given.
    """
    service: dict[str, Any] = {"uploadId": upload_id}
    if revision is not None:
        service["revision"] = revision
    bodies = [datum.body for datum in data]
    if hashes is None:
        texts = [json_text.encode(body | service) for body in bodies]
    else:
        texts = [
            json_text.encode(body | service | {"_deduplicator": {"hash": digest}})
            for body, digest in zip(bodies, hashes, strict=True)
        ]
    origins = [body.get("origin", _NO_ORIGIN) for body in bodies]
    times_ms = [datum.time_ms for datum in data]
    columns = {
        "type": _code([body["type"] for body in bodies]),
        # Steps between times are small and much alike, so that they deflate well.
        "time": [times_ms[0], *map(sub, times_ms[1:], times_ms)],
        "originId": _unless_absent([origin.get("id") for origin in origins]),
        "originTime": _unless_absent([origin.get("time") for origin in origins]),
        "hash": hashes,
        "deviceId": _code_unless_absent([body.get("deviceId") for body in bodies]),
        "subType": _code_unless_absent([body.get("subType") for body in bodies]),
        "source": _code_unless_absent([body.get("source") for body in bodies]),
        "reason": _code_unless_absent(
            [body.get("reason") if body["type"] == "dosingDecision" else None for body in bodies]
        ),
        "sampleInterval": _unless_absent([body.get("sampleInterval") for body in bodies]),
        "originManufacturer": _code_unless_absent(
            [_manufacturer(origin) if "payload" in origin else None for origin in origins]
        ),
    }
    deflated = _deflate(json_text.encode({name: column for name, column in columns.items() if column is not None}))
    return bytes([VERSION]) + len(deflated).to_bytes(_LENGTH_BYTES, "big") + deflated + _deflate(_LINE_FEED.join(texts))


def encode_selectors(selectors: Selectors) -> bytes:
    """The body of an entry that deletes data."""
    return bytes([VERSION]) + _deflate(json_text.encode({selectors.kind.value: sorted(selectors.values)}))


def decode_selectors(body: bytes) -> Selectors:
    """The selectors of an entry that deletes data."""
    if body[0] != VERSION:
        raise ValueError(f"entry of unknown version {body[0]}")
    ((kind, values),) = json_text.decode(_inflate(body[1:])).items()
    return Selectors(SelectorKind(kind), frozenset(values))


def _manufacturer(origin: Mapping[str, Any]) -> str | None:
    device = origin["payload"].get("device")
    manufacturer = device.get("manufacturer") if isinstance(device, dict) else None
    return manufacturer if isinstance(manufacturer, str) else None


def _unless_absent(column: list[Value | None]) -> list[Value | None] | None:
    return None if column.count(None) == len(column) else column


def _code_unless_absent(column: list[Value | None]) -> dict[str, Any] | None:
    return None if column.count(None) == len(column) else _code(column)


def _code(column: Sequence[Value]) -> dict[str, Any]:
    """A column of few different values: the values, and for each record the place of its own."""
    places = {value: place for place, value in enumerate(dict.fromkeys(column))}
    return {"values": list(places), "rows": list(map(places.__getitem__, column))}


def _spread(coded: Mapping[str, list[Any]]) -> list[Any]:
    values = coded["values"]
    if len(values) == 1:
        return values * len(coded["rows"])
    return [values[row] for row in coded["rows"]]


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(_DEFLATE_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    return compressor.compress(data) + compressor.flush()


def _inflate(data: bytes) -> bytes:
    return zlib.decompress(data, _RAW_DEFLATE)
