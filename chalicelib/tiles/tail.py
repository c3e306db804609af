"""What entries that are not in tiles yet have to do with the tiles that there are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from chalicelib.log.data_set import OwnerState
from chalicelib.log.entry import Entry, EntryKind, SelectorKind, decode_selectors, read_records
from chalicelib.tiles.ports import TileSource
from chalicelib.tiles.tile import TileKey, keys_of_rows, origin_key


@dataclass(frozen=True, slots=True)
class Touched:
    """Which tiles some entries touch. All of it may name too much, and never too little."""

    keys: set[TileKey] = field(default_factory=set)
    """Where they bring records."""
    gone_origin_keys: set[int] = field(default_factory=set)
    """Of what they may replace or delete, in whatever tile it is."""
    searched_ids: set[str] = field(default_factory=set)
    """The data sets of which they delete records that only the records themselves tell."""
    origin_keys: dict[TileKey, Sequence[int]] = field(default_factory=dict)
    """Of the records that they bring and that later entries may replace or delete."""


def touched_by(entries: Iterable[Entry], divided_ids: Collection[str]) -> Touched:
    """What entries touch.

    Args:
        divided_ids: data sets whose logs may be in tiles in part: before these entries, or when only these are, too.
            Of others all entries are here, and nothing that they touch is elsewhere.
    """
    touched = Touched()
    origin_keys: dict[TileKey, set[int]] = defaultdict(set)
    for entry in entries:
        is_divided = entry.data_set_id in divided_ids
        if entry.kind is EntryKind.ADD:
            records = read_records(entry.body, entry.number)
            keys = keys_of_rows(records)
            touched.keys.update(keys)
            if is_divided:
                for key, origin_id in zip(keys, records.origin_ids, strict=True):
                    if origin_id is not None:
                        origin_keys[key].add(origin_key(origin_id))
        elif is_divided:
            selectors = decode_selectors(entry.body)
            if selectors.kind is SelectorKind.ORIGIN:
                touched.gone_origin_keys.update(map(origin_key, selectors.values))
            else:
                touched.searched_ids.add(entry.data_set_id)
    for key, of_tile in origin_keys.items():
        touched.gone_origin_keys.update(of_tile)
        touched.origin_keys[key] = sorted(of_tile)
    return touched


def named_tiles(owner: OwnerState, origin_keys: set[int], tiles: TileSource) -> Iterator[TileKey]:
    """The tiles that may hold a record with one of these origin ids, and perhaps some that are gone."""
    if not origin_keys:
        return
    for notes in tiles.origin_keys(owner):
        for key, noted in notes.items():
            if not origin_keys.isdisjoint(noted):
                yield key
