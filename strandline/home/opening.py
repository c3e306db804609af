"""A data folder opened for use: its engine, and the services of the platform on it.

The server opens the folder, and so do the commands that work beside the server or instead of it. None of them takes
the lock here: only those that need the folder for themselves do (`folder_lock`).
"""

import secrets
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.config import Settings
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.embedded.errors import FolderError
from chalicelib.engine.embedded.folder import DATABASE_NAME, SECRETS_FOLDER
from chalicelib.engine.embedded.secret_files import secret_path
from chalicelib.engine.embedded.smtp import SmtpMail, SmtpServer
from chalicelib.engine.mail import FolderMail, Mail, NoMail
from chalicelib.errors import NoSpaceError, UnavailableError
from chalicelib.services import Services, Surroundings, build_services, machine
from strandline.cli.errors import CommandError

HOME = Settings(stage="home")
"""The settings of a home server for which nothing else was asked."""
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
_NO_KEYS = '{"keys": []}'
"""The first version of the secret of signing keys: the first sign-in adds one."""


@dataclass(frozen=True, slots=True)
class Home:
    """An open data folder."""

    data_dir: Path
    engine: EmbeddedEngine
    settings: Settings
    services: Services


@contextmanager
def open_home(
    data_dir: Path,
    settings: Settings = HOME,
    *,
    surroundings: Surroundings | None = None,
    must_exist: bool = False,
) -> Iterator[Home]:
    """Open a data folder until the block ends.

    Args:
        settings: those of the stage; `base_url` begins the signed addresses of objects.
        surroundings: the clock and so on; the default is the machine's.
        must_exist: whether a folder that has no data is refused instead of created.

    Raises:
        CommandError: the folder cannot be used: it is of a newer version, damaged, read-only, or on a network.
    """
    around = surroundings or machine()
    if must_exist and not (data_dir / DATABASE_NAME).is_file():
        raise CommandError(f"the folder {data_dir} has no data of a home server: `strandline serve` creates one.")
    with _folder_errors(data_dir):
        engine = embedded_engine(data_dir, around.now_ms, base_url=settings.base_url, mail=_mail(settings))
    try:
        with _folder_errors(data_dir):
            for name, text in first_secrets(settings).items():
                engine.secrets.create(name, text)
        yield Home(data_dir, engine, settings, build_services(settings, engine, around))
    finally:
        engine.close()


def _mail(settings: Settings) -> Mail:
    """The mail server or the folder that the settings name; nothing without a sender."""
    if not settings.mail_from:
        return NoMail()
    if settings.mail_folder:
        return FolderMail(Path(settings.mail_folder), settings.mail_from)
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
    )
    return SmtpMail(server, settings.mail_from)


@contextmanager
def _folder_errors(data_dir: Path) -> Iterator[None]:
    """Turn the errors of a folder that cannot be used into a sentence for the person who named it."""
    try:
        yield
    except FolderError as error:
        raise CommandError(str(error)) from error
    except NoSpaceError as error:
        raise CommandError(f"the disk of the folder {data_dir} is full.") from error
    except UnavailableError as error:
        raise CommandError(f"the disk of the folder {data_dir} fails, or another process keeps it busy.") from error
    except RuntimeError as error:
        raise CommandError(f"the folder {data_dir} cannot be used: {error}.") from error


def server_secret_path(home: Home) -> Path:
    """The file with the secret with which servers sign in: JSON, with the secret under `text`."""
    return secret_path(home.data_dir / SECRETS_FOLDER, home.settings.server_secret_name)


def first_secrets(settings: Settings) -> dict[str, str]:
    """The texts with which the secrets of a stage begin, by their names. On AWS, `infra/stateful.yaml` makes such ones,
    with these lengths."""
    return {
        settings.server_secret_name: _random_text(48),
        settings.invitation_secret_name: _random_text(16),
        settings.metrics_salt_name: _random_text(48),
        settings.oidc_keys_name: _NO_KEYS,
    }


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))
