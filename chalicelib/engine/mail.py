"""The port of outgoing mail, and mail that goes nowhere or into a folder."""

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from email.message import EmailMessage

SENDER_NAME = "Strandline"


class Mail(Protocol):
    """Sends mail from the address of the stage."""

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one mail, as plain text and as HTML. It may be sent twice when an answer is lost.

        Raises:
            UnavailableError: the mail server does not answer or asks to try later.
            RuntimeError: the mail server refuses the mail.
        """


class NoMail:
    """The port `Mail` of a stage that sends none."""

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """Do nothing."""


class FolderMail:
    """The port `Mail` as a folder of `.eml` files, named by time."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """Write one file, which its owner alone may read."""
        message = mime_message((self._sender, recipient), subject, text, html)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.eml"
        draft = self._folder / f".{name}"
        draft.touch(mode=0o600)
        draft.write_bytes(message.as_bytes())
        draft.rename(self._folder / name)


def mime_message(addresses: tuple[str, str], subject: str, text: str, html: str) -> "EmailMessage":
    """A mail from the first address to the second, with both forms of its text."""
    from email.message import EmailMessage  # imported late: few requests need it
    from email.utils import formataddr, formatdate, make_msgid

    sender, recipient = addresses
    message = EmailMessage()
    message["From"] = formataddr((SENDER_NAME, sender))
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message
