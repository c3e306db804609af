"""`make user EMAIL=...`: create an account, whether sign-up is open or not.

With RESET=1 a link is printed instead, by which the holder of an account chooses a new password. With CONFIRM=1 the
address of an account counts as proven.
It is created on the running local cloud or, with STAGE=... and your own AWS credentials, on that stage.

python -m tools.user STAGE EMAIL [--role ROLE]... [--reset | --confirm] [--data-dir FOLDER]

The tool asks for the password, or reads it from standard input when that is not a terminal. It is never an argument,
because the list of processes shows arguments to everyone.
"""

import argparse
import getpass
import re
import sys
from pathlib import Path

from chalicelib.accounts.account import Account
from chalicelib.accounts.roles import PATIENT, ROLES
from chalicelib.services import Services
from strandline.cli.errors import CommandError
from strandline.home.users import add_user, confirm_address, password_link
from tools.project import ToolError, run_tool
from tools.stages.stage_services import services_of_stage


def main() -> int:
    """Create the user and print their id."""
    parser = argparse.ArgumentParser(prog="make user", description="Create an account on a stage.")
    parser.add_argument("stage")
    parser.add_argument("email", help="the address the user signs in with")
    parser.add_argument(
        "--role", action="append", choices=sorted(ROLES), help=f"may be repeated; {PATIENT} if not given"
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="of the local cloud, for stage `local`")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--reset", action="store_true", help="print a link by which the holder of the account chooses a new password"
    )
    instead.add_argument(
        "--confirm", action="store_true", help="count the address as proven: it belongs to who has the account"
    )
    arguments = parser.parse_args()
    check_email(arguments.email)
    services = services_of_stage(arguments.stage, arguments.data_dir, needs_address=arguments.reset)
    if arguments.reset:
        print(link_to_new_password(services, arguments.email))
        print("The link works once, for seven days. Give it to that person only.", file=sys.stderr)
        return 0
    if arguments.confirm:
        account = confirm_user(services, arguments.email)
        print(f"the address of {arguments.email} counts as proven")
        print(f"user: {account.user_id}")
        return 0
    account = make_user(services, arguments.email, arguments.role or [PATIENT], asked_password())
    print(f"{arguments.email} can sign in now")
    print(f"user: {account.user_id}")
    return 0


def check_email(email: str) -> None:
    """Raise unless an address is given and looks like one, before anything else is asked.

    Raises:
        ToolError: it does not.
    """
    if not email:
        raise ToolError("no address is given: run make user EMAIL=ada@example.org")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise ToolError(f"{email!r} is not an e-mail address.")


def make_user(services: Services, email: str, roles: list[str], password: str) -> Account:
    """Create an account that can sign in.

    Raises:
        ToolError: the address or the password breaks a rule, the address is taken, or the stage does not answer.
    """
    try:
        return add_user(services, email, roles, password)
    except CommandError as error:
        raise ToolError(str(error)) from None


def confirm_user(services: Services, email: str) -> Account:
    """Count the address of an account as proven.

    Raises:
        ToolError: there is no such account, or the stage does not answer.
    """
    try:
        return confirm_address(services, email)
    except CommandError as error:
        raise ToolError(str(error)) from None


def link_to_new_password(services: Services, email: str) -> str:
    """A link by which the holder of an account chooses a new password.

    Raises:
        ToolError: there is no such account, or the stage does not answer or has no address.
    """
    if not services.settings.base_url:
        raise ToolError("the stage has no address for links: deploy it with DOMAIN or BASE_URL.")
    try:
        return password_link(services, email)
    except CommandError as error:
        raise ToolError(str(error)) from None


def asked_password() -> str:
    """The password: typed twice in a terminal, or the first line of standard input.

    Raises:
        ToolError: the two typed passwords differ.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("repeat the password: ") != password:
        raise ToolError("the two passwords differ.")
    return password


if __name__ == "__main__":
    run_tool(main)
