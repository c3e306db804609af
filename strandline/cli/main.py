"""The command line: a table of its commands."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from strandline.cli.commands import (
    backup,
    compare,
    doctor,
    export,
    import_,
    import_from,
    nightscout_credential,
    restore,
    serve,
    serve_tests,
    stage,
    user,
)
from strandline.cli.errors import CommandError
from strandline.cli.exit_codes import EXIT_CODES, FAILED, STOPPED
from strandline.cli.terminal import printable

UNEXPECTED_FORM = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""Errors of code that reads what a server or a file says, where no check names the fault."""
MAX_UNEXPECTED = 200

COMMANDS = (
    serve,
    user,
    nightscout_credential,
    stage,
    backup,
    restore,
    doctor,
    export,
    import_,
    import_from,
    compare,
    serve_tests,
)
"""Modules with a function `add_to`, in the order of the help."""


def run() -> None:
    """Run the command line and exit with its exit code."""
    sys.exit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Returns the exit code; errors are one line on standard error."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except (CommandError, OSError) as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return FAILED
    except UNEXPECTED_FORM as error:
        what = printable(f"{type(error).__name__}: {error}"[:MAX_UNEXPECTED])
        print(f"error: a reply of the server or a file has an unexpected form ({what}).", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"interrupted{getattr(parsed, 'when_interrupted', '')}", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="strandline",
        description="A diabetes data platform on one machine, and its data moved from one server to another.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"strandline {_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser


def _version() -> str:
    try:
        return version("strandline")
    except PackageNotFoundError:
        return "(not installed)"
