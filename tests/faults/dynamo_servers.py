"""Servers of DynamoDB: the small one in memory, and moto. Their state can be kept and put back."""

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from tests.engine.stage import create_tables
from tests.fakes.dynamodb.server import dynamo_server, sender


class DynamoServer(Protocol):
    """A server whose tables are there."""

    name: str
    send: dynamodb.Send

    def save(self) -> Any:
        """The state, to be restored any number of times."""

    def restore(self, saved: Any) -> None:
        """Put a state back."""

    def digest(self) -> bytes:
        """A digest of all items."""

    def rows(self) -> Iterator[str]:
        """All items as texts."""


class MemoryServer:
    """The server of `tests/fakes/dynamodb`."""

    name = "memory"

    def __init__(self, settings: Settings) -> None:
        self._server = dynamo_server(settings)
        self.send = sender(self._server)
        self.save = self._server.save
        self.restore = self._server.restore

    def digest(self) -> bytes:
        """See `DynamoServer.digest`."""
        digest = hashlib.sha256()
        for name, item in self._server.items():
            digest.update(name.encode() + item.digest)
        return digest.digest()

    def rows(self) -> Iterator[str]:
        """See `DynamoServer.rows`."""
        return (f"{name} {item.text}" for name, item in self._server.items())


class MotoServer:
    """DynamoDB by moto, within `mock_aws`."""

    name = "moto"

    def __init__(self, settings: Settings) -> None:
        self._region = settings.region
        create_tables(settings)
        self.send = dynamodb.sender(settings)

    def save(self) -> Any:
        """See `DynamoServer.save`."""
        return {name: copy.deepcopy(table.items) for name, table in self._tables().items()}

    def restore(self, saved: Any) -> None:
        """See `DynamoServer.restore`."""
        for name, table in self._tables().items():
            table.items = copy.deepcopy(saved[name])

    def digest(self) -> bytes:
        """See `DynamoServer.digest`."""
        return hashlib.sha256("\n".join(sorted(self.rows())).encode()).digest()

    def rows(self) -> Iterator[str]:
        """See `DynamoServer.rows`."""
        return (repr(item.to_json()) for table in self._tables().values() for item in table.all_items())

    def _tables(self) -> dict[str, Any]:
        tables: dict[str, Any] = dynamodb_backends[DEFAULT_ACCOUNT_ID][self._region].tables
        return tables


@contextmanager
def _memory(settings: Settings) -> Iterator[DynamoServer]:
    yield MemoryServer(settings)


@contextmanager
def _moto(settings: Settings) -> Iterator[DynamoServer]:
    with mock_aws() as mock:
        mock.reset()
        dynamodb.forget_clients()
        try:
            yield MotoServer(settings)
        finally:
            dynamodb.forget_clients()


SERVERS: dict[str, Callable[[Settings], AbstractContextManager[DynamoServer]]] = {
    MemoryServer.name: _memory,
    MotoServer.name: _moto,
}
"""The servers by their names; each is there until its block ends."""
