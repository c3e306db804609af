"""The port `Mailer` on the engine's mail."""

from chalicelib.engine.mail import Mail
from chalicelib.mail.message import MailText


class EngineMailer:
    """The port `Mailer`."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def send(self, recipient: str, mail: MailText) -> None:
        """One call."""
        self._mail.send(recipient, mail.subject, mail.text, mail.html)
