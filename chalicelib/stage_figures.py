"""The figures of a stage for its owner: users, last data, storage, tasks, refused uploads.

Time and memory are bounded for any number of users and tasks: what is not looked at makes a figure "at least".
Source: data-api 1, row 29.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

from chalicelib.access.call import Call
from chalicelib.accounts.ports import AccountPorts
from chalicelib.blobs.ports import BlobPorts
from chalicelib.frozen import frozen
from chalicelib.log.data_set import OwnerState
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.log.ports import DataPorts
from chalicelib.model.times import format_time
from chalicelib.tasks.manage import as_task
from chalicelib.tasks.ports import TaskPorts
from chalicelib.tasks.task import State
from chalicelib.tiles.ports import TilePorts
from chalicelib.uploads.ports import KEPT_FOR_MS, UploadPorts

MAX_COUNTED_USERS = 100_000
MAX_MEASURED_USERS = 500
"""The users whose storage is added up: those whose accounts were made last."""
MAX_BACKLOGS = 1_000
"""The users with data that waits for compaction among whom the last data is searched."""
MAX_COUNTED_TASKS = 10_000
MAX_FAILED_TASKS = 10


class StageServices(Protocol):
    """The services that hold what is counted."""

    @property
    def accounts(self) -> AccountPorts: ...

    @property
    def data(self) -> DataPorts: ...

    @property
    def tiles(self) -> TilePorts: ...

    @property
    def blobs(self) -> BlobPorts: ...

    @property
    def tasks(self) -> TaskPorts: ...

    @property
    def uploads(self) -> UploadPorts: ...


@frozen
class Storage:
    """The bytes of the data of some users, and the time at which data last came from one of them."""

    data_bytes: int
    blob_bytes: int
    last_ms: int | None


def stage_figures(call: Call, services: StageServices) -> dict[str, Any]:
    """The figures of the stage, as the API shows them.

    Raises:
        UnauthorizedError: the caller is not a server.
    """
    call.require()
    ids = services.accounts.accounts.newest_ids(MAX_COUNTED_USERS + 1)
    measured = list(islice(ids, MAX_MEASURED_USERS))
    count = len(measured) + sum(1 for _ in ids)
    storage = _storage(measured, services)
    waiting = islice(services.tiles.backlog.all(), MAX_BACKLOGS)
    times = [*(backlog.since_ms for backlog in waiting), *([] if storage.last_ms is None else [storage.last_ms])]
    return {
        "time": format_time(call.now_ms),
        "users": _at_least(count, MAX_COUNTED_USERS),
        "data": {
            "lastTime": format_time(max(times)) if times else None,
            "users": len(measured),
            "dataBytes": storage.data_bytes,
            "blobBytes": storage.blob_bytes,
            "isAtLeast": count > len(measured),
        },
        "tasks": _tasks(services.tasks),
        "refusals": _refusals(call.now_ms, services.uploads),
    }


def _storage(user_ids: Sequence[str], services: StageServices) -> Storage:
    owner_ids = [owner_id for user_id in user_ids for owner_id in (user_id, documents_owner_id(user_id))]
    owners = services.data.data_sets.owners(owner_ids)
    return Storage(
        data_bytes=sum(owner.stored_bytes for owner in owners),
        blob_bytes=sum(services.blobs.blobs.stored_bytes(user_ids)),
        last_ms=max(_stored_times_ms(owners), default=None),
    )


def _stored_times_ms(owners: Iterable[OwnerState]) -> Iterable[int]:
    """The times at which the newest records of these owners were stored."""
    clients = (types for owner in owners for types in owner.freshness.by_client().values())
    return (newest.stored_time_ms for types in clients for newest in types.values())


def _tasks(ports: TaskPorts) -> dict[str, Any]:
    states: Counter[State] = Counter()
    failed_ids: list[str] = []
    for task in ports.tasks.newest(MAX_COUNTED_TASKS + 1):
        states[task.state] += 1
        if task.state is State.FAILED and len(failed_ids) < MAX_FAILED_TASKS:
            failed_ids.append(task.id)
    failed = [task for task in ports.tasks.find_many(failed_ids) if task.state is State.FAILED]
    return {
        **_at_least(sum(states.values()), MAX_COUNTED_TASKS),
        **{str(state): states[state] for state in State},
        "lastFailed": [
            {name: value for name, value in as_task(task).items() if name in ("id", "type", "runTime", "error")}
            for task in failed
        ],
    }


def _refusals(now_ms: int, ports: UploadPorts) -> dict[str, Any]:
    days = ports.rejections.by_day(now_ms - KEPT_FOR_MS)
    return {
        "count": sum(day.count for day in days),
        "days": [{"date": day.date, "count": day.count, "lastTime": format_time(day.last_ms)} for day in days],
    }


def _at_least(count: int, limit: int) -> dict[str, Any]:
    """A number of which one more than the limit was counted at most."""
    return {"count": min(count, limit), "isAtLeast": count > limit}
