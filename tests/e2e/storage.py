"""The storage of a platform, opened beside it: its engine, and what an operator can see but no port offers.

A local cloud is reached by its services, as the functions reach them; a home server by its data folder.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import clients, dynamodb, kinesis, s3
from chalicelib.engine.aws.attribute_values import from_values
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Item
from chalicelib.services import system_now_ms
from strandline.home.opening import HOME
from tests.e2e.conftest import Platform, aws_client

PUT_WITHIN_S = 5.0


class Storage(Protocol):
    """The engine of a platform, and more."""

    @property
    def settings(self) -> Settings:
        """The settings of the stage."""

    @property
    def engine(self) -> Engine:
        """The engine."""

    def items(self, table: TableDefinition) -> Iterator[Item]:
        """All items of a table."""

    def wake_worker(self, task_type: str) -> None:
        """Have a worker look for tasks of a type now, and not at the next full minute."""

    def put_in_stream(self, record: bytes) -> None:
        """Put a record in the stream of metrics as it is."""

    def rejected_records(self) -> list[str]:
        """The notices of stream records that the platform could not take. Each is returned once."""


class CloudStorage:
    """The storage of a local cloud."""

    def __init__(self, platform: Platform) -> None:
        self.settings = Settings(s3_path_style=True)
        self.engine = aws_engine(self.settings)
        self._platform = platform

    def items(self, table: TableDefinition) -> Iterator[Item]:
        """See `Storage.items`."""
        pages = aws_client(self._platform, "dynamodb").get_paginator("scan")
        name = getattr(self.settings, f"{table.name}_table")
        for page in pages.paginate(TableName=name, ConsistentRead=True):
            yield from map(from_values, page["Items"])

    def wake_worker(self, task_type: str) -> None:
        """See `Storage.wake_worker`. It has done what is due when this returns."""
        functions = aws_client(self._platform, "lambda")
        names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
        (worker,) = [name for name in names if "-local-app-RunTask-" in f"-{name}-"]
        record = {
            "messageId": secrets.token_hex(8),
            "receiptHandle": "a",
            "body": json.dumps({"wake": task_type}),
            "attributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{self.settings.account_id}:{self.settings.tasks_queue}",
            "awsRegion": self.settings.region,
        }
        reply = functions.invoke(FunctionName=worker, Payload=json.dumps({"Records": [record]}))
        assert "FunctionError" not in reply

    def put_in_stream(self, record: bytes) -> None:
        """See `Storage.put_in_stream`."""
        self.engine.metrics_stream.put("x", record, limit_s=PUT_WITHIN_S)

    def rejected_records(self) -> list[str]:
        """See `Storage.rejected_records`."""
        sqs = aws_client(self._platform, "sqs")
        url = sqs.get_queue_url(QueueName=self.settings.metrics_failure_queue)["QueueUrl"]
        return [message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]


class HomeStorage:
    """The storage of a home server."""

    engine: EmbeddedEngine

    def __init__(self, engine: EmbeddedEngine, base_url: str) -> None:
        self.settings = replace(HOME, base_url=base_url, has_gateway=False)
        self.engine = engine

    def items(self, table: TableDefinition) -> Iterator[Item]:
        """See `Storage.items`."""
        with self.engine.database.reading() as connection:
            rows = connection.execute("SELECT pk, sk FROM items WHERE table_name = ?", (table.name,)).fetchall()
        keys = [{"pk": pk, "sk": sk} if table.sort else {"pk": pk} for pk, sk in rows]
        found = self.engine.tables.table(table).batch_get(keys)
        return (item for item in found if item is not None)

    def wake_worker(self, task_type: str) -> None:
        """See `Storage.wake_worker`."""
        self.engine.task_queue.send(json.dumps({"wake": task_type}))

    def put_in_stream(self, record: bytes) -> None:
        """See `Storage.put_in_stream`."""
        self.engine.metrics_stream.put("x", record, limit_s=PUT_WITHIN_S)
        self.engine.metrics_stream.flush()

    def rejected_records(self) -> list[str]:
        """See `Storage.rejected_records`."""
        return [message.body for message in self.engine.metrics_failures.receive()]


@contextmanager
def of_cloud(platform: Platform) -> Iterator[Storage]:
    """The storage of a local cloud, with its credentials in the environment."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "test")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patched.setenv("AWS_ENDPOINT_URL", str(platform.gateway_url))
        _forget_clients()
        yield CloudStorage(platform)
    _forget_clients()


@contextmanager
def of_home(platform: Platform) -> Iterator[Storage]:
    """The storage of a home server that runs."""
    assert platform.data_dir is not None
    engine = embedded_engine(platform.data_dir, system_now_ms, base_url=platform.base_url)
    try:
        yield HomeStorage(engine, platform.base_url)
    finally:
        engine.close()


def _forget_clients() -> None:
    for module in (dynamodb, s3, kinesis):
        module.forget_clients()
    clients.forget_session()
