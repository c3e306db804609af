"""Removing for good what no reader can see any more.

Deleting, truncating and erasing are one write each, and what they hide stays stored until a sweep comes by. Each of
them leaves an order in the same step, so that the sweep need not look for its work. Source: architecture, section 3.
"""

from chalicelib.domain.data_set import DataOwner, DataSet
from chalicelib.domain.entries import Entry, EntryKind, read_records
from chalicelib.domain.ports_purge import PurgeOrder, Purging
from chalicelib.domain.ports_tasks import TaskServices
from chalicelib.domain.task_registry import Run
from chalicelib.domain.truncation import Truncation, truncations

WAIT_MS = 15 * 60_000
"""How long an order waits: a reader that began before it may still need what is to go; no function runs longer."""


def purge(run: Run, services: TaskServices) -> None:
    """The task: carries out all orders that have waited long enough; `data` counts orders, entries and data sets."""
    run.data.update(orders=0, entries=0, dataSets=0)
    for order in services.purging.orders(run.now_ms() - WAIT_MS):
        run.check_time()
        owner = services.data_sets.owner(order.owner_id)
        if order.epoch < owner.epoch:
            run.data["dataSets"] += _purge_epoch(order, services.purging)
        elif order.data_set_id is not None:
            run.data["entries"] += _purge_hidden(order.data_set_id, owner, services)
        services.purging.finish(order)
        run.data["orders"] += 1


def _purge_epoch(order: PurgeOrder, purging: Purging) -> int:
    """Removes what was erased; how many data sets that were."""
    erased = purging.data_sets_of_epoch(order.owner_id, order.epoch)
    for data_set in erased:
        purging.remove_data_set(data_set)
    return len(erased)


def _purge_hidden(closing_or_deleted_id: str, owner: DataOwner, services: TaskServices) -> int:
    """Removes what is hidden of a data set that was deleted, or of those that its closing truncated."""
    every = services.data_sets.of_owner(owner)
    removed = 0
    for data_set in every:
        cuts = truncations(data_set, every)
        if data_set.id != closing_or_deleted_id and not cuts:
            continue
        hidden = [entry.number for entry in services.purging.entries(data_set) if _is_hidden(entry, data_set, cuts)]
        services.purging.remove_entries(data_set, hidden)
        removed += len(hidden)
    return removed


def _is_hidden(entry: Entry, data_set: DataSet, cuts: list[Truncation]) -> bool:
    """Whether no record of an entry can be seen again. One that holds records of several devices stays whole, and so
    does one that deletes data: what it deleted may be in an entry that stays."""
    if entry.number <= data_set.cut_off:
        return True
    if entry.kind is EntryKind.DELETE or not cuts:
        return False
    devices = set(read_records(entry.body, entry.number).device_ids)
    return any(
        devices == {cut.device_id} and (cut.last_number is None or entry.number <= cut.last_number) for cut in cuts
    )
