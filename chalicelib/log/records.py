"""Records as the fold and the filters read them: columns, and the texts that are returned.

Columns are made from the bodies of the data when they are stored, or later from texts, with the same result.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from chalicelib import json_text
from chalicelib.encoding.columns import from_steps, steps

Columns = Mapping[str, Any]
"""By name; a column that has no value is left out."""

_NO_ORIGIN: Mapping[str, Any] = {}
_NO_DEDUPLICATOR: Mapping[str, Any] = {}

Value = TypeVar("Value")


class RecordAddress(NamedTuple):
    """The address of a record: the number of the entry in its data set's log, and the row in that entry."""

    number: int
    row: int


class Records:
    """Some records, as columns and texts; each is made when it is first asked for.

    All columns have one value for each record, in the same order.
    """

    def __init__(
        self,
        columns: Callable[[], Columns],
        texts: Callable[[], list[bytes]],
        addresses: Callable[[int], Sequence[RecordAddress]],
    ) -> None:
        self._make_columns = columns
        self._make_texts = texts
        self._make_addresses = addresses

    @cached_property
    def _columns(self) -> Columns:
        return self._make_columns()

    def __len__(self) -> int:
        return len(self.times_ms)

    @cached_property
    def types(self) -> list[str]:
        """The type of each record."""
        return _spread(self._columns["type"])

    @cached_property
    def times_ms(self) -> list[int]:
        """The time of each record, in milliseconds since the epoch."""
        return from_steps(self._columns["time"])

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
    def sequences(self) -> list[int | None]:
        """The place of each record among those of its user, as a count; None outside old uploads."""
        return self._optional("sequence")

    @cached_property
    def ids(self) -> list[str]:
        """The id of each record, from the texts: only deleting by id needs it."""
        return [body["id"] for body in bodies_of(self.texts)]

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
        """`origin.payload.device.manufacturer` of each record, None where it is not a text."""
        return self._coded("originManufacturer")

    @cached_property
    def texts(self) -> list[bytes]:
        """Each record as it is returned."""
        return self._make_texts()

    @cached_property
    def addresses(self) -> Sequence[RecordAddress]:
        """The address of each record."""
        return self._make_addresses(len(self))

    def only(self, rows: Sequence[int]) -> "Records":
        """Some of these records, without anything that the others take in memory."""
        columns = {name: _column_of(rows, name, column) for name, column in self._columns.items()}
        texts, addresses = [self.texts[row] for row in rows], [self.addresses[row] for row in rows]
        return Records(lambda: columns, lambda: texts, lambda _count: addresses)

    def _optional(self, name: str) -> list[Any]:
        column: list[Any] | None = self._columns.get(name)
        return [None] * len(self) if column is None else column

    def _coded(self, name: str) -> list[Any]:
        column = self._columns.get(name)
        return [None] * len(self) if column is None else _spread(column)


def origin_key(origin_id: str) -> int:
    """A checksum of an origin id, for filters. Two ids may share a checksum; then something is read for nothing."""
    return zlib.crc32(origin_id.encode())


def bodies_of(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    """The records of these texts."""
    bodies: list[dict[str, Any]] = json_text.decode(b"[" + b",".join(texts) + b"]")
    return bodies


def hashes_of(bodies: Sequence[Mapping[str, Any]]) -> list[str | None] | None:
    """The identity hash of each record from its body; None if no body has one."""
    return _unless_absent([body["_deduplicator"]["hash"] if "_deduplicator" in body else None for body in bodies])


def sequences_of(bodies: Sequence[Mapping[str, Any]]) -> list[int | None] | None:
    """The sequence of each record from its body; None if no body has one."""
    return _unless_absent([body.get("_deduplicator", _NO_DEDUPLICATOR).get("sequence") for body in bodies])


def columns_of(
    bodies: Sequence[Mapping[str, Any]],
    times_ms: Sequence[int],
    hashes: Sequence[str | None] | None,
    sequences: Sequence[int | None] | None = None,
) -> Columns:
    """The columns of records, of which there must be one at least.

    Args:
        times_ms: the time of each record: its body may hold a time that cannot be parsed.
        hashes: the identity hash of each, under a deduplicator that hashes.
        sequences: the sequence of each, of old uploads.
    """
    origins = [body.get("origin", _NO_ORIGIN) for body in bodies]
    columns = {
        "type": _code([body["type"] for body in bodies]),
        "time": steps(times_ms),
        "originId": _unless_absent([origin.get("id") for origin in origins]),
        "originTime": _unless_absent([origin.get("time") for origin in origins]),
        "hash": hashes,
        "sequence": sequences,
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
    return {name: column for name, column in columns.items() if column is not None}


class JoinedColumns(Mapping[str, Any]):
    """The columns of several entries, one after the other, each joined when it is asked for.

    Args:
        parts: the columns of each entry, one at least.
    """

    def __init__(self, parts: Sequence[Columns]) -> None:
        self._parts = parts
        self._counts = [len(part["time"]) for part in parts]

    def __getitem__(self, name: str) -> Any:
        if name == "time":
            return steps([time_ms for part in self._parts for time_ms in from_steps(part["time"])])
        found = [part.get(name) for part in self._parts]
        example = next((column for column in found if column is not None), None)
        if example is None:
            raise KeyError(name)
        joined: list[Any] = []
        for column, count in zip(found, self._counts, strict=True):
            if column is None:
                joined += [None] * count
            else:
                joined += _spread(column) if isinstance(column, dict) else column
        return _code(joined) if isinstance(example, dict) else joined

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for part in self._parts for name in part))

    def __len__(self) -> int:
        return len(set().union(*self._parts))


def _manufacturer(origin: Mapping[str, Any]) -> str | None:
    device = origin["payload"].get("device")
    manufacturer = device.get("manufacturer") if isinstance(device, dict) else None
    return manufacturer if isinstance(manufacturer, str) else None


def _unless_absent(column: list[Value | None]) -> list[Value | None] | None:
    return None if column.count(None) == len(column) else column


def _code_unless_absent(column: list[Value | None]) -> dict[str, Any] | None:
    return None if column.count(None) == len(column) else _code(column)


def _code(column: Sequence[Value]) -> dict[str, Any]:
    """A column of few different values: the values, and for each record the index of its value."""
    indexes = {value: index for index, value in enumerate(dict.fromkeys(column))}
    return {"values": list(indexes), "rows": list(map(indexes.__getitem__, column))}


def _column_of(rows: Sequence[int], name: str, column: Any) -> Any:
    """The part of a column that has the values of these rows."""
    if name == "time":
        times_ms = from_steps(column)
        return steps([times_ms[row] for row in rows])
    if isinstance(column, dict):
        return _code([column["values"][column["rows"][row]] for row in rows])
    return [column[row] for row in rows]


def _spread(coded: Mapping[str, list[Any]]) -> list[Any]:
    values = coded["values"]
    if len(values) == 1:
        return values * len(coded["rows"])
    return [values[row] for row in coded["rows"]]
