"""The glucose of a user as one request sees it: by day, as sums of hours or as readings."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from chalicelib.frozen import frozen
from chalicelib.glucose.hour_sum import HourSum
from chalicelib.glucose.reading import GLUCOSE_TYPES, HOUR_MS, Reading, in_order, reading_of
from chalicelib.glucose.tile_sums import StoredTimes, TileSums
from chalicelib.log.data_set import DataSet
from chalicelib.log.fold import can_be_seen
from chalicelib.log.records import RecordAddress, bodies_of
from chalicelib.summaries.ports import SummaryPorts
from chalicelib.tiles.hour_sums import stored_time_finder, stored_times_of
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.tile import Tile, TileKey, keys_of_rows
from chalicelib.tiles.view import TileView


@frozen
class DividedDay:
    """A day as sums, and as the readings of any one of its hours, which are decoded when they are asked for."""

    hours: Sequence[HourSum]
    readings_of_hour: Callable[[int], Sequence[Reading]]
    """The readings of an hour, counted from 1970-01-01T00:00:00Z, as `in_order` sorts them."""


@frozen
class VisibleDays:
    """The glucose of some types and days: each is in one of the three, or has no visible record."""

    sums: Mapping[TileKey, Sequence[HourSum]]
    divided: Mapping[TileKey, DividedDay]
    readings: Mapping[TileKey, Sequence[Reading]]
    """The readings as `in_order` sorts them."""


class GlucoseView:
    """The glucose of a user as one request sees it.

    Making one reads the owner with the manifest, the data sets, and the tail: three calls.

    Args:
        types: the types of glucose that the request needs.
    """

    def __init__(self, owner_id: str, types: Collection[str], ports: SummaryPorts) -> None:
        self._ports = ports
        self.owner, self.manifest = ports.tiles.current(owner_id)
        self.data_sets = ports.data_sets.of_owner(self.owner)[::-1]
        normal_ids = [
            data_set.id
            for data_set in self.data_sets
            if can_be_seen(data_set) and not data_set.is_continuous and not self.manifest.has_whole_log(data_set.id)
        ]
        self.entries = ports.log.entries(self.owner, normal_ids, self.manifest.positions())
        whole = TileView(self.owner, self.manifest, self.data_sets, self.entries, ports.tiles)
        self._tail = whole.of(lambda key: key.type in types)

    @property
    def last_numbers(self) -> dict[str, int]:
        """The number of the last entry that was read, in tiles or not, by data set."""
        return self.manifest.positions() | {entry.data_set_id: entry.number for entry in self.entries}

    def days(self, name: str, first_day: int, last_day: int) -> set[int]:
        """The days of this span that may have visible records of a type; days count from 1970-01-01."""
        of_tiles = {ref.key.day for ref in self._refs(name, first_day, last_day)}
        return of_tiles | {day for day in self._tail_days(name) if first_day <= day <= last_day}

    def newest_day(self, name: str, at_most: int) -> int | None:
        """The last day up to this one that may have visible records of a type."""
        of_tiles = next((ref.key.day for ref in self._refs(name, None, at_most, newest_first=True)), None)
        days = [day for day in (of_tiles, *self._tail_days(name)) if day is not None and day <= at_most]
        return max(days, default=None)

    def oldest_day(self, name: str, at_least: int) -> int | None:
        """The first day from this one on that may have visible records of a type."""
        of_tiles = next((ref.key.day for ref in self._refs(name, at_least, None)), None)
        days = [day for day in (of_tiles, *self._tail_days(name)) if day is not None and day >= at_least]
        return min(days, default=None)

    def see(
        self, keys: Iterable[TileKey], as_readings: Collection[TileKey], divided: Collection[TileKey] = ()
    ) -> VisibleDays:
        """The visible records of these days.

        One call for up to a hundred days, one more if the tail may replace a record of another day, and two more if
        sums are missing.

        Args:
            as_readings: the days whose single readings are needed. Days that the tail affects come as readings, too.
            divided: the days of which single hours are needed. Without sums they come as readings.

        Raises:
            TileMissingError: the manifest is too old.
        """
        wanted = set(keys)
        refs = {key: ref for key in sorted(wanted) if (ref := self.manifest.tile(key)) is not None}
        affected = {key for key, ref in refs.items() if self._tail.is_affected(ref)}
        at_once = [ref for key, ref in refs.items() if key in as_readings or key in divided or key in affected]
        sums, tiles = self._ports.hour_sums.with_tiles(self.owner, list(refs.values()), at_once)
        # Reads may lag, and what is missing would be taken for sums that nobody wrote.
        if missing := [ref for key, ref in refs.items() if key not in sums]:
            sums |= self._ports.hour_sums.current(self.owner, missing)
        unsure = [ref for ref in refs.values() if ref.key not in tiles and self._may_differ(sums.get(ref.key))]
        if unsure:
            tiles |= self._tiles(unsure)
        folded = {key: tile for key, tile in tiles.items() if key in affected or self._may_differ(tile)}
        alone = {key: tile for key, tile in tiles.items() if key not in folded}
        if looked_up := self._looked_up([*sums.values(), *tiles.values()]):
            folded |= alone | self._tiles(looked_up)
            alone = {}
        whole = {key: sums[key].hours for key in refs.keys() - tiles.keys()}
        times = dict(pair for key in tiles.keys() & sums.keys() for pair in sums[key].stored_times.items())
        readings = self._folded(folded.values(), wanted - whole.keys() - alone.keys(), times)
        parts = {
            key: DividedDay(sums[key].hours, partial(self._visible, tile, times))
            for key, tile in alone.items()
            if key in divided and key in sums
        }
        readings |= {key: self._visible(tile, times) for key, tile in alone.items() if key not in parts}
        return VisibleDays(whole, parts, readings)

    def _may_differ(self, part: TileSums | Tile | None) -> bool:
        """Whether the tail may replace a record of a tile, by the filter of the tile or of its sums."""
        return part is None or part.may_hold(self._tail.affected.replaced_origin_keys)

    def _tiles(self, refs: Sequence[TileRef]) -> dict[TileKey, Tile]:
        return self._ports.tiles.tiles(self.owner, refs, {ref.key for ref in refs})

    def _looked_up(self, read: Iterable[TileSums | Tile]) -> Sequence[TileRef]:
        """The tiles without which the tail cannot be folded, because a bolus or food of it has the origin id of a
        reading: none but for data that no known app sends. Source: dedup 5.2."""
        keys = self._tail.looked_up_keys
        if not keys:
            return ()
        of_readings = self._tail.origin_keys_of(GLUCOSE_TYPES)
        if not keys.isdisjoint(of_readings) or any(part.may_hold(keys) for part in read):
            return self._tail.looked_up_tiles
        return ()

    def _visible(self, tile: Tile, stored_times: StoredTimes, hour: int | None = None) -> list[Reading]:
        """The readings of a tile that the tail does not affect, or those of one hour of it."""
        visible_rows = (row for row in tile.rows() if not row.is_shadowed)
        rows = [row for row in visible_rows if hour is None or row.time_ms // HOUR_MS == hour]
        stored_ms = stored_time_finder(self._data_sets_by_id, stored_times)
        continuous = {id_ for id_, data_set in self._data_sets_by_id.items() if data_set.is_continuous}
        return in_order(
            [
                reading_of(
                    body,
                    row.time_ms,
                    stored_ms(row.data_set_id, row.address.number, row.time_ms),
                    is_continuous=row.data_set_id in continuous,
                )
                for row, body in zip(rows, bodies_of([row.text for row in rows]), strict=True)
            ]
        )

    def _folded(
        self, tiles: Collection[Tile], keys: Collection[TileKey], stored_times: StoredTimes
    ) -> dict[TileKey, list[Reading]]:
        """The readings of these days, from their tiles and the tail."""
        if not keys:
            return {}
        data = self._tail.fold(tiles)
        stored_ms = stored_time_finder(self._data_sets_by_id, {**stored_times, **stored_times_of(self.entries)})
        rows: list[tuple[TileKey, int, RecordAddress, int]] = []
        texts: list[bytes] = []
        for index, of_data_set in enumerate(data):
            for part in of_data_set.slices:
                records, tile_keys = part.records, keys_of_rows(part.records)
                chosen = [row for row in part.rows if tile_keys[row] in keys]
                if chosen:
                    addresses, times_ms, lines = records.addresses, records.times_ms, records.texts
                    rows += [(tile_keys[row], index, addresses[row], times_ms[row]) for row in chosen]
                    texts += [lines[row] for row in chosen]
        found: dict[TileKey, list[tuple[int, RecordAddress, Reading]]] = defaultdict(list)
        for (key, index, address, time_ms), body in zip(rows, bodies_of(texts), strict=True):
            data_set = data[index].data_set
            stored = stored_ms(data_set.id, address.number, time_ms)
            reading = reading_of(body, time_ms, stored, is_continuous=data_set.is_continuous)
            found[key].append((index, address, reading))
        # The order in which records were stored: that of their data sets, then that of their logs.
        return {key: in_order([reading for *_, reading in sorted(of_day)]) for key, of_day in found.items()}

    @cached_property
    def _data_sets_by_id(self) -> Mapping[str, DataSet]:
        return {data_set.id: data_set for data_set in self.data_sets}

    def _refs(
        self, name: str, first_day: int | None, last_day: int | None, *, newest_first: bool = False
    ) -> Iterator[TileRef]:
        of_type = self.manifest.tiles.get(name)
        refs = () if of_type is None else of_type.between(first_day, last_day, newest_first=newest_first)
        return (ref for ref in refs if ref.stats.has_visible or self._tail.is_affected(ref))

    def _tail_days(self, name: str) -> Iterator[int]:
        return (key.day for key in self._tail.affected.keys if key.type == name)
