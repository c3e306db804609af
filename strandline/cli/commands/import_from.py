"""`strandline import-from`: the data of another kind of server into an account."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strandline.cli.commands.signing_in import add_account, ask_for_secret, signed_in
from strandline.cli.exit_codes import DONE, EXIT_CODES, INCOMPLETE
from strandline.cli.importing import ImportResult, import_account
from strandline.cli.nightscout.comparing import Difference, lacking_documents
from strandline.cli.nightscout.copying import copy_site
from strandline.cli.nightscout.documents import export_documents
from strandline.cli.nightscout.site import NightscoutSite
from strandline.cli.server import Server
from strandline.cli.terminal import printable

SECRET_VARIABLE = "NIGHTSCOUT_SECRET"  # noqa: S105, the name of a variable
DEVICE_STATUS_DAYS = 60
"""Days that a stage keeps device statuses by default."""
MAX_LISTED = 100


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "import-from",
        help="move from another kind of server into an account",
        epilog=EXIT_CODES,
    )
    kinds = command.add_subparsers(title="from what", required=True, metavar="KIND")
    nightscout = kinds.add_parser(
        "nightscout",
        help="move from a Nightscout site",
        description="Copy all documents of a Nightscout site into a folder, import them into an account, and compare "
        "both. The site is read, and nothing is changed there.",
        epilog=f"Run the same command again to continue an interrupted move. {EXIT_CODES}",
    )
    nightscout.add_argument("site", metavar="SITE", help="the address of the site, such as https://ada.example.org")
    nightscout.add_argument("folder", metavar="FOLDER", type=Path, help="the folder for the copy, which stays")
    add_account(nightscout, "the account to move into, if it is not that of --user")
    nightscout.add_argument(
        "--secret-file",
        metavar="F",
        type=Path,
        help="a file with the API secret or a token of the site; without it, the secret is read from "
        f"{SECRET_VARIABLE} or prompted for. A site that everybody may read needs none",
    )
    nightscout.add_argument(
        "--device-status-days",
        metavar="DAYS",
        type=_days,
        default=DEVICE_STATUS_DAYS,
        help="move device statuses of the last so many days (default: %(default)s, as long as a stage keeps them; "
        "0 for none)",
    )
    nightscout.set_defaults(command=_run, when_interrupted="; run the same command again: a move continues")


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise argparse.ArgumentTypeError("not a number of days")
    return int(text)


def _run(parsed: argparse.Namespace) -> int:
    server, user_id = signed_in(parsed)
    secret = _secret(parsed.secret_file)
    site = NightscoutSite(parsed.site, secret, allows_http=parsed.allow_http)
    site.require_readable()
    manifest = copy_site(site, parsed.folder, datetime.now(UTC), parsed.device_status_days)
    copied = sum(manifest.counts.values())
    print(f"copied: {copied} documents into {parsed.folder}")
    for name, count in sorted(manifest.counts.items()):
        print(f"  {printable(name.partition('/')[2])}: {count}")
    if manifest.left_out:
        print(f"not on this site: {printable(', '.join(manifest.left_out))}", file=sys.stderr)
    imported = import_account(server, user_id, parsed.folder)
    _report(imported)
    if imported.left_out:
        return INCOMPLETE
    lacking = _lacking(server, user_id, parsed.folder)
    for difference in lacking[:MAX_LISTED]:
        where = "differs" if difference.is_in_second else "is missing"
        print(printable(f"{difference.collection} {difference.id} {where}"))
    if len(lacking) > MAX_LISTED:
        print(f"and {len(lacking) - MAX_LISTED} more")
    if lacking or imported.refused:
        print("compared: not all documents are here as they are on the site", file=sys.stderr)
        return INCOMPLETE
    print("compared: every document is here")
    return DONE


def _report(imported: ImportResult) -> None:
    counts = imported.counts
    print(f"imported: {counts['documents']} documents; {counts['known_documents']} were here already")
    if imported.refused:
        print(
            f"the server refused {imported.refused} documents: {imported.refused_path} lists them with the reasons",
            file=sys.stderr,
        )
    if imported.left_out:
        print(f"left out, because the server takes none from you: {', '.join(imported.left_out)}", file=sys.stderr)


def _lacking(server: Server, user_id: str, folder: Path) -> list[Difference]:
    """The documents of a copy that the account lacks or has otherwise, from reading all of them again."""
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent) as name:  # only its owner can read it
        export_documents(server, user_id, Path(name))
        return list(lacking_documents(folder, Path(name)))


def _secret(secret_file: Path | None) -> str:
    """The secret or token of a site."""
    if secret_file is not None:
        return secret_file.read_text("utf-8").strip()
    prompt = "API secret or token of the site (empty if everybody may read it): "
    return ask_for_secret("secret", SECRET_VARIABLE, "--secret-file", prompt).strip()
