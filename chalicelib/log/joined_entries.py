"""Joined entries: entries of one log in a row that a fold takes as one, since none of them decides about another.

A phone adds a reading every five minutes, so a day of the tail has 288 entries of one record. Decoded and folded
together they take a third of the time that they take one by one. Their outlines tell which can be joined.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property

from chalicelib import json_text
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet
from chalicelib.log.entry import LINE_FEED, Entry, EntryKind, columns_of_bodies, texts_of_bodies
from chalicelib.log.outline import Outline
from chalicelib.log.records import Columns, JoinedColumns, RecordAddress, Records
from chalicelib.log.truncation import truncations
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN_OLDER, DATASET_DROP_HASH

_FOLDED_FORWARD = frozenset({DATASET_DELETE_ORIGIN_OLDER, DATASET_DROP_HASH})
"""The deduplicators under which the records of an entry depend on those of the entries before it."""


@frozen
class JoinedEntries(Entry):
    """Entries as one: a fold of it gives what a fold of each of them gives. Its number is that of the last one."""

    records: Records = field(kw_only=True)

    def contents(self) -> Records:
        """The records of the entries, in order, which are decoded once."""
        return self.records


def join_entries(
    entries: Sequence[Entry], outlines: Iterable[Outline | None], data_sets: Iterable[DataSet]
) -> Sequence[Entry]:
    """The entries, those that can be joined in `JoinedEntries`.

    Joined entries are of the same days, so a reader of a day does not inflate the texts of others.

    Args:
        entries: those of one data set together, by number. Some may be missing if no other record has their origin ids.
        outlines: that of each entry, None without one.
        data_sets: all of one owner and epoch.
    """
    borders = _borders(data_sets)
    groups: list[list[Entry]] = []
    days: frozenset[int] | None = None
    origin_keys: set[int] = set()
    for entry, outline in zip(entries, outlines, strict=True):
        if outline is None or entry.data_set_id not in borders:
            groups.append([entry])
            days = None
        elif (
            outline.days == days
            and origin_keys.isdisjoint(outline.origin_keys)
            and _are_in_a_row(groups[-1][-1], entry, borders[entry.data_set_id])
        ):
            groups[-1].append(entry)
            origin_keys |= outline.origin_keys
        else:
            groups.append([entry])
            days, origin_keys = outline.days, set(outline.origin_keys)
    return [group[0] if len(group) == 1 else _joined(group) for group in groups]


def _borders(data_sets: Iterable[DataSet]) -> Mapping[str, Sequence[int]]:
    """The data sets whose entries can be joined, each with the numbers of the entries after which some records were
    removed."""
    data_sets = list(data_sets)
    cuts = truncations(data_sets)
    return {
        data_set.id: [
            number for number in (data_set.deleted_through, *(cut.last_number for cut in cuts[data_set.id])) if number
        ]
        for data_set in data_sets
        if data_set.is_continuous and data_set.deduplicator not in _FOLDED_FORWARD
    }


def _are_in_a_row(entry: Entry, following: Entry, borders: Sequence[int]) -> bool:
    """Whether two entries are of one data set, and no records were removed between them."""
    if entry.data_set_id != following.data_set_id:
        return False
    return not borders or not any(entry.number <= number < following.number for number in borders)


def _joined(entries: Sequence[Entry]) -> JoinedEntries:
    last, decoded = entries[-1], _DecodedColumns(entries)
    records = Records(
        columns=lambda: JoinedColumns(decoded.columns),
        texts=lambda: LINE_FEED.join(texts_of_bodies([entry.body for entry in entries])).split(LINE_FEED),
        addresses=lambda _count: decoded.addresses(),
    )
    return JoinedEntries(last.data_set_id, last.number, EntryKind.ADD, last.stored_time_ms, b"", records=records)


class _DecodedColumns:
    """The columns of some entries, decoded together."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    @cached_property
    def columns(self) -> Sequence[Columns]:
        """The columns of each entry."""
        texts = columns_of_bodies([entry.body for entry in self._entries])
        columns: Sequence[Columns] = json_text.decode(b"[" + b",".join(texts) + b"]")
        return columns

    def addresses(self) -> Sequence[RecordAddress]:
        """The address of each record."""
        return [
            RecordAddress(entry.number, row)
            for entry, columns in zip(self._entries, self.columns, strict=True)
            for row in range(len(columns["time"]))
        ]
