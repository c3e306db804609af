"""Mail on its way out: texts, files, SMTP, and the order in a queue."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from chalicelib.engine.embedded.smtp import SmtpMail, SmtpServer
from chalicelib.engine.mail import FolderMail, mime_message
from chalicelib.errors import MailServerError, UnavailableError
from chalicelib.mail.texts import password_reset_mail, sign_up_mail

LINK = "https://strandline.example.org/realms/tidepool/login-actions/new-password?key=abc"
SENDER = "strandline@example.org"
RECIPIENT = "anna@example.org"


@contextmanager
def mail_server(*replies: str) -> Iterator[tuple[int, list[bytes]]]:
    """A mail server that gives these replies, one to the connection and one to each line of a command."""
    received: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(ConnectionError):
            answer()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb") as stream:
            in_data = False
            pending = list(replies)
            stream.write(pending.pop(0).encode() + b"\r\n")
            stream.flush()
            for line in stream:
                received.append(line)
                if in_data and line != b".\r\n":
                    continue
                in_data = line == b"data\r\n" and bool(pending) and pending[0].startswith("354")
                if not pending:
                    break
                stream.write(pending.pop(0).encode() + b"\r\n")
                stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], received
    finally:
        thread.join(10)
        listening.close()


@pytest.mark.parametrize("mail", [password_reset_mail(LINK), sign_up_mail(LINK)])
def test_both_forms_of_a_mail_have_the_link_and_nothing_of_a_person(mail: object) -> None:
    text, html = mail.text, mail.html  # type: ignore[attr-defined]  # one of the two
    assert LINK in text
    assert f'href="{LINK}"' in html
    assert "<script" not in html
    assert "<img" not in html


def test_a_link_is_escaped_in_html() -> None:
    assert "&lt;b&gt;&quot;" in password_reset_mail('https://a.example.org/?a=<b>"').html


def test_a_folder_takes_mail_as_files_that_their_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "mail"
    for subject in ("First", "Second é"):
        FolderMail(folder, SENDER).send(RECIPIENT, subject, "text é", "<p>html</p>")
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    message = message_from_bytes(files[1].read_bytes(), policy=default)
    assert (message["to"], message["subject"]) == (RECIPIENT, "Second é")
    assert message["from"] == f"Strandline <{SENDER}>"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content() == "text é\n"


@pytest.mark.parametrize("recipient", ["a@example.org\nBcc: b@example.org", "a@example.org\r\nX: y"])
def test_an_address_adds_no_header(recipient: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        mime_message((SENDER, recipient), "Subject", "text", "html")


def test_mail_goes_to_a_mail_server() -> None:
    replies = ("220 hello", "250 hello", "250 ok", "250 ok", "354 go on", "250 ok", "221 bye")
    with mail_server(*replies) as (port, received):
        SmtpMail(SmtpServer("127.0.0.1", port, "none"), SENDER).send(RECIPIENT, "Subject", "text", "<p>html</p>")
    sent = b"".join(received)
    assert f"mail FROM:<{SENDER}>".lower().encode() in sent.lower()
    assert f"rcpt TO:<{RECIPIENT}>".lower().encode() in sent.lower()
    assert b"Subject: Subject\r\n" in sent


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        (("220 hello", "250 hello", "250 ok", "451 later", "250 reset", "221 bye"), UnavailableError),
        (("220 hello", "250 hello", "250 ok", "550 nobody", "250 reset", "221 bye"), RuntimeError),
        (("220 hello", "250 hello", "550 not you", "250 reset", "221 bye"), RuntimeError),
        (("220 hello", "250 hello", "450 later", "250 reset", "221 bye"), UnavailableError),
        (("421 busy",), UnavailableError),
    ],
)
def test_a_refusal_tells_whether_a_later_try_may_succeed(replies: tuple[str, ...], error: type[Exception]) -> None:
    with mail_server(*replies) as (port, _), pytest.raises(error):
        SmtpMail(SmtpServer("127.0.0.1", port, "none"), SENDER).send(RECIPIENT, "Subject", "text", "html")


def test_a_mail_server_that_does_not_answer_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MailServerError, match=r"127\.0\.0\.1 does not answer \(ConnectionRefusedError\)"):
        SmtpMail(SmtpServer("127.0.0.1", port, "none"), SENDER).send(RECIPIENT, "Subject", "text", "html")


@pytest.mark.parametrize(
    ("security", "problem"),
    [("starttls", "does not offer what is asked for (STARTTLS"), ("tls", "does not speak TLS at this port")],
)
def test_a_server_without_tls_gets_no_mail_and_no_password(security: str, problem: str) -> None:
    with mail_server("220 hello", "250 hello", "221 bye") as (port, received):
        server = SmtpServer("127.0.0.1", port, security, "anna", "the password")
        with pytest.raises(MailServerError) as refused:
            SmtpMail(server, SENDER).send(RECIPIENT, "Subject", "text", "html")
    assert problem in str(refused.value)
    assert not any(line.lower().startswith((b"auth", b"mail", b"data")) for line in received)


def test_a_name_signs_in_with_its_password() -> None:
    replies = ("220 hello", "250-hello\r\n250 AUTH PLAIN", "535 wrong", "221 bye")
    with mail_server(*replies) as (port, received), pytest.raises(RuntimeError) as refused:
        SmtpMail(SmtpServer("127.0.0.1", port, "none", "anna", "the password"), SENDER).send(
            RECIPIENT, "Subject", "text", "html"
        )
    assert any(line.startswith(b"AUTH PLAIN") for line in received)
    assert isinstance(refused.value.__cause__, smtplib.SMTPAuthenticationError)
