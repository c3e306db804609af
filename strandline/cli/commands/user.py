"""`strandline user`: add an account, reset a password, confirm an address, list the accounts."""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from strandline.cli.data_dir import add_data_dir
from strandline.cli.errors import CommandError
from strandline.cli.exit_codes import DONE, EXIT_CODES
from strandline.cli.terminal import table

if TYPE_CHECKING:
    from strandline.home.users import UserSummary

COLUMNS = ("id", "address", "created", "last data", "address proven")


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    user = commands.add_parser(
        "user",
        help="look after the accounts of a home server",
        description="Look after the accounts of a home server, which may run meanwhile.",
        epilog=EXIT_CODES,
    )
    verbs = user.add_subparsers(title="what to do", required=True, metavar="VERB")

    add = verbs.add_parser("add", help="create an account, even if sign-up is closed", epilog=EXIT_CODES)
    add.add_argument("email", metavar="EMAIL", help="the address to sign in with")
    add.add_argument("--role", action="append", help="may be repeated; `patient` if not given, `clinic` for a clinic")
    _add_password(add)
    add.set_defaults(command=_add)

    reset = verbs.add_parser(
        "reset-password", help="set a new password, and end all logins of the account", epilog=EXIT_CODES
    )
    reset.add_argument("email", metavar="EMAIL", help="the address of the account")
    _add_password(reset)
    reset.add_argument(
        "--link",
        metavar="ADDRESS",
        help="print a link instead, by which the person chooses the password: it begins with this address",
    )
    reset.add_argument("--realm", default="tidepool", help="as the server has it, for --link (default: %(default)s)")
    reset.set_defaults(command=_reset_password)

    confirm = verbs.add_parser(
        "confirm",
        help="say that an address belongs to the person who has the account",
        description="Count addresses as proven: invitations to them are listed for the accounts that have them.",
        epilog=EXIT_CODES,
    )
    confirm.add_argument("emails", metavar="EMAIL", nargs="+", help="the address of an account")
    confirm.set_defaults(command=_confirm)

    list_ = verbs.add_parser("list", help="list all accounts", epilog=EXIT_CODES)
    list_.add_argument("--json", action="store_true", help="as a JSON array instead of a table")
    list_.set_defaults(command=_list)
    for parser in (add, reset, confirm, list_):
        add_data_dir(parser)


def _add_password(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--ask-password", action="store_true", help="ask for the password instead of making one up")
    group.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _add(parsed: argparse.Namespace) -> int:
    from strandline.home.opening import open_home
    from strandline.home.users import add_user

    with open_home(parsed.data_dir, must_exist=True) as home:
        password, is_made_up = _password(parsed)
        account = add_user(home.services, parsed.email, parsed.role or ["patient"], password)
    print(f"user: {account.user_id}")
    _print_password(password, is_made_up=is_made_up)
    return DONE


def _reset_password(parsed: argparse.Namespace) -> int:
    from strandline.home.opening import open_home
    from strandline.home.users import reset_password

    if parsed.link is not None:
        return _print_link(parsed)

    with open_home(parsed.data_dir, must_exist=True) as home:
        password, is_made_up = _password(parsed)
        account = reset_password(home.services, parsed.email, password)
    print(f"user: {account.user_id}, all logins ended")
    _print_password(password, is_made_up=is_made_up)
    return DONE


def _print_link(parsed: argparse.Namespace) -> int:
    from strandline.home.opening import HOME, open_home
    from strandline.home.users import password_link

    settings = replace(HOME, base_url=parsed.link.rstrip("/"), realm=parsed.realm)
    with open_home(parsed.data_dir, settings, must_exist=True) as home:
        print(password_link(home.services, parsed.email))
    print("It works once, for seven days. Give it to that person only.", file=sys.stderr)
    return DONE


def _confirm(parsed: argparse.Namespace) -> int:
    from strandline.home.opening import open_home
    from strandline.home.users import confirm_address

    with open_home(parsed.data_dir, must_exist=True) as home:
        for email in parsed.emails:
            account = confirm_address(home.services, email)
            print(f"user: {account.user_id}, address proven")
    return DONE


def _list(parsed: argparse.Namespace) -> int:
    from strandline.home.opening import open_home
    from strandline.home.users import list_users

    with open_home(parsed.data_dir, must_exist=True) as home:
        users = list_users(home)
    print(json.dumps([_as_json(user) for user in users], indent=2) if parsed.json else _table(users))
    return DONE


def _password(parsed: argparse.Namespace) -> tuple[str, bool]:
    """The password, and whether it is made up. It is never an argument, because process lists show arguments."""
    from strandline.home.users import made_up_password

    if parsed.password_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if not parsed.ask_password:
        return made_up_password(), True
    if not sys.stdin.isatty():
        raise CommandError("cannot ask for a password without a terminal: use --password-stdin.")
    password = getpass.getpass("password: ")
    if getpass.getpass("repeat the password: ") != password:
        raise CommandError("the two passwords differ.")
    return password, False


def _print_password(password: str, *, is_made_up: bool) -> None:
    if is_made_up:
        print(f"password: {password}")
        print("It is shown once and stored nowhere.", file=sys.stderr)


def _as_json(user: "UserSummary") -> dict[str, Any]:
    return {
        "userId": user.account.user_id,
        "email": user.account.email,
        "roles": list(user.account.roles),
        "createdTime": _time(user.account.created_time_ms),
        "lastDataTime": _time(user.last_data_ms),
        "emailProven": user.account.email_proven,
    }


def _table(users: Sequence["UserSummary"]) -> str:
    rows = [
        (
            user.account.user_id,
            user.account.email or "-",
            _time(user.account.created_time_ms) or "-",
            _time(user.last_data_ms) or "-",
            "yes" if user.account.email_proven else "no",
        )
        for user in users
    ]
    return table([COLUMNS, *rows])


def _time(time_ms: int | None) -> str | None:
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
