"""The records of a user by day, as `GET /data` selects them, for readers that make something else of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from heapq import merge
from itertools import groupby

from chalicelib.durations import DAY_MS
from chalicelib.encoding.gzip_splice import inflated_lines
from chalicelib.log.data_set import OwnerState
from chalicelib.reading.assemble import days_of, has_medtronic, see
from chalicelib.reading.etag import is_settled
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import DataQuery
from chalicelib.reading.read import read_stores
from chalicelib.reading.source_filters import source_filters
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.tile import TileKey
from chalicelib.tiles.view import TilesReadAhead, TileView


class RecordsByDay:
    """The visible records of some types. Opening it reads what a query for the latest records of these types reads.
    `is_settled` tells whether the counters count nothing that it does not see (`reading.etag`).

    Args:
        current: the counters of the user and the manifest, as `TileReader.current` returns them.

    Raises:
        TileMissingError: from any method, if a compaction replaced the manifest long ago: begin again.
    """

    def __init__(self, current: tuple[OwnerState, Manifest], types: Sequence[str], ports: ReadingPorts) -> None:
        owner, manifest = current
        # A query for the latest records reads the newest tile of each type at once with the data sets.
        self._query = DataQuery(types=tuple(types), is_latest=True)
        stored = read_stores(owner, manifest, self._query, ports)
        data_sets = stored.data_sets
        # Oldest first: of records with equal type and time, the one that was stored first comes first.
        self._view = TileView(
            owner, manifest, data_sets[::-1], stored.entries, TilesReadAhead(ports.tiles, stored.tiles)
        )
        # The entries of a data set are in the order of their numbers, so the last one counts.
        last_numbers = manifest.positions() | {entry.data_set_id: entry.number for entry in stored.entries}
        self.is_settled: bool = is_settled(owner, data_sets, last_numbers)
        self._filters = source_filters(self._query, data_sets, partial(has_medtronic, self._view), stored.sources)

    def days(self, first_day: int | None, last_day: int | None) -> Iterator[int]:
        """The days that may have records, newest first; both ends are included, None means no limit."""
        query = replace(
            self._query,
            start_ms=None if first_day is None else first_day * DAY_MS,
            end_ms=None if last_day is None else last_day * DAY_MS,
        )
        by_type = [
            (day for day in days_of(self._view, name, query) if _is_between(day, first_day, last_day))
            for name in self._query.types or ()
        ]
        return (day for day, _ in groupby(merge(*by_type, reverse=True)))

    def on_days(self, days: Iterable[int], types: Collection[str] | None = None) -> Mapping[TileKey, Sequence[bytes]]:
        """The texts of the records of these days, by type and day, each in the order of time.

        Args:
            types: some of the types; None for all.
        """
        names = self._query.types or () if types is None else types
        wanted = {TileKey(name, day) for day in days for name in names}
        refs = [ref for key in sorted(wanted) if (ref := self._view.manifest.tile(key)) is not None]
        pieces = see(self._view, refs, self._query, self._filters)
        return {
            key: piece if isinstance(piece, tuple) else inflated_lines(piece)
            for key, piece in pieces.items()
            if key in wanted
        }


def _is_between(day: int, first_day: int | None, last_day: int | None) -> bool:
    return (first_day is None or day >= first_day) and (last_day is None or day <= last_day)
