"""The tasks of the read model: compaction of those whose logs have grown, a daily check of a sample, and rebuilding."""

from collections.abc import Iterable
from hashlib import sha256

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.log.backlog import DUE_AFTER_MS, DUE_BYTES, Backlog
from chalicelib.tasks.types import Rerun, TaskFailedError, TaskRun, TimeLimitError
from chalicelib.tiles.compact import LogIncompleteError, compact, rebuild
from chalicelib.tiles.ports import TileServices
from chalicelib.tiles.verify import Checked, check_tiles

COMPACTIONS_FAILED = "CompactionsFailed"
TILES_WRONG = "TilesWrong"
ENOUGH_S = 30
"""With less time left no other user is begun with."""
NAMED_USERS = 100
"""So many of those that failed are named: a task's data has a limit."""
SAMPLE_USERS = 5
SAMPLE_TILES = 50
_HELD_AGAIN_S = 60


def compact_marked(run: TaskRun, services: TileServices) -> None:
    """The job: brings into tiles what has grown enough, or waited long enough.

    `data` counts users, entries, tiles that were written, and users whom another compaction was at work on (`held`);
    `failed` names those whose compaction failed, a hundred at most. These are tried again by the next run; what is no
    passing trouble is raised at the end.
    """
    failed: list[str] = []
    run.data.update(users=0, entries=0, tiles=0, held=0, failed=failed)
    defect: Exception | None = None
    for mark in services.tiles.backlog.all():
        if run.time_left_s < ENOUGH_S:
            break
        if not is_due(mark, run.now_ms()):
            continue
        try:
            done = compact(mark.owner_id, services.tiles, run.check_time)
        except TimeLimitError:
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with one user's tiles keeps nobody else waiting
            if not isinstance(error, (WriteConflictError, UnavailableError)):
                defect = error
            failed.extend([mark.owner_id] if len(failed) < NAMED_USERS else [])
            services.count(COMPACTIONS_FAILED, 1)
            continue
        if done.is_held:
            run.data["held"] += 1
            continue
        services.tiles.backlog.clear(mark)
        run.data["users"] += 1
        run.data["entries"] += done.entries
        run.data["tiles"] += done.tiles
    if defect is not None:
        raise defect


def verify_tiles(run: TaskRun, services: TileServices) -> None:
    """Compares tiles with a fold of the log: all of `data.userId`'s, or without one a sample of some users' who send.

    `data` counts users and tiles, and lists in `wrong` those that are not what the log says, as `user/type/day`.

    Raises:
        TaskFailedError: some are wrong, and `strandline.data.rebuild` makes them anew; or the archive lacks entries.
    """
    user_id = run.data.get("userId")
    run.data.update(users=0, tiles=0, wrong=[])
    sample = _sample(services.tiles.backlog.all(), run.task.id + str(run.now_ms() // 86_400_000))
    for owner_id in [user_id] if isinstance(user_id, str) else sample:
        run.check_time()
        try:
            checked = _checked(owner_id, None if user_id else SAMPLE_TILES, run, services)
        except LogIncompleteError as error:
            services.count(TILES_WRONG, 1)
            raise _incomplete(error) from error
        run.data["users"] += 1
        run.data["tiles"] += checked.tiles
        run.data["wrong"] += [f"{owner_id}/{key.type}/{key.day}" for key in checked.wrong]
    if wrong := len(run.data["wrong"]):
        services.count(TILES_WRONG, wrong)
        raise TaskFailedError(f"{wrong} tiles are not what the log says", code="tiles-wrong", is_final=True)


def rebuild_tiles(run: TaskRun, services: TileServices) -> Rerun | None:
    """Makes all tiles of `data.userId` anew from archive and log; `data` counts entries and tiles.

    Raises:
        TaskFailedError: there is no `data.userId`, or the archive lacks entries that the present tiles were made of.
    """
    user_id = run.data.get("userId")
    if not isinstance(user_id, str):
        raise TaskFailedError("data.userId is missing", code="user-id-missing", is_final=True)
    try:
        done = rebuild(user_id, services.tiles, run.check_time)
    except LogIncompleteError as error:
        raise _incomplete(error) from error
    if done.is_held:
        return Rerun(_HELD_AGAIN_S)
    run.data.update(entries=done.entries, tiles=done.tiles)
    return None


def is_due(mark: Backlog, now_ms: int) -> bool:
    """Whether a user's tail is large enough to be compacted, or has waited long enough."""
    return mark.backlog_bytes >= DUE_BYTES or mark.since_ms + DUE_AFTER_MS <= now_ms


def _checked(owner_id: str, at_most: int | None, run: TaskRun, services: TileServices) -> Checked:
    ports = services.tiles
    checked = check_tiles(owner_id, ports, at_most)
    if checked.is_behind:  # a data set was closed or deleted, and the tiles do not know yet
        compact(owner_id, ports, run.check_time)
        checked = check_tiles(owner_id, ports, at_most)
    return checked


def _incomplete(error: LogIncompleteError) -> TaskFailedError:
    return TaskFailedError(f"entries of data set {error} are missing", code="log-incomplete", is_final=True)


def _sample(marks: Iterable[Backlog], seed: str) -> list[str]:
    """Other users each day."""
    owner_ids = {mark.owner_id for mark in marks}
    return sorted(owner_ids, key=lambda owner_id: sha256((seed + owner_id).encode()).digest())[:SAMPLE_USERS]
