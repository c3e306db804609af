"""A stage of its own for each test: tables by their definitions, a bucket, queues, a stream."""

from functools import cache
from threading import Lock
from typing import Any

import boto3

from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import Send
from chalicelib.engine.definitions import TABLES, IndexDefinition, KeyAttribute, TableDefinition

SECRET_NAME = "strandline/test/a-secret"
FIRST_SECRET = "the first text"


def sdk(settings: Settings) -> Any:
    """The SDK's client of DynamoDB, for what the engine does not do. Made once, under the mock."""
    return _sdk(settings.region)


@cache
def _sdk(region: str) -> Any:
    return boto3.client("dynamodb", region_name=region)


def create_tables(settings: Settings) -> None:
    """All tables of a stage, empty."""
    names = {
        "accounts": settings.accounts_table,
        "data": settings.data_table,
        "tasks": settings.tasks_table,
        "blobs": settings.blobs_table,
    }
    for definition in TABLES:
        sdk(settings).create_table(TableName=names[definition.name], **_properties(definition))


def create_others(settings: Settings) -> None:
    """Bucket, queues, stream and a secret."""
    boto3.client("s3", region_name=settings.region).create_bucket(Bucket=settings.bucket)
    sqs = boto3.client("sqs", region_name=settings.region)
    for queue in (settings.tasks_queue, settings.metrics_failure_queue):
        sqs.create_queue(QueueName=queue)
    kinesis = boto3.client("kinesis", region_name=settings.region)
    kinesis.create_stream(StreamName=settings.metrics_stream, ShardCount=1)
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    secrets.create_secret(Name=SECRET_NAME, SecretString=FIRST_SECRET)


def one_at_a_time(send: Send) -> Send:
    """A transport that sends one request after the other: moto, unlike DynamoDB, lets requests run into each other."""
    lock = Lock()

    def send_alone(operation: str, request: dict[str, Any]) -> Any:
        with lock:
            return send(operation, request)

    return send_alone


def _properties(definition: TableDefinition) -> dict[str, Any]:
    keys = [definition.partition, *([] if definition.sort is None else [definition.sort])]
    attributes = {key.name: key.type for key in keys}
    for index in definition.indexes:
        attributes |= {key.name: key.type for key in (index.partition, index.sort)}
    properties: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema(*keys),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": key_type} for name, key_type in attributes.items()
        ],
    }
    if definition.indexes:
        properties["GlobalSecondaryIndexes"] = [_index(index) for index in definition.indexes]
    return properties


def _index(index: IndexDefinition) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
    if index.projection == "all":
        projection = {"ProjectionType": "ALL"}
    elif index.projection:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projection)}
    return {"IndexName": index.name, "KeySchema": _schema(index.partition, index.sort), "Projection": projection}


def _schema(*keys: KeyAttribute) -> list[dict[str, str]]:
    return [{"AttributeName": key.name, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
