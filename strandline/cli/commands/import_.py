"""`strandline import`: an exported folder into an account."""

import argparse
import sys
from pathlib import Path
from typing import Any

from strandline.cli.commands.signing_in import add_account, signed_in
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.importing import import_account


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import",
        help="import an exported folder into an account",
        epilog=f"Run the same command again to continue an interrupted import. {EXIT_CODES}",
    )
    add_account(parser, "the account to import into, if it is not that of --user")
    parser.add_argument("folder", metavar="IN_DIR", type=Path, help="a folder created by `strandline export`")
    parser.set_defaults(command=_run, when_interrupted="; run the same command again: an import continues")


def _run(parsed: argparse.Namespace) -> int:
    server, user_id = signed_in(parsed)
    imported = import_account(server, user_id, parsed.folder)
    counts = imported.counts
    print(
        f"imported: {counts['records']} records, {counts['data_sets']} data sets, {counts['blobs']} blobs, "
        f"{counts['device_logs']} device logs, {counts['notes']} notes and {counts['documents']} Nightscout documents"
    )
    if imported.refused:
        print(
            f"the server refused {imported.refused} records, notes or documents: "
            f"{imported.refused_path} lists them with the reasons",
            file=sys.stderr,
        )
    if imported.left_out:
        print(f"left out, because the server takes none from you: {', '.join(imported.left_out)}", file=sys.stderr)
    return INCOMPLETE if imported.refused or imported.left_out else DONE
