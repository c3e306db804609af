"""The store behind the test server: everything in memory, and replaced as a whole by a reset."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from chalicelib import services as application_services
from chalicelib.config import Settings
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.services import Services, build_services, machine
from strandline.home.opening import first_secrets
from strandline.test_server.clock import Clock
from strandline.test_server.faults import RequestFaults
from strandline.test_server.gate import Gate

RESET_TIMEOUT_S = 10
"""Longest wait of a reset for the requests that are under way."""


class QuickPasswords:
    """The port `Passwords` for tests, where argon2 would take most of the time: a hash with a salt."""

    def hash(self, password: str) -> str:
        """See `Passwords.hash`."""
        return _hashed(secrets.token_hex(8), password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """See `Passwords.verify`."""
        salt = (password_hash or "").partition(":")[0]
        return password_hash is not None and hmac.compare_digest(password_hash, _hashed(salt, password))

    def needs_rehash(self, password_hash: str) -> bool:  # noqa: ARG002  of the port
        """See `Passwords.needs_rehash`."""
        return False


def _hashed(salt: str, password: str) -> str:
    return f"{salt}:{hashlib.sha256(f'{salt}:{password}'.encode()).hexdigest()}"


class Store:
    """The engine and the services that the application uses until the next reset."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._gate = Gate()
        self._secrets = first_secrets(settings)
        self.engine, self.services = self._opened()

    @property
    def server_secret(self) -> str:
        """The secret with which servers sign in. It outlives a reset."""
        return self._secrets[self._settings.server_secret_name]

    def enter(self) -> None:
        """Begin to use the store; `leave` must follow."""
        self._gate.enter()

    def leave(self) -> None:
        """End the use of the store."""
        self._gate.leave()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Use the store until the block ends. A reset waits for that."""
        with self._gate.passing():
            yield

    def reset(self) -> None:
        """Replace the store by an empty one, as soon as nobody uses it.

        The keys that sign ID tokens stay, since making one takes longer than all the rest.

        Raises:
            BusyError: it is still in use after 10 s.
        """
        with self._gate.closed(RESET_TIMEOUT_S):
            name = self._settings.oidc_keys_name
            self._secrets[name] = self.engine.secrets.get(name).text
            self.close()
            self._clock.reset()
            self.engine, self.services = self._opened()

    def close(self) -> None:
        """Forget everything."""
        application_services.override(None)
        self.engine.close()

    def _opened(self) -> tuple[EmbeddedEngine, Services]:
        """An empty engine and the services on it, which the application uses from now on."""
        engine = embedded_engine(None, self._clock.now_ms, base_url=self._settings.base_url, faults=RequestFaults())
        for name, text in self._secrets.items():
            engine.secrets.create(name, text)
        around = replace(machine(), now_ms=self._clock.now_ms, count=_count_nothing, passwords=QuickPasswords())
        services = build_services(self._settings, engine, around)
        application_services.override(services)
        return engine, services


def _count_nothing(name: str, value: int) -> None:
    """Nobody looks at the metrics of a test."""
