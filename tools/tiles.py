"""Verifies, rebuilds or compacts the tiles of one user (docs/operations.md).

It works on the running local cloud or, with STAGE and your own credentials, on that stage.

python -m tools.tiles verify|rebuild|compact STAGE --user ID [--data-dir FOLDER]

The work is done in this process, with your permissions, so neither the time limit of a function nor a queue delays it.
The stage may be in use: if another compaction works on the same user, the tool says so and does nothing. It can always
be repeated.
"""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.tiles.compact import CompactionResult, compact, rebuild
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.tile import TileKey
from chalicelib.tiles.verify import check_tiles
from chalicelib.tiles.whole_logs import LogIncompleteError
from tools.project import ToolError
from tools.stages.aws_account import run_aws_tool
from tools.stages.stage_services import services_of_stage


def main() -> int:
    """Run the command; exit code 1 if tiles are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.tiles",
        description="Look after the tiles of one user, with your own rights; the stage may be in use.",
        epilog="verify: compare all tiles with the log; the exit code is 1 when some are wrong, and each is named. "
        "rebuild: make all tiles again from the log. compact: fold the tail into tiles.",
    )
    parser.add_argument("what", choices=sorted(VERBS))
    parser.add_argument("stage")
    parser.add_argument("--user", required=True, metavar="ID", help="whose tiles: the id of the user")
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="of the local cloud, for stage `local`")
    arguments = parser.parse_args()
    services = services_of_stage(arguments.stage, arguments.data_dir)
    try:
        if services.accounts.accounts.find(arguments.user) is None:
            raise ToolError(f"no user has the id {arguments.user}.")
        return VERBS[arguments.what](arguments.user, services.tiles)
    except LogIncompleteError as error:
        raise ToolError(f"entries of data set {error} are missing in log and archive; nothing was changed.") from error
    except WriteConflictError:
        raise ToolError("all data was erased meanwhile, or another compaction has begun; try again.") from None
    except UnavailableError:
        raise ToolError("the table or the bucket does not answer; try again later.") from None


def verify_tiles(user_id: str, ports: TilePorts) -> int:
    """Compact, then print the tiles that differ from a fold of the log."""
    print("folding archive and log, and comparing ...", flush=True)
    checked = check_tiles(user_id, ports)
    if checked.is_behind:
        compact_tail(user_id, ports)
        checked = check_tiles(user_id, ports)
    if checked.is_behind:
        raise ToolError("data sets change all the time; try again.")
    for key in checked.wrong:
        print(f"wrong: {key.type}/{key.day} ({_date(key)})")
    print(f"{checked.tiles} tiles compared, {len(checked.wrong)} wrong")
    if checked.wrong:
        print("`rebuild` makes them again from the log.")
    return 1 if checked.wrong else 0


def rebuild_tiles(user_id: str, ports: TilePorts) -> int:
    """Rebuild all tiles from archive and log; readers see the old ones until all new ones are stored."""
    _print_done(rebuild(user_id, ports, _progress("rebuilding")))
    return 0


def compact_tail(user_id: str, ports: TilePorts) -> int:
    """Compact the tail, however small it is."""
    _print_done(compact(user_id, ports, _progress("compacting")))
    return 0


VERBS: Mapping[str, Callable[[str, TilePorts], int]] = {
    "verify": verify_tiles,
    "rebuild": rebuild_tiles,
    "compact": compact_tail,
}


def _progress(what: str) -> Callable[[], None]:
    """The callback of a compaction at the beginning of each step."""
    steps = 0

    def begin_step() -> None:
        nonlocal steps
        steps += 1
        print(f"{what}: step {steps} ...", flush=True)

    return begin_step


def _print_done(done: CompactionResult) -> None:
    if done.is_held:
        raise ToolError("another compaction is at work on this user; try again in a minute.")
    print(f"{done.entries} entries, {done.tiles} tiles written")


def _date(key: TileKey) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=key.day)).date().isoformat()


if __name__ == "__main__":
    run_aws_tool(main)
