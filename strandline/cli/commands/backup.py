"""`strandline backup`: a data folder into one file."""

import argparse
import sys
from pathlib import Path
from typing import Any

from strandline.cli.data_dir import add_data_dir
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.progress import Progress
from strandline.cli.sizes import size


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "backup",
        help="save the data folder of a home server in one file",
        description="Save the data folder of a home server in one file. The server may run meanwhile. The file has "
        "all secrets of the server: keep it as you keep the data.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to create; it must not exist")
    add_data_dir(parser)
    parser.set_defaults(command=_run, when_interrupted="; no backup was written")


def _run(parsed: argparse.Namespace) -> int:
    from strandline.home.backup import back_up
    from strandline.home.opening import open_home

    with open_home(parsed.data_dir, must_exist=True) as home:
        backup = back_up(home, parsed.file, Progress)
    manifest = backup.manifest
    print(
        f"saved: a database of {size(manifest.database_bytes)}, {manifest.objects} objects and {manifest.secrets} "
        f"secrets, in {parsed.file} ({size(backup.size_bytes)})"
    )
    if not backup.is_whole:
        print(
            f"The data folder lacks {len(manifest.missing)} objects and has {len(manifest.damaged)} damaged ones; "
            "`strandline doctor` names them.",
            file=sys.stderr,
        )
        return INCOMPLETE
    return DONE
