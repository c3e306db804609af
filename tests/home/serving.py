"""The HTTP of a home server in this process, on an engine in memory unless a folder is named."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

from chalicelib import services as process_services
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.services import Services, build_services, machine
from strandline.home.http.callers import Callers
from strandline.home.http.gateway import HomeGateway
from strandline.home.http.server import HomeHttpServer
from strandline.home.opening import HOME
from tests.e2e.client import Reply

PAGE = "https://pages.example.org"


@dataclass
class Served:
    """A server that serves, and what it serves."""

    port: int
    engine: EmbeddedEngine
    services: Services
    ahead_ms: int = 0
    """Milliseconds by which its clock is ahead of the machine's."""

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def bare(self, request: str, body: bytes = b"") -> Reply:
        """The reply to a request that is written by hand, head and all; the connection is closed after it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request.replace("\n", "\r\n").encode("latin-1") + body)
            received = b""
            while part := connection.recv(65536):
                received += part
        head, _, content = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").splitlines()
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        return Reply(int(status_line.split()[1]), headers, content)


@contextmanager
def served(trusted_proxies: Sequence[str] = (), folder: Path | None = None) -> Iterator[Served]:
    """Serve until the block ends.

    Args:
        folder: the data folder; None for an engine in memory.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    settings = replace(HOME, base_url=f"http://127.0.0.1:{port}", has_gateway=False, cors_origins=(PAGE,))

    def now_ms() -> int:
        return machine().now_ms() + server_of_test.ahead_ms

    engine = embedded_engine(folder, now_ms, base_url=settings.base_url)
    for name in (settings.server_secret_name, settings.invitation_secret_name, settings.metrics_salt_name):
        engine.secrets.create(name, "a secret of a test")
    services = build_services(settings, engine, replace(machine(), now_ms=now_ms, count=lambda _name, _value: None))
    server_of_test = Served(port, engine, services)
    process_services.override(services)
    callers = Callers([ip_network(proxy) for proxy in trusted_proxies])
    gateway = HomeGateway(lambda: engine.objects, callers)
    server = HomeHttpServer(gateway, listening, gateway.refusal_of_upload)
    thread = Thread(target=server.serve, args=[5.0], daemon=True)
    thread.start()
    try:
        yield server_of_test
    finally:
        server.stop()
        thread.join(20)
        process_services.override(None)
        engine.close()
    assert not thread.is_alive()
