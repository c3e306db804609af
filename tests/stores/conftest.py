"""The engines under the stores: AWS by moto, one mock for the whole run, emptied for each test that asks for it; and
the engine in memory."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb, s3
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from tests.engine.stage import create_tables
from tests.fakes.engine import memory_engine

SERVER_SECRET = "the server secret of the test stage"


@pytest.fixture(scope="session")
def aws() -> Iterator[Any]:
    """The mock. Clients made under it stay usable, so they are made once."""
    with mock_aws() as mock:
        yield mock
    dynamodb.forget_clients()
    s3.forget_clients()


@pytest.fixture
def stage(aws: Any) -> Settings:
    """The settings of a stage whose tables and bucket are there and empty (infra/stateful.yaml)."""
    import boto3

    aws.reset()
    settings = Settings(stage="test")
    create_tables(settings)
    boto3.client("s3", region_name=settings.region).create_bucket(Bucket=settings.bucket)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secrets.create_secret(Name=settings.server_secret_name, SecretString=SERVER_SECRET)
    return settings


@pytest.fixture(params=["memory", "aws"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty engine of each kind."""
    return memory_engine() if request.param == "memory" else aws_engine(request.getfixturevalue("stage"))
