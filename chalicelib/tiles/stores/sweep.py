"""Sweep requests in the data table: one partition holds them by time. A request is removed last, so that one whose
sweep stopped half-way is carried out again."""

from collections.abc import Iterator
from contextlib import suppress

from chalicelib.engine.conditions import at_most, exists
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Delete, Item, Key, Prefix, Query, Range, Table, Update
from chalicelib.log.stores.keys import LAST_NUMBER, entry_number, key, log_of, parts_partition
from chalicelib.tiles.manifest import Manifest
from chalicelib.tiles.ports import CompactedRange, SweepRequest
from chalicelib.tiles.stores.items import items_of, stored_sort_keys
from chalicelib.tiles.stores.keys import (
    MANIFEST,
    REPLACED,
    body_prefix,
    draft_prefix,
    manifest_key,
    newest_key,
    newest_partition,
    origin_index_partition,
    sweep_request_key,
    sweep_requests_partition,
    tiles_partition,
    version_prefix,
)
from chalicelib.tiles.stores.sweep_requests import replaced_from_item, request_from_item
from chalicelib.tiles.stores.tiles import StoredTiles


class StoredSweepRequests:
    """The port `SweepRequests` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data
        self._tiles = StoredTiles(data)

    def older_than(self, time_ms: int) -> Iterator[SweepRequest]:
        """See `SweepRequests.older_than`: one query, page after page."""
        items = self._data.query(Query(sweep_requests_partition(), Range(below=f"{time_ms:013d}")))
        return map(request_from_item, items)

    def sweep(self, request: SweepRequest) -> int:
        """See `SweepRequests.sweep`: some reads, and one BatchWriteItem for each 25 items that are removed."""
        item = self._data.get(sweep_request_key(request.id))
        if item is None:
            return 0
        removed = self._sweep_replaced(request, item) if "is_committed" in item else self._sweep_attempt(request)
        self._data.delete(sweep_request_key(request.id))
        return removed

    def remove_epoch(self, owner_id: str, epoch: int) -> None:
        """See `SweepRequests.remove_epoch`: three queries, and the deletes."""
        for partition_of in (tiles_partition, newest_partition, origin_index_partition):
            partition = partition_of(owner_id, epoch)
            self._delete(partition, self._sort_keys(partition))
        with suppress(ConditionFailedError):
            self._data.delete(manifest_key(owner_id), at_most("epoch", epoch))

    def _sweep_attempt(self, request: SweepRequest) -> int:
        """Remove what an attempt wrote. It cannot be committed from now on."""
        try:
            self._data.update(Update(sweep_request_key(request.id), set={"is_swept": True}, condition=exists()))
        except ConditionFailedError:  # committed a moment ago
            return 0
        segments = origin_index_partition(request.owner_id, request.epoch)
        keys = [
            key(segments, sort_key) for sort_key in self._sort_keys(segments, Prefix(version_prefix(request.version)))
        ]
        self._delete_keys([*keys, newest_key(request.owner_id, request.epoch, request.version)])
        return self._sweep_version(request, self._current(request))

    def _sweep_replaced(self, request: SweepRequest, item: Item) -> int:
        """Remove what a committed attempt made obsolete, and what it wrote itself that its manifest does not name."""
        replaced = replaced_from_item(self._data, item)
        if replaced is None:
            return 0
        current = self._current(request)
        live = {(ref.key, ref.version) for ref in current.tile_refs()}
        tiles = [tile for tile in replaced.tiles if (tile.key, tile.version) not in live]
        partition = tiles_partition(request.owner_id, request.epoch)
        keys = [key(partition, sort_key) for tile in tiles for sort_key in stored_sort_keys(tile)]
        if replaced.manifest_version:
            keys.append(newest_key(request.owner_id, request.epoch, replaced.manifest_version))
        self._delete_keys(keys)
        manifest_parts = Prefix(body_prefix(replaced.manifest_version, MANIFEST))
        self._delete(partition, self._sort_keys(partition, manifest_parts))
        removed = len(tiles)
        if current.version == request.version:
            removed += self._sweep_version(request, current)
        else:
            drafts = Prefix(draft_prefix(request.version))
            self._delete(partition, self._sort_keys(partition, drafts))
        for compacted in replaced.compacted:
            removed += self._sweep_entries(request, compacted)
            self._sweep_bodies(request, compacted)
        # These parts list everything above, so they go last.
        self._delete(partition, self._sort_keys(partition, Prefix(body_prefix(request.version, REPLACED))))
        return removed

    def _current(self, request: SweepRequest) -> Manifest:
        """The manifest whose tiles must stay; an empty one if the epoch of the request is over."""
        _, current = self._tiles.current(request.owner_id)
        return current if current.epoch == request.epoch else Manifest(epoch=request.epoch)

    def _sweep_version(self, request: SweepRequest, current: Manifest) -> int:
        """Remove what an attempt wrote and the current manifest does not name, and return how many tiles that were."""
        partition = tiles_partition(request.owner_id, request.epoch)
        of_version = (ref for ref in current.tile_refs() if ref.version == request.version)
        live = {sort_key for ref in of_version for sort_key in stored_sort_keys(items_of(ref))}
        is_current = current.version == request.version
        live_parts = tuple(body_prefix(request.version, name) for name in (MANIFEST, REPLACED) if is_current)
        strays = [
            sort_key
            for sort_key in self._sort_keys(partition, Prefix(version_prefix(request.version)))
            if sort_key not in live and not sort_key.startswith(live_parts)
        ]
        self._delete(partition, strays)
        return len({tuple(sort_key.split("#")[:3]) for sort_key in strays if "#=" not in sort_key})

    def _sweep_entries(self, request: SweepRequest, compacted: CompactedRange) -> int:
        partition, prefix = _log_of(request, compacted)
        entries = Range(at_least=prefix + entry_number(0), at_most=prefix + entry_number(compacted.last_number))
        sort_keys = self._sort_keys(partition, entries)
        self._delete(partition, sort_keys)
        return len(sort_keys)

    def _sweep_bodies(self, request: SweepRequest, compacted: CompactedRange) -> None:
        """Remove parts of bodies that no entry names: those of the removed entries, and those of requests that died
        before they committed one. Any request that wrote a part before this one's time has ended."""
        bodies = parts_partition(compacted.data_set_id)
        parts = self._sort_keys(bodies, Range(below=f"{request.time_ms:013d}"))
        if not parts:
            return
        partition, prefix = _log_of(request, compacted)
        first, last = (prefix + entry_number(number) for number in (compacted.last_number + 1, LAST_NUMBER))
        left = self._data.query(Query(partition, Range(at_least=first, at_most=last), attributes=("sk", "staged")))
        named = {item["staged"] for item in left if "staged" in item}
        self._delete(bodies, [part for part in parts if part.rpartition("#")[0] not in named])

    def _sort_keys(self, partition: str, sort_key: Prefix | Range | None = None) -> list[str]:
        return [item["sk"] for item in self._data.query(Query(partition, sort_key, attributes=("sk",)))]

    def _delete(self, partition: str, sort_keys: list[str]) -> None:
        self._delete_keys([key(partition, sort_key) for sort_key in sort_keys])

    def _delete_keys(self, keys: list[Key]) -> None:
        self._data.batch_write([Delete(item_key) for item_key in keys])


def _log_of(request: SweepRequest, compacted: CompactedRange) -> tuple[str, str]:
    return log_of(request.owner_id, request.epoch, compacted.data_set_id, is_continuous=compacted.is_continuous)
