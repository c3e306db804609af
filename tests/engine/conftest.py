"""The engines under test: each passes the same suite."""

import time
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb, kinesis, s3, secrets_manager, sqs
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Table
from tests.engine.stage import FIRST_SECRET, SECRET_NAME, create_others, create_tables, one_at_a_time
from tests.fakes.dynamodb.server import dynamo_server, sender

CLIENTS = (dynamodb, kinesis, s3, secrets_manager, sqs)


@pytest.fixture(scope="session")
def aws() -> Iterator[Any]:
    """AWS in this process, by moto."""
    with mock_aws() as mock:
        for module in CLIENTS:
            module.forget_clients()
        yield mock
    for module in CLIENTS:
        module.forget_clients()


@pytest.fixture
def settings(aws: Any) -> Settings:
    """The settings of a stage on moto that is there and empty."""
    aws.reset()
    sqs.forget_clients()
    settings = Settings(stage="test")
    create_tables(settings)
    create_others(settings)
    return settings


@pytest.fixture(params=["aws", "dynamodb", "memory", "folder"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty engine: on moto, on the server that stands in for DynamoDB (`tests/fakes/dynamodb`), embedded."""
    if request.param == "aws":
        yield request.getfixturevalue("moto_engine")
        return
    folder = request.getfixturevalue("tmp_path") / "data" if request.param == "folder" else None
    embedded = embedded_engine(folder, lambda: time.time_ns() // 1_000_000)
    embedded.secrets.create(SECRET_NAME, FIRST_SECRET)
    yield embedded if request.param != "dynamodb" else on_dynamo_server(embedded)
    embedded.close()


def on_dynamo_server(embedded: EmbeddedEngine) -> Engine:
    """An engine with tables on an empty server, and the other ports of the embedded one."""
    settings = Settings(stage="test")
    ports = {field.name: getattr(embedded, field.name) for field in fields(Engine)}
    return Engine(**ports | {"tables": dynamodb.DynamoTables(settings, sender(dynamo_server(settings)))})


@pytest.fixture
def moto_engine(settings: Settings) -> Engine:
    """An empty engine on moto."""
    tables = dynamodb.DynamoTables(settings, one_at_a_time(dynamodb.sender(settings)))
    return replace(aws_engine(settings), tables=tables)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of which takes time."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


@pytest.fixture
def table(engine: Engine) -> Table:
    """A table with partition and sort key."""
    return engine.accounts
