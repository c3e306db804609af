"""`make user EMAIL=...`: create an account, whether sign-up is open or not.

It is created on the running local cloud or, with STAGE=... and your own AWS credentials, on that stage.

python -m tools.user STAGE EMAIL [--role ROLE]... [--data-dir FOLDER]

The tool asks for the password, or reads it from standard input when that is not a terminal. It is never an argument,
because the list of processes shows arguments to everyone.
"""

import argparse
import getpass
import sys
from pathlib import Path

from chalicelib.access.call import platform_call
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import new_user
from chalicelib.accounts.manage import create_user
from chalicelib.accounts.roles import PATIENT, ROLES
from chalicelib.errors import InvalidUserDetailsError, UnavailableError, UserExistsError
from chalicelib.services import Services
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
    arguments = parser.parse_args()
    services = services_of_stage(arguments.stage, arguments.data_dir)
    account = make_user(services, arguments.email, arguments.role or [PATIENT], asked_password())
    print(f"user: {account.user_id}")
    return 0


def make_user(services: Services, email: str, roles: list[str], password: str) -> Account:
    """Create an account that can sign in: its address counts as verified and the terms as accepted.

    Raises:
        ToolError: the address or the password breaks a rule, the address is taken, or the stage does not answer.
    """
    try:
        user = new_user({"username": email, "emails": [email], "password": password, "roles": roles})
        call = platform_call(services.now_ms(), services.new_id)
        return create_user(call, user, services.accounts, email_verified=True)
    except InvalidUserDetailsError:
        raise ToolError(
            "the e-mail address is malformed, or the password does not have 8 to 72 characters without blanks."
        ) from None
    except UserExistsError:
        raise ToolError(f"{email} already has an account.") from None
    except UnavailableError:
        raise ToolError("the accounts table does not answer; try again later.") from None


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
