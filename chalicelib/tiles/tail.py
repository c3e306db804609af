"""The tail: entries that are not in tiles yet, the tiles that they affect, and the prefixes of their logs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry, SelectorKind
from chalicelib.log.fold_steps import Prefix, RecordSlice
from chalicelib.log.records import Records
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import TileSource
from chalicelib.tiles.tile import Tile, TileKey, keys_of_rows, origin_key


@frozen
class Tail:
    """Entries to fold into tiles, and the data sets as they were read afterwards."""

    data_sets: Sequence[DataSet]
    """All of the owner and epoch. They are read after the entries, so that each truncation that can precede one of the
    entries is among them."""
    entries: Sequence[Entry]
    """The next entries of each log. Those of one data set are together, by number."""
    whole_ids: frozenset[str]
    """The normal data sets whose logs end with these entries."""


@frozen
class AffectedTiles:
    """The tiles that some entries affect. Each member may name too many, but never too few."""

    keys: set[TileKey] = field(default_factory=set)
    """The tiles that the entries add records to."""
    replaced_origin_keys: set[int] = field(default_factory=set)
    """The keys (`origin_key`) of origin ids that the entries may replace or delete, in any tile."""
    searched_ids: set[str] = field(default_factory=set)
    """The data sets whose records the entries delete by id or hash, which no index finds."""
    origin_keys: dict[TileKey, Sequence[int]] = field(default_factory=dict)
    """The keys of origin ids in the entries that later entries may replace or delete."""


def affected_by(entries: Iterable[Entry], divided_ids: Collection[str]) -> AffectedTiles:
    """The tiles that entries affect.

    Args:
        divided_ids: data sets whose logs may be partly in tiles, before these entries or with them. The entries hold
            the whole logs of all other data sets, so the records that they replace are among them.
    """
    affected = AffectedTiles()
    origin_keys: dict[TileKey, set[int]] = defaultdict(set)
    for entry in entries:
        is_divided = entry.data_set_id in divided_ids
        contents = entry.contents()
        if isinstance(contents, Records):
            keys = keys_of_rows(contents)
            affected.keys.update(keys)
            origin_ids = contents.origin_ids if is_divided else ()
            for key, origin_id in zip(keys, origin_ids, strict=is_divided):
                if origin_id is not None:
                    origin_keys[key].add(origin_key(origin_id))
        elif is_divided and contents.kind is SelectorKind.ORIGIN:
            affected.replaced_origin_keys.update(map(origin_key, contents.values))
        elif is_divided:
            affected.searched_ids.add(entry.data_set_id)
    for key, of_tile in origin_keys.items():
        affected.replaced_origin_keys.update(of_tile)
        affected.origin_keys[key] = sorted(of_tile)
    return affected


def tiles_with_origins(owner: OwnerState, origin_keys: set[int], tiles: TileSource) -> Iterator[TileKey]:
    """The tiles that may hold a record with one of these origin ids; some may be gone."""
    if not origin_keys:
        return
    for segment in tiles.origin_keys(owner):
        for key, of_tile in segment.items():
            if not origin_keys.isdisjoint(of_tile):
                yield key


def prefixes(manifest: Manifest, tiles: Iterable[Tile], entries: Iterable[Entry]) -> dict[str, Prefix]:
    """The prefix of each log that the entries continue, as far as these tiles hold it, by data set.

    Args:
        tiles: tiles of the manifest, read with their shadowed records.
    """
    slices: dict[str, list[RecordSlice]] = defaultdict(list)
    for tile in tiles:
        for data_set_id, of_data_set in tile.slices().items():
            slices[data_set_id].append(of_data_set)
    ids = slices.keys() | {entry.data_set_id for entry in entries}
    return {data_set_id: Prefix(manifest.position(data_set_id), slices[data_set_id]) for data_set_id in ids}


def changed_ids(manifest: Manifest, fingerprints: Mapping[str, str]) -> set[str]:
    """The data sets in tiles whose state has changed since their entries were folded."""
    return {id_ for id_, log in manifest.logs.items() if fingerprints.get(id_) != log.fingerprint}
