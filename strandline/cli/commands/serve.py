"""`strandline serve`: the home server."""

import argparse
from pathlib import Path
from typing import Any

from strandline.cli.data_dir import add_data_dir
from strandline.cli.exit_codes import DONE, EXIT_CODES


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "serve",
        help="run a server on this machine until Ctrl-C",
        description="Run the platform on a data folder of this machine. The last line printed is `ready: ADDRESS`.",
        epilog=EXIT_CODES,
    )
    add_data_dir(parser)
    parser.add_argument("--port", type=int, default=8000, help="0 for any free port (default: %(default)s)")
    parser.add_argument("--sign-up", choices=("open", "invitation", "closed"), help=SIGN_UP_HELP)
    quotas = parser.add_argument_group("what one user may store and ask for")
    for option, default, of_what in QUOTAS:
        quotas.add_argument(option, type=_positive, default=default, help=f"{of_what} (default: %(default)s)")
    _add_pages(parser)
    _add_mail(parser)
    _add_proxy(parser)
    log = parser.add_argument_group("log")
    log.add_argument("--log", type=Path, metavar="FILE", help="the file of the log; it is in the data folder otherwise")
    log.add_argument("--verbose", action="store_true", help="show each line of the log on standard error as well")
    parser.set_defaults(command=_run)


def _add_pages(parser: argparse.ArgumentParser) -> None:
    pages = parser.add_argument_group("pages and apps")
    pages.add_argument(
        "--cors-origins", default="", metavar="ORIGINS", help="origins of web pages that may call, separated by commas"
    )
    pages.add_argument("--web-app-url", default="", metavar="URL", help="the web app, to which the Uploader returns")
    pages.add_argument(
        "--oidc-clients", default="", metavar="CLIENTS", help="further apps that sign in: client=address, with commas"
    )
    pages.add_argument(
        "--allow-local-web-apps",
        action="store_true",
        help="web apps at any port of this machine may call and sign people in; for those who develop one",
    )
    pages.add_argument("--realm", default="tidepool", help="the last part of the issuer (default: %(default)s)")


def _add_mail(parser: argparse.ArgumentParser) -> None:
    mail = parser.add_argument_group("mail, for forgotten passwords and the proof of addresses")
    mail.add_argument("--mail-from", default="", metavar="ADDRESS", help="the address that mail comes from")
    mail.add_argument("--smtp", default="", metavar="HOST[:PORT]", help="the mail server (port 587, or 465 with tls)")
    mail.add_argument(
        "--smtp-security", choices=("starttls", "tls", "none"), default="starttls", help="(default: %(default)s)"
    )
    mail.add_argument("--smtp-user", default="", metavar="NAME", help="the name to sign in with at the mail server")
    mail.add_argument(
        "--smtp-password-file",
        type=Path,
        metavar="FILE",
        help="its password; or the variable STRANDLINE_SMTP_PASSWORD. Never an argument: others see those",
    )
    mail.add_argument("--mail-folder", type=Path, metavar="FOLDER", help="write mail into a folder instead, to try it")
    parser.add_argument(
        "--verify-emails", action="store_true", help="sign in only after the address was proven by a mail"
    )


def _add_proxy(parser: argparse.ArgumentParser) -> None:
    proxy = parser.add_argument_group("behind a reverse proxy, which has TLS")
    proxy.add_argument("--behind-proxy", action="store_true", help="requests come through a proxy")
    proxy.add_argument(
        "--trusted-proxy",
        dest="trusted_proxies",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="the address or network of a proxy, which tells who calls; may be repeated",
    )
    proxy.add_argument("--public-url", metavar="URL", help="the address that clients use")
    proxy.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s)")


QUOTAS = (
    ("--data-quota-mb", 5_000, "megabytes of data, deflated as it is stored"),
    ("--blob-quota-mb", 10_000, "megabytes of blobs and device logs"),
    ("--device-status-days", 60, "days for which device statuses of the Nightscout API are kept"),
    ("--requests-an-hour", 20_000, "requests within an hour"),
)
SIGN_UP_HELP = "who may make an account (default: open on this machine alone, closed behind a proxy)"


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _run(parsed: argparse.Namespace) -> int:
    from strandline.home.options import checked_options  # imported late: the platform is not part of other commands
    from strandline.home.serve import serve

    serve(checked_options(parsed))
    return DONE
