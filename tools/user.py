"""`make user EMAIL=...`: make an account, whether sign-up is open or not.

On the local cloud that runs; with STAGE=... and your own credentials, on a stage of yours.

python -m tools.user STAGE EMAIL [--role ROLE]... [--data-dir FOLDER]

The password is asked for, or read from standard input when that is no terminal; it is never an argument, since the
list of processes shows arguments to everyone.
"""

import argparse
import getpass
import sys
from pathlib import Path

from chalicelib.accounts.account import Account, user_id_of
from chalicelib.accounts.bodies import new_user
from chalicelib.accounts.manage import create_user
from chalicelib.accounts.roles import PATIENT, ROLES
from chalicelib.errors import InvalidUserDetailsError, UnavailableError, UserExistsError
from chalicelib.services import Services
from tools.project import ToolError, run_tool
from tools.stage_services import services_of_stage


def main() -> int:
    """Says the id of the new user."""
    parser = argparse.ArgumentParser(prog="make user", description="Make an account on a stage.")
    parser.add_argument("stage")
    parser.add_argument("email", help="the address the user signs in with")
    parser.add_argument(
        "--role", action="append", choices=sorted(ROLES), help=f"may be repeated; {PATIENT} if not given"
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="of the local cloud, for stage `local`")
    arguments = parser.parse_args()
    services = services_of_stage(arguments.stage, arguments.data_dir)
    account = make_user(services, arguments.email, arguments.role or [PATIENT], asked_password())
    print(f"user: {account.user_id}")
    return 0


def make_user(services: Services, email: str, roles: list[str], password: str) -> Account:
    """The new account, ready to sign in: its address counts as verified and the terms as accepted.

    Raises:
        ToolError: the address or the password breaks a rule, the address is taken, or the stage does not answer.
    """
    try:
        return create_user(
            new_user({"username": email, "emails": [email], "password": password, "roles": roles}),
            user_id=user_id_of(services.new_id()),
            email_verified=True,
            now_ms=services.now_ms(),
            accounts=services.accounts.accounts,
            passwords=services.accounts.passwords,
        )
    except InvalidUserDetailsError:
        raise ToolError(
            "this is no e-mail address, or the password has not 8 to 72 characters without blanks."
        ) from None
    except UserExistsError:
        raise ToolError(f"{email} has an account already.") from None
    except UnavailableError:
        raise ToolError("the accounts' table does not answer; try again later.") from None


def asked_password() -> str:
    """The password, typed twice by the person at the keyboard, or the first line of what is piped in.

    Raises:
        ToolError: what was typed is not the same.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != password:
        raise ToolError("these were two different passwords.")
    return password


if __name__ == "__main__":
    run_tool(main)
