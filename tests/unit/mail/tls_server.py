"""A mail server with TLS and a certificate of its own, on this machine."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
REPLIES = {
    "EHLO": "250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS",
    "AUTH": "235 welcome",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


def certificate(folder: Path, host: str, *, age: timedelta = timedelta()) -> Path:
    """A file with a certificate that signs itself for a host, valid for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begins = datetime.now(UTC) - DAY / 2 - age
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@dataclass(slots=True)
class TlsMailServer:
    """A mail server with what it was told: each line, and whether TLS protected it."""

    port: int = 0
    lines: list[tuple[bool, bytes]] = field(default_factory=list)

    @property
    def verbs(self) -> list[tuple[bool, str]]:
        """The commands, without the lines of a mail."""
        words = [(is_safe, line.split()[0].upper().decode("latin-1")) for is_safe, line in self.lines if line.split()]
        return [(is_safe, word) for is_safe, word in words if word in REPLIES or word == "STARTTLS"]


@contextmanager
def tls_mail_server(file: Path, security: str) -> Iterator[TlsMailServer]:
    """A mail server that speaks TLS from the first byte (`tls`) or when it is asked to (`starttls`), once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listening = create_server(("127.0.0.1", 0))
    server = TlsMailServer(listening.getsockname()[1])

    def serve() -> None:
        with suppress(OSError):  # a client that does not trust the certificate hangs up
            connection, _ = listening.accept()
            connection.settimeout(10)
            if security == "tls":
                connection = context.wrap_socket(connection, server_side=True)
            _converse(connection, server, context)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        thread.join(10)
        listening.close()


def _converse(connection: socket, server: TlsMailServer, context: ssl.SSLContext) -> None:
    """Answer the commands of a client; after STARTTLS over TLS, from the beginning."""
    is_safe = isinstance(connection, ssl.SSLSocket)
    with connection, connection.makefile("rb") as commands:

        def say(reply: str) -> None:
            connection.sendall(reply.encode() + b"\r\n")

        if not server.lines:
            say("220 mail")
        in_mail = False
        for line in commands:
            server.lines.append((is_safe, line))
            verb = line.split()[0].upper().decode("latin-1") if line.split() else ""
            if in_mail and line == b".\r\n":
                in_mail = False
                say("250 ok")
            elif in_mail:
                continue
            elif verb == "STARTTLS":
                say("220 go on")
                _converse(context.wrap_socket(connection, server_side=True), server, context)
                return
            else:
                in_mail = verb == "DATA"
                say(REPLIES.get(verb, "502 unknown"))
