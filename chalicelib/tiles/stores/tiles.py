"""Tiles and manifests in the data table: items that never change, and one manifest for each user that lists the live
ones.

The key of a tile holds the version that it was written for, so no writer touches what others read. One transaction
replaces the manifest and stores the request to sweep what that made obsolete.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import Condition, absent, all_of, any_of, at_most, equals, exists, not_equals
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Item, Put, Query, Table, Update
from chalicelib.errors import UnavailableError
from chalicelib.log.data_set import OwnerState
from chalicelib.log.stores.keys import key, owner_key
from chalicelib.log.stores.owner import owner_check, owner_from_item
from chalicelib.tiles.manifest import Manifest, TileRef, decode_manifest, encode_manifest
from chalicelib.tiles.newest import NewestRecords, decode_newest, encode_newest
from chalicelib.tiles.ports import CompactedRange, CompactionLease
from chalicelib.tiles.stores.items import get_body, get_tiles, items_of, put_body, put_tiles
from chalicelib.tiles.stores.keys import (
    MANIFEST,
    lease_key,
    manifest_key,
    newest_key,
    origin_index_partition,
    version_prefix,
)
from chalicelib.tiles.stores.origin_index import decode_segment, encode_segments, segment_digest
from chalicelib.tiles.stores.sweep_requests import (
    ReplacedItems,
    begun_request_item,
    begun_request_key,
    committed_request_item,
)
from chalicelib.tiles.tile import Tile, TileContent, TileKey

MAX_ATTEMPTS = 10
"""Number of times that a read is repeated because another writer replaced the manifest."""


def manifest_from_item(data: Table, owner: OwnerState, item: Item | None) -> Manifest | None:
    """The manifest of the owner's epoch from an item of `manifest_key`, or an empty one if the item holds none: no
    call, or one BatchGetItem for a manifest above 380 KB.

    None if the manifest was replaced long ago and its parts were swept: this process must have been suspended.
    """
    if item is None or item["epoch"] != owner.epoch:
        return Manifest(epoch=owner.epoch)
    body = get_body(data, owner, item["version"], MANIFEST, item)
    return None if body is None else decode_manifest(body, owner.epoch, item["version"])


class StoredTiles:
    """The port `TileWriter` on the data table."""

    def __init__(self, data: Table) -> None:
        self._data = data

    def current(self, owner_id: str) -> tuple[OwnerState, Manifest]:
        """See `TileReader.current`: one BatchGetItem, and another one for a manifest above 380 KB."""
        return self.current_of([owner_id])[0]

    def current_of(self, owner_ids: Sequence[str]) -> list[tuple[OwnerState, Manifest]]:
        """See `TileReader.current_of`: one BatchGetItem, and another one for each manifest above 380 KB."""
        keys = [key for owner_id in owner_ids for key in (owner_key(owner_id), manifest_key(owner_id))]
        for _ in range(MAX_ATTEMPTS):
            items = self._data.batch_get(keys)
            found: list[tuple[OwnerState, Manifest]] = []
            for owner_id, owner_item, manifest_item in zip(owner_ids, items[::2], items[1::2], strict=True):
                owner = owner_from_item(owner_id, owner_item)
                manifest = manifest_from_item(self._data, owner, manifest_item)
                if manifest is not None:
                    found.append((owner, manifest))
            if len(found) == len(owner_ids):
                return found
        raise UnavailableError

    def tiles(self, owner: OwnerState, refs: Sequence[TileRef], shadowed: Collection[TileKey]) -> dict[TileKey, Tile]:
        """See `TileReader.tiles`: one BatchGetItem for up to a hundred items of up to 14 MB together."""
        return get_tiles(self._data, owner, refs, shadowed)

    def origin_keys(self, owner: OwnerState) -> Iterator[Mapping[TileKey, Sequence[int]]]:
        """See `TileReader.origin_keys`: one query, page after page."""
        items = self._data.query(Query(origin_index_partition(owner.id, owner.epoch)))
        return (decode_segment(item["note"]) for item in items)

    def newest(self, owner: OwnerState, manifest: Manifest) -> NewestRecords | None:
        """See `TileReader.newest`: one BatchGetItem. It may lag: what is stored under a key never changes."""
        (item,) = self._data.batch_get([newest_key(owner.id, owner.epoch, manifest.version)], may_lag=True)
        return None if item is None else decode_newest(item["body"])

    def write_newest(self, lease: CompactionLease, records: NewestRecords) -> None:
        """See `TileWriter.write_newest`: one BatchWriteItem."""
        owner = lease.owner
        item = newest_key(owner.id, owner.epoch, lease.fencing_token) | {"body": encode_newest(records)}
        self._data.batch_write([Put(item)])

    def acquire(self, owner: OwnerState, holder: str, now_ms: int, until_ms: int) -> CompactionLease | None:
        """See `TileWriter.acquire`: one read, and one transaction."""
        for _ in range(MAX_ATTEMPTS):
            stored = self._data.get(lease_key(owner.id))
            if stored is not None and stored["until_ms"] > now_ms and stored["holder"] != holder:
                return None
            last_version = 0 if stored is None else stored["version"]
            lease = CompactionLease(owner, last_version + 1, holder, until_ms)
            try:
                self._data.transact(
                    [
                        owner_check(owner.id, owner.epoch),
                        _lease_update(lease, now_ms),
                        Put(begun_request_item(lease)),
                    ]
                )
            except TransactionRefusedError as refused:
                if refused.failed(0):
                    raise WriteConflictError from refused
            else:
                return lease
        raise UnavailableError

    def write(
        self,
        lease: CompactionLease,
        tiles: Mapping[TileKey, TileContent],
        origin_keys: Mapping[TileKey, Sequence[int]],
    ) -> None:
        """See `TileWriter.write`: one BatchWriteItem for each 25 items."""
        owner, version = lease.owner, lease.fencing_token
        put_tiles(self._data, owner, version, tiles)
        partition = origin_index_partition(owner.id, owner.epoch)
        self._data.batch_write(
            [
                Put(key(partition, version_prefix(version) + segment_digest(segment)) | {"note": segment})
                for segment in encode_segments(origin_keys)
            ]
        )

    def commit(
        self,
        lease: CompactionLease,
        before: Manifest,
        after: Manifest,
        compacted: Sequence[CompactedRange],
        now_ms: int,
    ) -> None:
        """See `TileWriter.commit`: one transaction, before it one batch of puts for what is above 380 KB."""
        owner = lease.owner
        live = {(ref.key, ref.version) for ref in after.tile_refs()}
        replaced = ReplacedItems(
            manifest_version=before.version,
            tiles=[items_of(ref) for ref in before.tile_refs() if (ref.key, ref.version) not in live],
            compacted=compacted,
        )
        is_not_swept = all_of(exists(), absent("is_swept"))
        try:
            self._data.transact(
                [
                    owner_check(owner.id, owner.epoch),
                    Check(lease_key(owner.id), equals("version", lease.fencing_token)),
                    Put(self._manifest_item(owner, after), _is_still(owner.epoch, before.version)),
                    Delete(begun_request_key(lease), is_not_swept),
                    Put(committed_request_item(self._data, lease, now_ms, replaced)),
                ]
            )
        except TransactionRefusedError as refused:
            raise WriteConflictError from refused

    def release(self, lease: CompactionLease) -> None:
        """See `TileWriter.release`: one update."""
        is_own = all_of(equals("version", lease.fencing_token), equals("holder", lease.holder))
        with suppress(ConditionFailedError):
            self._data.update(Update(lease_key(lease.owner.id), set={"until_ms": 0}, condition=is_own))

    def _manifest_item(self, owner: OwnerState, manifest: Manifest) -> Item:
        body = put_body(self._data, owner, manifest.version, MANIFEST, encode_manifest(manifest))
        return manifest_key(owner.id) | {"epoch": manifest.epoch, "version": manifest.version} | body


def _lease_update(lease: CompactionLease, now_ms: int) -> Update:
    is_next = absent()
    if lease.fencing_token > 1:
        is_free = any_of(at_most("until_ms", now_ms), equals("holder", lease.holder))
        is_next = all_of(equals("version", lease.fencing_token - 1), is_free)
    return Update(
        lease_key(lease.owner.id),
        set={"version": lease.fencing_token, "holder": lease.holder, "until_ms": lease.until_ms},
        condition=is_next,
    )


def _is_still(epoch: int, version: int) -> Condition:
    """The stored manifest has this version; 0 stands for no manifest of the epoch."""
    if version:
        return all_of(equals("epoch", epoch), equals("version", version))
    return any_of(absent(), not_equals("epoch", epoch))
