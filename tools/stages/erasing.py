"""Deletes the data of a stage: all resources that its stateful stack retains, and then the stack."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tools.project import step
from tools.stages import stacks
from tools.stages.deployment import KEEPING
from tools.stages.stacks import Resource

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef


def erase(session: "Session", stack: str, *, poll_s: float = 3) -> None:
    """Delete the resources of a stateful stack permanently. After an interruption, another call continues.

    Raises:
        ToolError: a resource of the stack could not be deleted.
    """
    delete_one: Mapping[str, Callable[[Session, str], None]] = {
        "AWS::DynamoDB::Table": _delete_table,
        "AWS::S3::Bucket": _delete_bucket,
        "AWS::SecretsManager::Secret": _delete_secret,
        "AWS::SQS::Queue": _delete_queue,
    }
    cloudformation = session.client("cloudformation")
    for resource in retained(stacks.resources(cloudformation, stack)):
        with step(f"deleting {resource.physical_id}"):
            delete_one[resource.kind](session, resource.physical_id)
    with step(f"deleting stack {stack}"):
        stacks.delete(cloudformation, stack, poll_s=poll_s)


def retained(resources: list[Resource]) -> list[Resource]:
    """The resources that hold data, in the order of deletion; policies are deleted with the resource they belong to."""
    return [resource for kind in KEEPING for resource in resources if resource.kind == kind and resource.physical_id]


def _delete_table(session: "Session", name: str) -> None:
    dynamodb: DynamoDBClient = session.client("dynamodb")
    with suppress(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name)
        dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


def _delete_bucket(session: "Session", name: str) -> None:
    """Delete a bucket with all versions of all objects. Incomplete uploads are deleted with it."""
    s3 = session.client("s3")
    with suppress(s3.exceptions.NoSuchBucket):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": version["Key"], "VersionId": version["VersionId"]} for version in found
            ]
            if keys:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
        s3.delete_bucket(Bucket=name)


def _delete_secret(session: "Session", arn: str) -> None:
    """Delete a secret immediately: a secret that can be restored would block its name for a new stage."""
    secrets = session.client("secretsmanager")
    with suppress(secrets.exceptions.ResourceNotFoundException):
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _delete_queue(session: "Session", url: str) -> None:
    sqs = session.client("sqs")
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url)
