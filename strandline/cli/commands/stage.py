"""`strandline stage`: the figures of a server for its owner."""

import argparse
import json
from pathlib import Path
from typing import Any

from strandline.cli.commands.signing_in import ask_for_secret
from strandline.cli.commands.stage_text import as_text
from strandline.cli.data_dir import add_data_dir
from strandline.cli.errors import CommandError
from strandline.cli.exit_codes import DONE, EXIT_CODES
from strandline.cli.server import Server

SECRET_VARIABLE = "STRANDLINE_SERVER_SECRET"  # noqa: S105, the name of a variable


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "stage",
        help="print users, last data, storage, tasks and refused uploads of a server",
        description="Print how many users a server has, when data last came, what it takes, and which tasks failed and "
        "uploads were refused. Without --url it looks at the data folder of a home server, which may run meanwhile.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--url", help="the address of another server, such as https://data.example.org")
    parser.add_argument(
        "--secret-file",
        metavar="F",
        type=Path,
        help=f"a file with the server secret; without it, the secret is read from {SECRET_VARIABLE} or prompted for",
    )
    parser.add_argument("--allow-http", action="store_true", help="allow an unencrypted connection")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_data_dir(parser)
    parser.set_defaults(command=_run)


def _run(parsed: argparse.Namespace) -> int:
    figures = _of_folder(parsed.data_dir) if parsed.url is None else _of_server(parsed)
    print(json.dumps(figures, indent=2) if parsed.json else as_text(figures))
    return DONE


def _of_folder(data_dir: Path) -> dict[str, Any]:
    from strandline.home.figures import figures_of
    from strandline.home.opening import open_home

    with open_home(data_dir, must_exist=True) as home:
        return figures_of(home.services)


def _of_server(parsed: argparse.Namespace) -> dict[str, Any]:
    server = Server(parsed.url, allows_http=parsed.allow_http)
    server.sign_in_as_server(_secret(parsed.secret_file))
    figures = server.json("GET", "/v1/stage")
    if not isinstance(figures, dict):
        raise CommandError("the reply to GET /v1/stage is not an object.")
    return figures


def _secret(secret_file: Path | None) -> str:
    if secret_file is not None:
        return secret_file.read_text("utf-8").strip()
    return ask_for_secret("server secret", SECRET_VARIABLE, "--secret-file", "Server secret: ")
