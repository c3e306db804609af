"""The options of `strandline serve`, checked, and the settings of the platform that follow from them."""

import os
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.config import Settings
from strandline.cli.errors import CommandError
from strandline.home.http.callers import Network

MAX_PORT = 65535
_ORIGIN = re.compile(r"\*|https?://[^/,\s]+")
_CLIENT = re.compile(r"[^=,\s]+=[^,\s]+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_REALM = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of the server."""

    data_dir: Path
    host: str
    port: int
    """0 stands for any that is free."""
    public_url: str | None
    """The address that clients use; None for that of this machine."""
    trusted_proxies: tuple[Network, ...]
    environ: Mapping[str, str]
    """The settings of the platform, as variables of the environment (`Settings.from_env`)."""
    log_file: Path | None
    is_verbose: bool

    def with_base_url(self, base_url: str) -> "ServeOptions":
        """These options with the address that issues tokens and begins the signed addresses."""
        return replace(self, environ={**self.environ, "STRANDLINE_BASE_URL": base_url})


def checked_options(parsed: Namespace) -> ServeOptions:
    """The options of a command line.

    Raises:
        CommandError: an option is wrong, or does not go with another.
    """
    trusted = tuple(_network(text) for text in parsed.trusted_proxies)
    _require_reachable(parsed)
    return ServeOptions(
        data_dir=parsed.data_dir.absolute(),
        host=parsed.host,
        port=parsed.port,
        public_url=None if parsed.public_url is None else _public_url(parsed.public_url),
        trusted_proxies=trusted,
        environ=_environ(parsed),
        log_file=parsed.log,
        is_verbose=parsed.verbose,
    )


def _require_reachable(parsed: Namespace) -> None:
    """Raise unless address, port and proxies go together.

    Raises:
        CommandError: they do not.
    """
    if parsed.behind_proxy and not (parsed.trusted_proxies and parsed.public_url):
        raise CommandError("--behind-proxy needs the addresses of the proxies (--trusted-proxy) and --public-url.")
    if parsed.trusted_proxies and not parsed.behind_proxy:
        raise CommandError("--trusted-proxy goes with --behind-proxy.")
    if not parsed.behind_proxy and not _is_loopback(parsed.host):
        raise CommandError(
            f"the address {parsed.host} can be reached from other machines, and there is no TLS here: "
            "let a reverse proxy stand before the server, and say so by --behind-proxy."
        )
    if parsed.allow_local_web_apps and parsed.behind_proxy:
        raise CommandError("--allow-local-web-apps is for one machine alone, so it does not go with --behind-proxy.")
    if not 0 <= parsed.port <= MAX_PORT:
        raise CommandError(f"{parsed.port} is not a port: name one between 1 and {MAX_PORT}.")


def _environ(parsed: Namespace) -> dict[str, str]:
    """The settings of the platform, as variables of the environment."""
    return {
        "STRANDLINE_STAGE": "home",
        "STRANDLINE_SIGN_UP": parsed.sign_up or ("closed" if parsed.behind_proxy else "open"),
        "STRANDLINE_CORS_ORIGINS": _listed("--cors-origins", parsed.cors_origins, _ORIGIN, "origins of pages"),
        "STRANDLINE_OIDC_CLIENTS": _listed("--oidc-clients", parsed.oidc_clients, _CLIENT, "client=address pairs"),
        "STRANDLINE_WEB_APP_URL": parsed.web_app_url,
        "STRANDLINE_DATA_QUOTA_MB": str(parsed.data_quota_mb),
        "STRANDLINE_BLOB_QUOTA_MB": str(parsed.blob_quota_mb),
        "STRANDLINE_DEVICE_STATUS_DAYS": str(parsed.device_status_days),
        "STRANDLINE_REQUESTS_AN_HOUR": str(parsed.requests_an_hour),
        "STRANDLINE_LOCAL_WEB_APPS": "true" if parsed.allow_local_web_apps else "",
        **_mail(parsed),
        "STRANDLINE_REALM": _listed("--realm", parsed.realm, _REALM, "letters, digits, - and _"),
    }


def _mail(parsed: Namespace) -> dict[str, str]:
    """The settings of mail.

    Raises:
        CommandError: options of mail contradict each other, or the password cannot be read.
    """
    is_given = bool(parsed.smtp or parsed.mail_folder)
    if parsed.smtp and parsed.mail_folder:
        raise CommandError("--smtp and --mail-folder: mail goes to one of them.")
    if is_given != bool(parsed.mail_from):
        raise CommandError("--mail-from goes with --smtp or --mail-folder: it is the address that mail comes from.")
    if parsed.verify_emails and not is_given:
        raise CommandError("--verify-emails needs mail: add --smtp and --mail-from.")
    if not is_given:
        return {"STRANDLINE_MAIL_FROM": ""}
    if not _ADDRESS.fullmatch(parsed.mail_from):
        raise CommandError(f"--mail-from {parsed.mail_from}: this is not an e-mail address.")
    host, _, port = parsed.smtp.rpartition(":") if ":" in parsed.smtp else (parsed.smtp, "", "")
    port = port or ("465" if parsed.smtp_security == "tls" else "587")
    if not (port.isdigit() and 0 < int(port) <= MAX_PORT):
        raise CommandError(f"--smtp {parsed.smtp}: {port} is not a port.")
    return {
        "STRANDLINE_MAIL_FROM": parsed.mail_from,
        "STRANDLINE_MAIL_FOLDER": str(parsed.mail_folder.absolute()) if parsed.mail_folder else "",
        "STRANDLINE_SMTP_HOST": host,
        "STRANDLINE_SMTP_PORT": port,
        "STRANDLINE_SMTP_SECURITY": parsed.smtp_security,
        "STRANDLINE_SMTP_USER": parsed.smtp_user,
        "STRANDLINE_SMTP_PASSWORD": _smtp_password(parsed.smtp_password_file),
        "STRANDLINE_VERIFIES_EMAILS": "true" if parsed.verify_emails else "false",
    }


def _smtp_password(file: Path | None) -> str:
    """The first line of the file, or else what the environment of this process has."""
    if file is None:
        return os.environ.get("STRANDLINE_SMTP_PASSWORD", "")
    try:
        return file.read_text().splitlines()[0]
    except (OSError, IndexError):
        raise CommandError(f"--smtp-password-file {file}: the file cannot be read, or is empty.") from None


def home_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of the platform in a process of the home server, from `ServeOptions.environ`."""
    return replace(Settings.from_env(environ), has_gateway=False)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        raise CommandError(f"{host} is not an address of this machine: name one such as 127.0.0.1.") from None


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise CommandError(f"--trusted-proxy {text}: name an address or a network, such as 10.0.0.0/8.") from None


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise CommandError(f"--public-url {text}: name an address without a path, such as https://data.example.org.")
    return f"{parts.scheme}://{parts.netloc}"


def _listed(option: str, text: str, pattern: re.Pattern[str], explanation: str) -> str:
    """The text, if each of its parts between commas fits the pattern."""
    for part in filter(None, text.split(",")):
        if not pattern.fullmatch(part.strip()):
            raise CommandError(f"{option} {text}: these are not {explanation}.")
    return text
