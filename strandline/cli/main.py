"""The command line: `strandline export`, `strandline import`, `strandline compare`."""

import argparse
import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from strandline.cli.comparing import differences
from strandline.cli.errors import CommandError
from strandline.cli.exporting import export_account
from strandline.cli.importing import import_account
from strandline.cli.server import Credentials, Server

DONE, FAILED, INCOMPLETE, STOPPED = 0, 1, 3, 130
"""Exit codes. argparse exits with 2 if the arguments are wrong."""
PASSWORD_VARIABLE = "STRANDLINE_PASSWORD"  # noqa: S105, the name of a variable
EXIT_CODES = "exit codes: 0 done, 1 failed, 2 wrong arguments, 3 done with exceptions or not equal, 130 interrupted"


def run() -> None:
    """Run the command line and exit with its exit code."""
    sys.exit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Returns the exit code; errors are one line on standard error."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except (CommandError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; run the same command again: an import continues, an export starts over", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="strandline", description="Move your diabetes data from one server to another.", epilog=EXIT_CODES
    )
    parser.add_argument("--version", action="version", version=f"strandline {_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    export = commands.add_parser(
        "export", help="export an account into a folder", epilog=f"The folder must not exist. {EXIT_CODES}"
    )
    _add_account(export, "the account to export, if it is not that of --user")
    export.add_argument("folder", metavar="OUT_DIR", type=Path, help="the folder to create")
    export.set_defaults(command=_export)

    import_ = commands.add_parser(
        "import",
        help="import an exported folder into an account",
        epilog=f"Run the same command again to continue an interrupted import. {EXIT_CODES}",
    )
    _add_account(import_, "the account to import into, if it is not that of --user")
    import_.add_argument("folder", metavar="IN_DIR", type=Path, help="a folder created by `strandline export`")
    import_.set_defaults(command=_import)

    compare = commands.add_parser("compare", help="compare two exports", epilog=EXIT_CODES)
    compare.add_argument("first", metavar="A", type=Path, help="a folder created by `strandline export`")
    compare.add_argument("second", metavar="B", type=Path, help="another one")
    compare.set_defaults(command=_compare)
    return parser


def _add_account(parser: argparse.ArgumentParser, of_user_id: str) -> None:
    parser.add_argument("--url", required=True, help="the address of the server, such as https://data.example.org")
    parser.add_argument("--user", required=True, metavar="EMAIL", help="the e-mail address to sign in with")
    parser.add_argument("--user-id", metavar="ID", help=of_user_id)
    parser.add_argument(
        "--token-file",
        metavar="F",
        type=Path,
        help=f"a file with a session token; without it, the password is read from {PASSWORD_VARIABLE} or prompted for",
    )
    parser.add_argument("--allow-http", action="store_true", help="allow an unencrypted connection")


def _export(parsed: argparse.Namespace) -> int:
    server, user_id = _signed_in(parsed)
    manifest = export_account(server, user_id, parsed.folder, datetime.now(UTC))
    records = sum(count for name, count in manifest.counts.items() if name.startswith("data/"))
    counts = manifest.counts
    print(
        f"exported: {records} records in {counts['data_sets']} data sets, {counts.get('blobs', 0)} blobs and "
        f"{counts.get('device_logs', 0)} device logs, into {parsed.folder}"
    )
    if manifest.left_out:
        print(
            f"left out, because the server does not provide them to you: {', '.join(manifest.left_out)}",
            file=sys.stderr,
        )
        return INCOMPLETE
    return DONE


def _import(parsed: argparse.Namespace) -> int:
    server, user_id = _signed_in(parsed)
    imported = import_account(server, user_id, parsed.folder)
    counts = imported.counts
    print(
        f"imported: {counts['records']} records, {counts['data_sets']} data sets, {counts['blobs']} blobs and "
        f"{counts['device_logs']} device logs"
    )
    if imported.refused:
        print(
            f"the server refused {imported.refused} records: {imported.refused_path} lists them with the reasons",
            file=sys.stderr,
        )
        return INCOMPLETE
    return DONE


def _compare(parsed: argparse.Namespace) -> int:
    sentences = differences(parsed.first, parsed.second)
    for sentence in sentences:
        print(sentence)
    if sentences:
        return INCOMPLETE
    print("equal")
    return DONE


def _signed_in(parsed: argparse.Namespace) -> tuple[Server, str]:
    server = Server(parsed.url, allows_http=parsed.allow_http)
    user_id = server.sign_in(_credentials(parsed.user, parsed.token_file, os.environ))
    return server, parsed.user_id or user_id


def _credentials(email: str, token_file: Path | None, environ: Mapping[str, str]) -> Credentials:
    """The credentials to sign in with. A password is never an argument, because process lists show arguments."""
    if token_file is not None:
        return Credentials(email, token=token_file.read_text("utf-8").strip())
    password = environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            raise CommandError(
                f"cannot prompt for the password without a terminal: set {PASSWORD_VARIABLE}, or use --token-file."
            )
        password = getpass.getpass(f"Password of {email}: ")
    return Credentials(email, password=password)


def _version() -> str:
    try:
        return version("strandline")
    except PackageNotFoundError:
        return "(not installed)"
