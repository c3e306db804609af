"""`strandline restore`: a backup into an empty data folder."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strandline.cli.data_dir import add_data_dir
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.progress import Progress


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "restore",
        help="restore a backup into an empty data folder",
        description="Restore a backup into a data folder that is empty or not there yet.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a file created by `strandline backup`")
    add_data_dir(parser)
    parser.set_defaults(command=_run, when_interrupted="; nothing was restored")


def _run(parsed: argparse.Namespace) -> int:
    from strandline.home.restoring import restore

    backup = restore(parsed.file, parsed.data_dir, Progress)
    manifest = backup.manifest
    created = datetime.fromtimestamp(manifest.created_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    print(f"restored: the data of {created} with {manifest.objects} objects, in {parsed.data_dir}")
    if not backup.is_whole:
        print(
            f"{len(manifest.missing)} objects were missing and {len(manifest.damaged)} damaged when the backup was "
            "made; `strandline doctor` names them.",
            file=sys.stderr,
        )
        return INCOMPLETE
    return DONE
