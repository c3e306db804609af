"""The arguments of a command that signs in to a server, the secrets that it asks for, and the sign-in."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from strandline.cli.errors import CommandError
from strandline.cli.server import Credentials, Server

PASSWORD_VARIABLE = "STRANDLINE_PASSWORD"  # noqa: S105, the name of a variable


def add_account(parser: argparse.ArgumentParser, of_user_id: str) -> None:
    """Add the arguments that name a server and an account; `of_user_id` is the help of `--user-id`."""
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


def signed_in(parsed: argparse.Namespace) -> tuple[Server, str]:
    """The server, signed in, and the id of the account."""
    server = Server(parsed.url, allows_http=parsed.allow_http)
    user_id = server.sign_in(_credentials(parsed.user, parsed.token_file))
    return server, parsed.user_id or user_id


def ask_for_secret(name: str, variable: str, option: str, prompt: str) -> str:
    """The value of an environment variable or, if it is not set, what the person types. A secret is never an argument,
    because process lists show arguments.

    Args:
        name: the secret, and
        option: the option for a file with it, both for the error.

    Raises:
        CommandError: the variable is not set, and there is no terminal.
    """
    secret = os.environ.get(variable)
    if secret is not None:
        return secret
    if not sys.stdin.isatty():
        raise CommandError(f"cannot prompt for the {name} without a terminal: set {variable}, or use {option}.")
    return getpass.getpass(prompt)


def _credentials(email: str, token_file: Path | None) -> Credentials:
    if token_file is not None:
        return Credentials(email, token=token_file.read_text("utf-8").strip())
    password = ask_for_secret("password", PASSWORD_VARIABLE, "--token-file", f"Password of {email}: ")
    return Credentials(email, password=password)
