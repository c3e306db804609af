"""Mail by SMTP, for a home server: the mail server of a provider or of one's own."""

from typing import TYPE_CHECKING

from chalicelib.engine.mail import mime_message
from chalicelib.errors import MailServerError, UnavailableError
from chalicelib.frozen import frozen

if TYPE_CHECKING:
    import smtplib

TIMEOUT_S = 20.0
LATER = range(400, 500)
"""Replies that ask to try again later (RFC 5321, 4.2.1)."""


@frozen
class SmtpServer:
    """A mail server and how to reach it."""

    host: str
    port: int
    security: str
    """`starttls`, `tls` from the first byte, or `none`."""
    user: str = ""
    """The name to sign in with; empty for a server that asks for none."""
    password: str = ""


class SmtpMail:
    """The port `Mail` on a mail server."""

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """See `Mail.send`. One connection. With TLS, nothing is sent before the certificate was checked.

        Raises:
            MailServerError: the server does not answer, offers no TLS, or has no certificate that this machine trusts
                for its name.
        """
        import smtplib  # imported late: few processes send mail

        message = mime_message((self._sender, recipient), subject, text, html)
        try:
            with self._connected() as connection:
                if self._server.user:
                    connection.login(self._server.user, self._server.password)
                connection.send_message(message, self._sender, [recipient])
        except smtplib.SMTPResponseException as error:
            if error.smtp_code in LATER:
                raise UnavailableError from error
            raise RuntimeError(f"the mail server refuses: {error.smtp_code}") from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(code in LATER for code in codes):
                raise UnavailableError from error
            raise RuntimeError(f"the mail server refuses the recipient: {codes}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerError(_problem(self._server.host, error)) from error

    def _connected(self) -> "smtplib.SMTP":
        import smtplib
        import ssl

        server, context = self._server, ssl.create_default_context()
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        if server.security == "starttls":
            try:
                connection.starttls(context=context)
            except BaseException:
                connection.close()
                raise
        return connection


def _problem(host: str, error: Exception) -> str:
    """The sentence about a mail server that took no mail."""
    import smtplib
    import ssl

    match error:
        case ssl.SSLCertVerificationError():
            return f"no mail is sent: the certificate of {host} is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"no mail is sent: {host} does not speak TLS at this port"
        case smtplib.SMTPNotSupportedError():
            return f"no mail is sent: {host} does not offer what is asked for ({error})"
        case _:
            return f"no mail is sent: {host} does not answer ({type(error).__name__})"
