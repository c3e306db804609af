"""`strandline export`: an account into a folder."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strandline.cli.commands.signing_in import add_account, signed_in
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.exporting import export_account
from strandline.cli.terminal import printable


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "export", help="export an account into a folder", epilog=f"The folder must not exist. {EXIT_CODES}"
    )
    add_account(parser, "the account to export, if it is not that of --user")
    parser.add_argument("folder", metavar="OUT_DIR", type=Path, help="the folder to create")
    parser.set_defaults(command=_run, when_interrupted="; run the same command again: an export starts over")


def _run(parsed: argparse.Namespace) -> int:
    server, user_id = signed_in(parsed)
    manifest = export_account(server, user_id, parsed.folder, datetime.now(UTC))
    records = sum(count for name, count in manifest.counts.items() if name.startswith("data/"))
    counts = manifest.counts
    documents = sum(count for name, count in counts.items() if name.startswith("nightscout/"))
    print(
        f"exported: {records} records in {counts['data_sets']} data sets, {counts.get('blobs', 0)} blobs, "
        f"{counts.get('device_logs', 0)} device logs, {counts.get('notes', 0)} notes and {documents} Nightscout "
        f"documents, into {parsed.folder}"
    )
    if manifest.left_out:
        print(
            f"left out, because the server does not provide them to you: {printable(', '.join(manifest.left_out))}",
            file=sys.stderr,
        )
        return INCOMPLETE
    return DONE
