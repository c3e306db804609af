"""AWS in this process, by moto: one mock for the whole run, emptied for each test that asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.blobs.stores.keys import AWAITING_INDEX
from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb, s3

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
    for table in (settings.accounts_table, settings.data_table):
        dynamodb.client(settings).create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
    _create_blobs_table(settings)
    boto3.client("s3", region_name=settings.region).create_bucket(Bucket=settings.bucket)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secrets.create_secret(Name=settings.server_secret_name, SecretString=SERVER_SECRET)
    return settings


def _create_blobs_table(settings: Settings) -> None:
    dynamodb.client(settings).create_table(
        TableName=settings.blobs_table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "awaiting", "AttributeType": "S"},
            {"AttributeName": "created_time_ms", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": AWAITING_INDEX,
                "KeySchema": [
                    {"AttributeName": "awaiting", "KeyType": "HASH"},
                    {"AttributeName": "created_time_ms", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
