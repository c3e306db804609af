"""`strandline nightscout-credential`: credentials with which devices speak the Nightscout API."""

import argparse
import json
import sys
from typing import Any
from urllib.parse import quote

from strandline.cli.commands.qr_code import for_terminal
from strandline.cli.commands.signing_in import add_account, signed_in
from strandline.cli.errors import CommandError
from strandline.cli.exit_codes import DONE, EXIT_CODES
from strandline.cli.server import Server
from strandline.cli.terminal import printable, table

COLUMNS = ("id", "scope", "created", "last used", "name")
SCOPES = ("read", "upload")


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "nightscout-credential",
        help="look after the credentials of apps that speak the Nightscout API",
        description="Make, list and revoke the credentials with which apps speak the Nightscout API. Each device gets "
        "its own, so that one can be revoked without the others.",
        epilog=EXIT_CODES,
    )
    verbs = command.add_subparsers(title="what to do", required=True, metavar="VERB")

    add = verbs.add_parser("add", help="make a credential", epilog=EXIT_CODES)
    _add_account(add)
    add.add_argument("name", metavar="NAME", help='a name for people, such as "Mum\'s phone"')
    add.add_argument("--scope", choices=SCOPES, default="read", help="`read` if not given; `upload` reads, too")
    add.add_argument(
        "--qr",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="print the address with the token as a QR code, too; on a terminal that is the default",
    )
    add.set_defaults(command=_add)

    list_ = verbs.add_parser("list", help="list the credentials, the newest first", epilog=EXIT_CODES)
    _add_account(list_)
    list_.add_argument("--json", action="store_true", help="as a JSON array instead of a table")
    list_.set_defaults(command=_list)

    revoke = verbs.add_parser("revoke", help="end a credential at once", epilog=EXIT_CODES)
    _add_account(revoke)
    revoke.add_argument("id", metavar="ID", help="the id that `list` shows")
    revoke.set_defaults(command=_revoke)


def _add_account(parser: argparse.ArgumentParser) -> None:
    add_account(parser, "the account whose data the credential opens, if it is not that of --user")


def _add(parsed: argparse.Namespace) -> int:
    server, path = _credentials_of(parsed)
    issued = server.json("POST", path, {"name": parsed.name, "scope": parsed.scope})
    token = printable(str(issued["token"]))
    print(f"address: {server.base_url}")
    print(f"token: {token}")
    shows_qr_code = sys.stdout.isatty() if parsed.qr is None else parsed.qr
    if shows_qr_code:
        print(for_terminal(f"{server.base_url}/?token={token}"))
    print("The app asks for it as token or as API secret. It is shown once and stored nowhere.", file=sys.stderr)
    return DONE


def _list(parsed: argparse.Namespace) -> int:
    server, path = _credentials_of(parsed)
    listed = server.json("GET", path)
    if not isinstance(listed, list):
        raise CommandError(f"the reply to GET {path} is not a list.")
    print(json.dumps(listed, indent=2) if parsed.json else _table(listed))
    return DONE


def _revoke(parsed: argparse.Namespace) -> int:
    server, path = _credentials_of(parsed)
    server.json("DELETE", f"{path}/{quote(parsed.id, safe='')}")
    print(f"revoked: {printable(parsed.id)}")
    return DONE


def _credentials_of(parsed: argparse.Namespace) -> tuple[Server, str]:
    """The server, signed in, and the path of the credentials."""
    server, user_id = signed_in(parsed)
    return server, f"/v1/users/{user_id}/nightscout_credentials"


def _table(listed: list[dict[str, Any]]) -> str:
    rows = [
        (
            str(credential["id"]),
            str(credential["scope"]),
            str(credential["createdTime"]),
            str(credential.get("lastUsedTime", "-")),
            str(credential["name"]),
        )
        for credential in listed
    ]
    return table([COLUMNS, *rows])
