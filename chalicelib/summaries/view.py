"""The glucose of a user as one request sees it: by day, as sums of hours or as readings."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from chalicelib.durations import HOUR_MS
from chalicelib.frozen import frozen
from chalicelib.glucose.hour_sum import HourSum, sum_hours
from chalicelib.glucose.reading import GLUCOSE_TYPES, Reading, in_order, reading_of
from chalicelib.glucose.tile_sums import TileSums
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

    sums: Mapping[TileKey, TileSums]
    divided: Mapping[TileKey, DividedDay]
    readings: Mapping[TileKey, Sequence[Reading]]
    """The readings as `in_order` sorts them."""


_FindStoredTime = Callable[[str, int, int], int]
"""Function that `stored_time_finder` returns."""
_Row = tuple[int, RecordAddress, int, bytes]
"""A record: the place of its data set among all, its address, its time and its text. Rows sort in the order in which
they were stored."""


@frozen
class _Day:
    """A day of one type of glucose."""

    tile: Tile | None
    """The tile, if the tail affects none of its records."""
    rows: Sequence[_Row]
    """The other visible records."""
    data_sets: Sequence[DataSet]
    stored_ms: _FindStoredTime

    def hours(self, sums: TileSums) -> Sequence[HourSum]:
        """The sums of all hours, given those of the tile: only hours with other records are made from readings."""
        changed = {time_ms // HOUR_MS for _, _, time_ms, _ in self.rows}
        kept = [hour for hour in sums.hours if hour.hour not in changed]
        return sorted([*kept, *sum_hours(self.readings(changed))]) if changed else kept

    def readings_of_hour(self, hour: int) -> Sequence[Reading]:
        """See `DividedDay`."""
        return self.readings({hour})

    def readings(self, hours: Collection[int] | None = None) -> list[Reading]:
        """The readings of these hours, as `in_order` sorts them; None for all hours."""
        rows = [row for row in self.rows if hours is None or row[2] // HOUR_MS in hours]
        rows += self._tile_rows(hours)
        rows.sort()
        places = [(data_set.id, data_set.is_continuous) for data_set in self.data_sets]
        stored_ms = self.stored_ms
        readings: list[Reading] = []
        for (place, (number, _), time_ms, _), body in zip(rows, bodies_of([row[3] for row in rows]), strict=True):
            id_, is_continuous = places[place]
            readings.append(reading_of(body, time_ms, stored_ms(id_, number, time_ms), is_continuous=is_continuous))
        return in_order(readings)

    def _tile_rows(self, hours: Collection[int] | None) -> Iterator[_Row]:
        if self.tile is None or (hours is not None and not hours):
            return
        places = {data_set.id: place for place, data_set in enumerate(self.data_sets)}
        for row in self.tile.rows():
            if not row.is_shadowed and (hours is None or row.time_ms // HOUR_MS in hours):
                yield places[row.data_set_id], row.address, row.time_ms, row.text


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
            as_readings: the days whose single readings are needed. Days with a tile of which the tail affects records
                come as readings, too, and so do days without sums.
            divided: the days of which single hours are needed.

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
        folded = {key: tile for key, tile in tiles.items() if self._must_fold(refs[key], tile)}
        alone = {key: tile for key, tile in tiles.items() if key not in folded}
        if looked_up := self._looked_up([*sums.values(), *tiles.values()]):
            folded |= alone | self._tiles(looked_up)
            alone = {}
        whole = {key: sums[key] for key in refs.keys() - tiles.keys()}
        stored_ms = self._stored_time_finder([sums[key] for key in tiles.keys() & sums.keys()])
        rows = self._folded(folded.values(), wanted - whole.keys())
        days = {
            key: _Day(alone.get(key), rows.get(key, ()), self.data_sets, stored_ms)
            for key in alone.keys() | rows.keys()
        }
        parts = {
            key: DividedDay(day.hours(sums[key]), day.readings_of_hour)
            for key, day in days.items()
            if key in alone and key in sums and key not in as_readings
        }
        return VisibleDays(whole, parts, {key: day.readings() for key, day in days.items() if key not in parts})

    def _must_fold(self, ref: TileRef, tile: Tile) -> bool:
        """Whether the tail affects records of a tile that was read."""
        return self._may_differ(tile) or (self._tail.is_affected(ref) and not self._tail.only_adds_to(ref))

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

    def _folded(self, tiles: Collection[Tile], keys: Collection[TileKey]) -> Mapping[TileKey, list[_Row]]:
        """The visible records of these days, from these tiles and the tail."""
        found: dict[TileKey, list[_Row]] = defaultdict(list)
        places = {data_set.id: place for place, data_set in enumerate(self.data_sets)}
        for of_data_set in self._tail.fold(tiles) if keys else ():
            place = places[of_data_set.data_set.id]
            for part in of_data_set.slices:
                records, tile_keys = part.records, keys_of_rows(part.records)
                chosen = [row for row in part.rows if tile_keys[row] in keys]
                if chosen:
                    addresses, times_ms, texts = records.addresses, records.times_ms, records.texts
                    for row in chosen:
                        found[tile_keys[row]].append((place, addresses[row], times_ms[row], texts[row]))
        return found

    def _stored_time_finder(self, sums: Sequence[TileSums]) -> _FindStoredTime:
        """See `stored_time_finder`; for records of the tail, or of the tiles of these sums."""
        of_tail = stored_times_of(self.entries)
        data_sets = {data_set.id: data_set for data_set in self.data_sets}

        @cache  # most days need the tail's alone
        def in_tiles() -> _FindStoredTime:
            pairs = (pair for of_tile in sums for pair in of_tile.stored_times.items())
            return stored_time_finder(data_sets, dict(pairs))

        def find(data_set_id: str, number: int, time_ms: int) -> int:
            known = of_tail.get((data_set_id, number))
            return in_tiles()(data_set_id, number, time_ms) if known is None else known

        return find

    def _refs(
        self, name: str, first_day: int | None, last_day: int | None, *, newest_first: bool = False
    ) -> Iterator[TileRef]:
        of_type = self.manifest.tiles.get(name)
        refs = () if of_type is None else of_type.between(first_day, last_day, newest_first=newest_first)
        return (ref for ref in refs if ref.stats.has_visible or self._tail.is_affected(ref))

    def _tail_days(self, name: str) -> Iterator[int]:
        return (key.day for key in self._tail.affected.keys if key.type == name)
