"""Removing for good what no reader can see any more.

Deleting, truncating, erasing and compacting are one write each, and what they hide or replace stays stored until this
comes by. Each of them leaves an order in the same step, so that nobody has to look for it.
Source: docs/architecture.md, "The read model".
"""

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.entry import Entry, EntryKind, read_records
from chalicelib.log.ports import Archive
from chalicelib.log.records import Records
from chalicelib.log.truncation import Truncation, truncations
from chalicelib.model.deduplicators import DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER, DATASET_DROP_HASH
from chalicelib.tasks.types import TaskRun
from chalicelib.tiles.ports import PurgeOrder, TilePorts, TileServices

WAIT_MS = 15 * 60_000
"""How long an order waits: a reader that began before it may still need what is to go; no function runs longer."""


def purge(run: TaskRun, services: TileServices) -> None:
    """The task: carries out all orders that have waited long enough.

    `data` counts orders, entries and data sets, and what sweeps after compactions removed.
    """
    ports = services.tiles
    run.data.update(orders=0, entries=0, dataSets=0, swept=0)
    for sweep_order in ports.sweeping.orders(run.now_ms() - WAIT_MS):
        run.check_time()
        run.data["swept"] += ports.sweeping.sweep(sweep_order)
    for order in ports.purging.orders(run.now_ms() - WAIT_MS):
        run.check_time()
        owner = ports.data.data_sets.owner(order.owner_id)
        if order.epoch < owner.epoch:
            run.data["dataSets"] += _purge_epoch(order, ports)
        elif order.data_set_id is not None:
            run.data["entries"] += _purge_hidden(order.data_set_id, owner, ports)
        ports.purging.finish(order)
        run.data["orders"] += 1


def _purge_epoch(order: PurgeOrder, ports: TilePorts) -> int:
    """Removes what was erased; how many data sets that were."""
    ports.sweeping.remove_epoch(order.owner_id, order.epoch)
    ports.archive.remove(OwnerState(order.owner_id, order.epoch))
    erased = ports.purging.data_sets_of_epoch(order.owner_id, order.epoch)
    for data_set in erased:
        ports.purging.remove_data_set(data_set)
    return len(erased)


def _purge_hidden(closing_or_deleted_id: str, owner: OwnerState, ports: TilePorts) -> int:
    """Removes what is hidden of a data set that was deleted, or of those that its closing truncated."""
    every = ports.data.data_sets.of_owner(owner)
    removed = 0
    cuts_by_id = truncations(every)
    for data_set in every:
        cuts = cuts_by_id[data_set.id]
        if data_set.id != closing_or_deleted_id and not cuts:
            continue
        hidden = [entry.number for entry in ports.purging.entries(data_set) if _is_hidden(entry, data_set, cuts)]
        ports.purging.remove_entries(data_set, hidden)
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
        hidden = {it.number for it in archive.entries(owner, data_set.id) if _is_hidden(it, data_set, cuts)}
        archive.remove_entries(owner, data_set.id, hidden)


def _is_hidden(entry: Entry, data_set: DataSet, cuts: list[Truncation]) -> bool:
    """Whether no record of an entry can be seen again, and nothing comes back without it.

    So one that holds records of several devices stays, one that deletes data, and one that may have replaced some.
    """
    if entry.number <= data_set.deleted_through:
        return True
    if entry.kind is EntryKind.DELETE or not cuts:
        return False
    records = read_records(entry.body, entry.number)
    devices = set(records.device_ids)
    is_cut = any(
        devices == {cut.device_id} and (cut.last_number is None or entry.number <= cut.last_number) for cut in cuts
    )
    return is_cut and not _replaces(records, data_set)


def _replaces(records: Records, data_set: DataSet) -> bool:
    """Whether records of other entries may be gone because of these. Source: dedup 5.1 to 5.3."""
    if data_set.deduplicator == DATASET_DROP_HASH:
        return True
    by_origin = data_set.deduplicator in (DATASET_DELETE_ORIGIN, DATASET_DELETE_ORIGIN_OLDER)
    return by_origin and any(origin_id is not None for origin_id in records.origin_ids)
