"""Mail to a server with TLS, by STARTTLS and from the first byte: nothing goes to one that is not trusted."""

from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.engine.embedded.smtp import SmtpMail, SmtpServer
from chalicelib.errors import MailServerError
from tests.unit.mail.tls_server import certificate, tls_mail_server

HOST = "localhost"
SECURITIES = ("starttls", "tls")
PROTECTED = ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
"""The commands that have to be sent over TLS, in this order."""


def send(port: int, security: str) -> None:
    """Send a mail, signed in by a name and a password."""
    server = SmtpServer(HOST, port, security, "anna", "the password")
    SmtpMail(server, "strandline@example.org").send("anna@example.org", "Subject", "the text", "<p>html</p>")


@pytest.mark.parametrize("security", SECURITIES)
def test_name_password_and_mail_are_sent_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    file = certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with tls_mail_server(file, security) as server:
        send(server.port, security)
    plain = [verb for is_safe, verb in server.verbs if not is_safe]
    assert plain == ([] if security == "tls" else ["EHLO", "STARTTLS"])
    assert [verb for is_safe, verb in server.verbs if is_safe] == PROTECTED
    assert (True, b"the text\r\n") in server.lines


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(
    ("host", "age", "is_known", "problem"),
    [
        (HOST, timedelta(), False, "self-signed certificate"),
        ("mail.example.org", timedelta(), True, "Hostname mismatch, certificate is not valid for 'localhost'."),
        (HOST, timedelta(days=3), True, "certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_trusted_gets_nothing_and_is_reported_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    host: str,
    age: timedelta,
    is_known: bool,
    problem: str,
) -> None:
    file = certificate(tmp_path, host, age=age)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with tls_mail_server(file, security) as server, pytest.raises(MailServerError) as refused:
        send(server.port, security)
    assert str(refused.value) == f"no mail is sent: the certificate of localhost is not trusted ({problem})"
    assert [verb for _, verb in server.verbs if verb in PROTECTED[1:]] == []


def test_a_server_that_expects_starttls_does_not_speak_tls_at_once(tmp_path: Path) -> None:
    with tls_mail_server(certificate(tmp_path, HOST), "starttls") as server, pytest.raises(MailServerError) as refused:
        send(server.port, "tls")
    assert str(refused.value) == "no mail is sent: localhost does not speak TLS at this port"
