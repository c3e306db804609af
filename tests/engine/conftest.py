"""The engines under test: each passes the same suite."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.config import Settings
from chalicelib.engine import dynamodb, kinesis, s3, secrets_manager, sqs
from chalicelib.engine.aws import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Table
from tests.engine.stage import create_others, create_tables, one_at_a_time

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


@pytest.fixture(params=["aws"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty engine."""
    settings: Settings = request.getfixturevalue("settings")
    tables = dynamodb.DynamoTables(settings, one_at_a_time(dynamodb.sender(settings)))
    return replace(aws_engine(settings), tables=tables)


@pytest.fixture
def table(engine: Engine) -> Table:
    """A table with partition and sort key."""
    return engine.accounts
