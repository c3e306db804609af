"""Tests that the resources of a stage are deleted with their content, and that an interrupted run continues."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from moto.backends import get_backend

from tools.stages import stacks
from tools.stages.deployment import KEEPING
from tools.stages.erasing import erase, retained
from tools.stages.stacks import Resource

STACK = "strandline-test-stateful"
EMPTY = "Resources: {Topic: {Type: AWS::SNS::Topic}}"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A session with an account that has one of each kind; the bucket has versions of a deleted object."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        for service in ("cloudformation", "dynamodb", "s3", "secretsmanager", "sqs"):
            get_backend(service).reset()  # another module of this process may hold the same mock open
        session = boto3.Session(region_name="us-east-1")
        resources = [
            Resource("Table", _make_table(session), "AWS::DynamoDB::Table"),
            Resource("Bucket", _make_bucket(session), "AWS::S3::Bucket"),
            Resource("Secret", _make_secret(session), "AWS::SecretsManager::Secret"),
            Resource("Queue", session.client("sqs").create_queue(QueueName="a-queue")["QueueUrl"], "AWS::SQS::Queue"),
        ]
        # moto's CloudFormation knows no secrets, so the stack says that it has them, but did not make them.
        session.client("cloudformation").create_stack(StackName=STACK, TemplateBody=EMPTY)
        monkeypatch.setattr(stacks, "resources", lambda *_: resources)
        yield session


def _make_table(session: boto3.Session) -> str:
    session.client("dynamodb").create_table(
        TableName="a-table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        DeletionProtectionEnabled=True,
    )
    return "a-table"


def _make_bucket(session: boto3.Session) -> str:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="a-bucket")
    s3.put_bucket_versioning(Bucket="a-bucket", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="a-bucket", Key="a-key", Body=body)
    s3.delete_object(Bucket="a-bucket", Key="a-key")
    return "a-bucket"


def _make_secret(session: boto3.Session) -> str:
    secrets = session.client("secretsmanager")
    return secrets.create_secret(Name="a-secret", SecretString="a secret")["ARN"]


def left(session: boto3.Session) -> list[list[str]]:
    """The remaining tables, buckets, secrets and queues."""
    return [
        session.client("dynamodb").list_tables()["TableNames"],
        [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]],
        [secret["Name"] for secret in session.client("secretsmanager").list_secrets()["SecretList"]],
        session.client("sqs").list_queues().get("QueueUrls", []),
    ]


def test_all_resources_are_deleted(session: boto3.Session) -> None:
    assert [len(kind_left) for kind_left in left(session)] == [1, 1, 1, 1]
    erase(session, STACK, poll_s=0)
    assert left(session) == [[], [], [], []]
    assert stacks.status(session.client("cloudformation"), STACK) in (None, "DELETE_COMPLETE")


def test_resources_that_are_already_gone_are_skipped(session: boto3.Session) -> None:
    session.client("dynamodb").update_table(TableName="a-table", DeletionProtectionEnabled=False)
    session.client("dynamodb").delete_table(TableName="a-table")
    session.client("secretsmanager").delete_secret(SecretId="a-secret", ForceDeleteWithoutRecovery=True)
    session.client("sqs").delete_queue(QueueUrl=left(session)[3][0])
    erase(session, STACK, poll_s=0)
    assert left(session) == [[], [], [], []]


def test_tables_are_deleted_first_and_failed_resources_are_left_out() -> None:
    resources = [Resource(kind, kind, kind) for kind in ("AWS::Kinesis::Stream", *reversed(KEEPING))]
    assert [resource.kind for resource in retained([*resources, Resource("Failed", "", "AWS::SQS::Queue")])] == list(
        KEEPING
    )
