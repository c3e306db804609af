"""The tasks of the read model: compaction of users whose logs have grown, a daily check of a sample, and rebuilding."""

from collections.abc import Iterable
from hashlib import sha256

from chalicelib.access.quotas import DATA, near
from chalicelib.conflicts import WriteConflictError
from chalicelib.durations import DAY_MS
from chalicelib.errors import UnavailableError
from chalicelib.log.backlog import DUE_AFTER_MS, DUE_BYTES, Backlog
from chalicelib.tasks.types import Rerun, TaskFailedError, TaskRun, TimeLimitError
from chalicelib.tiles.compact import compact, rebuild
from chalicelib.tiles.ports import TileServices
from chalicelib.tiles.verify import TileCheck, check_tiles
from chalicelib.tiles.whole_logs import LogIncompleteError

COMPACTIONS_FAILED = "CompactionsFailed"
TILES_WRONG = "TilesWrong"
ENOUGH_S = 30
"""The time that must be left to begin with another user."""
NAMED_USERS = 100
"""The most failed users to name: a task's data has a limit."""
SAMPLE_USERS = 5
SAMPLE_TILES = 50
_HELD_AGAIN_S = 60


def compact_marked(run: TaskRun, services: TileServices) -> None:
    """The job: compact users whose backlog is large enough, or old enough.

    `data` counts users, entries, tiles that were written, and users for whom another compaction held the lease
    (`held`); `failed` names at most a hundred users whose compaction failed. The next run tries these again. An error
    that is neither a conflict nor an outage is raised at the end.
    """
    failed: list[str] = []
    run.data.update(users=0, entries=0, tiles=0, held=0, failed=failed)
    defect: Exception | None = None
    for backlog in services.tiles.backlog.all():
        if run.time_left_s < ENOUGH_S:
            break
        if not is_due(backlog, run.now_ms()):
            continue
        try:
            result = compact(backlog.owner_id, services.tiles, run.check_time)
        except TimeLimitError:
            raise
        except Exception as error:  # noqa: BLE001  no defect of one user's tiles may keep others waiting
            if not isinstance(error, (WriteConflictError, UnavailableError)):
                defect = error
            failed.extend([backlog.owner_id] if len(failed) < NAMED_USERS else [])
            services.count(COMPACTIONS_FAILED, 1)
            continue
        if result.is_held:
            run.data["held"] += 1
            continue
        services.tiles.backlog.clear(backlog)
        _report_quota_if_near(backlog.owner_id, services)
        run.data["users"] += 1
        run.data["entries"] += result.entries
        run.data["tiles"] += result.tiles
    if defect is not None:
        raise defect


def verify_tiles(run: TaskRun, services: TileServices) -> None:
    """Compare tiles with a fold of the log: all tiles of `data.userId`, or without it a sample of active users.

    `data` counts users and tiles, and lists in `wrong` those that differ from what the log makes, as `user/type/day`.

    Raises:
        TaskFailedError: some are wrong, and `strandline.data.rebuild` makes them again; or the archive lacks entries.
    """
    user_id = run.data.get("userId")
    run.data.update(users=0, tiles=0, wrong=[])
    sample = _sample(services.tiles.backlog.all(), run.task.id + str(run.now_ms() // DAY_MS))
    for owner_id in [user_id] if isinstance(user_id, str) else sample:
        run.check_time()
        try:
            check = _check_current_tiles(owner_id, None if user_id else SAMPLE_TILES, run, services)
        except LogIncompleteError as error:
            services.count(TILES_WRONG, 1)
            raise _log_incomplete(error) from error
        run.data["users"] += 1
        run.data["tiles"] += check.tiles
        run.data["wrong"] += [f"{owner_id}/{key.type}/{key.day}" for key in check.wrong]
    if wrong := len(run.data["wrong"]):
        services.count(TILES_WRONG, wrong)
        raise TaskFailedError(f"{wrong} tiles are not what the log says", code="tiles-wrong", is_final=True)


def rebuild_tiles(run: TaskRun, services: TileServices) -> Rerun | None:
    """Make all tiles of `data.userId` again from archive and log; `data` counts entries and tiles.

    Raises:
        TaskFailedError: there is no `data.userId`, or the archive lacks entries that the present tiles were made of.
    """
    user_id = run.data.get("userId")
    if not isinstance(user_id, str):
        raise TaskFailedError("data.userId is missing", code="user-id-missing", is_final=True)
    try:
        result = rebuild(user_id, services.tiles, run.check_time)
    except LogIncompleteError as error:
        raise _log_incomplete(error) from error
    if result.is_held:
        return Rerun(_HELD_AGAIN_S)
    run.data.update(entries=result.entries, tiles=result.tiles)
    return None


def _report_quota_if_near(owner_id: str, services: TileServices) -> None:
    """Tell the operator about a user whose data nearly takes what it may. Adding does not know: it reads no counter."""
    if services.tiles.data.data_sets.owner(owner_id).stored_bytes >= near(services.quotas.data_bytes):
        services.quotas.report(DATA, owner_id)


def is_due(backlog: Backlog, now_ms: int) -> bool:
    """Whether a user's tail is large enough to be compacted, or has waited long enough."""
    return backlog.backlog_bytes >= DUE_BYTES or backlog.since_ms + DUE_AFTER_MS <= now_ms


def _check_current_tiles(owner_id: str, at_most: int | None, run: TaskRun, services: TileServices) -> TileCheck:
    ports = services.tiles
    check = check_tiles(owner_id, ports, at_most)
    if check.is_behind:  # a data set was closed or deleted since the last compaction
        compact(owner_id, ports, run.check_time)
        check = check_tiles(owner_id, ports, at_most)
    return check


def _log_incomplete(error: LogIncompleteError) -> TaskFailedError:
    return TaskFailedError(f"entries of data set {error} are missing", code="log-incomplete", is_final=True)


def _sample(backlogs: Iterable[Backlog], seed: str) -> list[str]:
    """Some users of these backlogs, different ones for each seed."""
    owner_ids = {backlog.owner_id for backlog in backlogs}
    return sorted(owner_ids, key=lambda owner_id: sha256((seed + owner_id).encode()).digest())[:SAMPLE_USERS]
