"""Purges: removes for good the data that no reader can see any more.

Deleting, truncating, erasing and compacting are one write each. The data that they hide or replace stays stored until
this task runs. Each of them leaves a request in the same write, so the task needs no search.
Source: docs/architecture.md, "The read model".
"""

from collections.abc import Sequence

from chalicelib.durations import MINUTE_MS
from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry, EntryKind, read_records
from chalicelib.log.ports import Archive
from chalicelib.log.records import Records
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER, DATASET_DROP_HASH
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.ports import PurgeRequest, TilePorts, TileServices

WAIT_MS = 15 * MINUTE_MS
"""Time that a request waits: an earlier reader may still need the data, and a function runs no longer than this."""


def purge(run: TaskRun, services: TileServices) -> None:
    """The task: carry out all requests that have waited long enough.

    `data` counts purge requests (`orders`), entries, data sets, and the items that sweeps removed (`swept`).
    """
    ports = services.tiles
    run.data.update(orders=0, entries=0, dataSets=0, swept=0)
    for sweep_request in ports.sweep_requests.older_than(run.now_ms() - WAIT_MS):
        run.check_time()
        run.data["swept"] += ports.sweep_requests.sweep(sweep_request)
    for request in ports.purge_requests.older_than(run.now_ms() - WAIT_MS):
        run.check_time()
        owner = ports.data.data_sets.owner(request.owner_id)
        purged: DataSet | None = None
        if request.epoch < owner.epoch:
            run.data["dataSets"] += _purge_epoch(request, ports)
        elif request.data_set_id is not None:
            data_sets = ports.data.data_sets.of_owner(owner)
            purged = next(
                (found for found in data_sets if found.id == request.data_set_id and found.is_purgeable), None
            )
            run.data["entries"] += _purge_hidden(request.data_set_id, owner, data_sets, ports)
        ports.purge_requests.finish(request, purged)
        run.data["orders"] += 1


def _purge_epoch(request: PurgeRequest, ports: TilePorts) -> int:
    """Remove an erased epoch, and return its number of data sets."""
    ports.purge_requests.remove_device_statuses(request.owner_id, request.epoch)
    ports.sweep_requests.remove_epoch(request.owner_id, request.epoch)
    ports.archive.remove(OwnerState(request.owner_id, request.epoch))
    erased = ports.purge_requests.data_sets_of_epoch(request.owner_id, request.epoch)
    for data_set in erased:
        ports.purge_requests.remove_data_set(data_set)
    return len(erased)


def _purge_hidden(closing_or_deleted_id: str, owner: OwnerState, data_sets: Sequence[DataSet], ports: TilePorts) -> int:
    """Remove the hidden entries of a deleted data set, or of those that its closing truncated, and count them."""
    removed = 0
    cuts_by_id = truncations(data_sets)
    for data_set in data_sets:
        cuts = cuts_by_id[data_set.id]
        if data_set.id != closing_or_deleted_id and not cuts:
            continue
        hidden = [entry.number for entry in ports.purge_requests.entries(data_set) if _is_hidden(entry, data_set, cuts)]
        ports.purge_requests.remove_entries(data_set, hidden)
        removed += len(hidden)
        _purge_archive(owner, data_set, cuts, ports.archive)
    return removed


def _purge_archive(owner: OwnerState, data_set: DataSet, cuts: list[Truncation], archive: Archive) -> None:
    if data_set.is_purgeable:
        archive.remove(owner, data_set.id)
        return
    if data_set.deleted_through:
        archive.remove_entries(owner, data_set.id, range(1, data_set.deleted_through + 1))
    if cuts:
        hidden = {entry.number for entry in archive.entries(owner, data_set.id) if _is_hidden(entry, data_set, cuts)}
        archive.remove_entries(owner, data_set.id, hidden)


def _is_hidden(entry: Entry, data_set: DataSet, cuts: list[Truncation]) -> bool:
    """Whether no record of an entry can be seen again, and removing the entry makes no other record visible.

    An entry stays if it holds records of several devices, deletes data, or may have replaced records.
    """
    if entry.number <= data_set.deleted_through:
        return True
    if entry.kind is EntryKind.DELETE or not cuts:
        return False
    records = read_records(entry.body, entry.number)
    devices = set(records.device_ids)
    is_cut = any(devices == {cut.device_id} and cut.covers(entry.number) for cut in cuts)
    return is_cut and not _replaces(records, data_set)


def _replaces(records: Records, data_set: DataSet) -> bool:
    """Whether these records may have replaced records of other entries. Source: dedup 5.1 to 5.3."""
    if data_set.deduplicator == DATASET_DROP_HASH:
        return True
    by_origin = data_set.deduplicator in (DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER)
    return by_origin and any(origin_id is not None for origin_id in records.origin_ids)
