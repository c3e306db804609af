"""`strandline compare`: the differences of two exports."""

import argparse
from pathlib import Path
from typing import Any

from strandline.cli.comparing import differences
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.terminal import printable


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare two exports", epilog=EXIT_CODES)
    parser.add_argument("first", metavar="A", type=Path, help="a folder created by `strandline export`")
    parser.add_argument("second", metavar="B", type=Path, help="another one")
    parser.set_defaults(command=_run)


def _run(parsed: argparse.Namespace) -> int:
    sentences = differences(parsed.first, parsed.second)
    for sentence in sentences:
        print(printable(sentence))
    if sentences:
        return INCOMPLETE
    print("equal")
    return DONE
