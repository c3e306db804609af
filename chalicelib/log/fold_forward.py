"""Folds a log in which stored records decide about new ones: from the start, tracking the live records."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.log.fold_steps import DeviceTruncated, RecordSlice, Step, Stored
from chalicelib.log.records import Records
from chalicelib.model.times import Moment, parse_time

LOOKED_UP_TYPES = frozenset({"bolus", "food"})
"""The types for which older records are looked up. Source: dedup 5.2."""


class _LiveRecords:
    """The records that are stored and not yet replaced, by origin id and by hash."""

    def __init__(self) -> None:
        self._slices: list[tuple[Records, set[int]]] = []
        self._by_origin: dict[str, list[tuple[Records, set[int], int]]] = defaultdict(list)
        self._by_hash: dict[str, list[tuple[Records, set[int], int]]] = defaultdict(list)

    def slices(self) -> list[RecordSlice]:
        return [RecordSlice(records, sorted(rows)) for records, rows in self._slices]

    def store(self, records: Records, rows: Sequence[int]) -> None:
        live = set(rows)
        self._slices.append((records, live))
        for row in rows:
            origin_id, digest = records.origin_ids[row], records.hashes[row]
            if origin_id is not None:
                self._by_origin[origin_id].append((records, live, row))
            if digest is not None:
                self._by_hash[digest].append((records, live, row))

    def has_hash(self, digest: str | None) -> bool:
        return digest is not None and any(row in live for _, live, row in self._by_hash.get(digest, ()))

    def origin_times(self, origin_id: str) -> list[str | None]:
        """`origin.time` of each live record with this origin id."""
        return [records.origin_times[row] for records, live, row in self._by_origin.get(origin_id, ()) if row in live]

    def destroy_origins(self, origin_ids: Iterable[str]) -> None:
        for origin_id in origin_ids:
            for _, live, row in self._by_origin.pop(origin_id, ()):
                live.discard(row)

    def apply(self, step: Stored | Selectors | DeviceTruncated) -> None:
        if isinstance(step, Stored):
            for part in step.slices:
                self.store(part.records, part.rows)
        elif isinstance(step, DeviceTruncated):
            for records, live in self._slices:
                live.difference_update([row for row in live if records.device_ids[row] == step.device_id])
        elif step.kind is SelectorKind.ORIGIN:
            self.destroy_origins(step.values)
        elif step.kind is SelectorKind.HASH:
            for digest in step.values:
                for _, live, row in self._by_hash.pop(digest, ()):
                    live.discard(row)
        else:
            for records, live in self._slices:
                live.difference_update([row for row in live if records.ids[row] in step.values])


def keep_newer_origins(steps: Iterable[Step]) -> list[RecordSlice]:
    """The records of a log in which an older bolus or food does not replace a newer one.

    The rule looks up stored records with the origin ids of the boluses and foods of a request. It drops a record of the
    request if a record found for its origin id is as new or newer; other records replace by origin id.
    Source: dedup 5.2.
    """
    live = _LiveRecords()
    for step in steps:
        if not isinstance(step, Records):
            live.apply(step)
            continue
        rows = _newer_rows(step, live)
        live.destroy_origins({origin_id for row in rows if (origin_id := step.origin_ids[row]) is not None})
        live.store(step, rows)
    return live.slices()


def drop_known_hashes(steps: Iterable[Step]) -> list[RecordSlice]:
    """The records of a log in which the first of equal hashes wins, but the last within an entry. Source: dedup 5.3."""
    live = _LiveRecords()
    for step in steps:
        if not isinstance(step, Records):
            live.apply(step)
            continue
        live.store(step, [row for row in last_of_each_hash(step) if not live.has_hash(step.hashes[row])])
    return live.slices()


def last_of_each_hash(records: Records) -> list[int]:
    """The rows of an entry, with only the last row of each hash."""
    last = {digest: row for row, digest in enumerate(records.hashes)}
    return sorted(last.values())


def _newer_rows(records: Records, live: _LiveRecords) -> list[int]:
    looked_up = {
        origin_id
        for origin_id, datum_type in zip(records.origin_ids, records.types, strict=True)
        if origin_id is not None and datum_type in LOOKED_UP_TYPES
    }
    stored = {origin_id: times for origin_id in looked_up if (times := live.origin_times(origin_id))}
    return [
        row
        for row, origin_id in enumerate(records.origin_ids)
        if origin_id not in stored or _is_newer(records.origin_times[row], stored[origin_id])
    ]


def _is_newer(time: str | None, stored: Sequence[str | None]) -> bool:
    """Whether a record's origin time is later than all those of the stored records that have one."""
    moment = _instant(time)
    return moment is not None and all(other is None or moment > other for other in map(_instant, stored))


def _instant(time: str | None) -> tuple[int, int] | None:
    moment: Moment | None = None if time is None else parse_time(time)
    return None if moment is None else (moment.epoch_s, moment.nanoseconds)
