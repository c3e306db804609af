"""The rights that each function is meant to have, beside its log and the delivery of its events.

Three sources have to agree: this table, the requests that a function makes when its use cases run, and its policy
`.chalice/policy-<function>.json`. See docs/security.md, Rights.
"""

from collections.abc import Callable, Iterator, Mapping

from tests.infra.rights.right import (
    Right,
    bucket_arn,
    objects_arn,
    queue_arn,
    secret_arn,
    sender_arn,
    stream_arn,
    table_arn,
)

API = "api_handler"
BUCKET = "bucket"

DECLARED: Mapping[str, Mapping[str, str]] = {
    API: {
        "table accounts": "BatchGetItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "table data": "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "table blobs": "BatchGetItem DeleteItem GetItem PutItem Query UpdateItem",
        "table tasks": "BatchGetItem DeleteItem GetItem PutItem",
        "table tasks/index/created": "Query",
        "queue tasks": "GetQueueUrl SendMessage",
        "stream metrics": "PutRecord",
        "secret metrics-salt": "GetSecretValue",
        "secret server-secret": "GetSecretValue",
        "secret invitation-code": "GetSecretValue",
        "secret oidc-keys": "GetSecretValue PutSecretValue",
        "objects blobs/": "DeleteObject GetObject PutObject PutObjectTagging",
        "objects device_logs/": "GetObject PutObject PutObjectTagging",
        "objects answers/": "GetObject PutObject",
        BUCKET: "ListBucket",
    },
    "dispatch_tasks": {
        "table tasks": "BatchGetItem DeleteItem GetItem PutItem",
        "table tasks/index/due": "Query",
        "queue tasks": "GetQueueUrl SendMessage",
    },
    "on_metrics": {
        "table data": "BatchGetItem GetItem PutItem UpdateItem",
        "queue metrics-failures": "GetQueueUrl SendMessage",
        "objects metrics/": "PutObject",
    },
    "on_object_created": {
        "table blobs": "GetItem UpdateItem",
        "objects blobs/": "DeleteObject GetObject PutObjectTagging",
        "objects device_logs/": "DeleteObject GetObject PutObjectTagging",
        BUCKET: "ListBucket",
    },
    "run_task": {
        "table accounts": "DeleteItem GetItem PutItem Query UpdateItem",
        "table data": "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "table blobs": "DeleteItem GetItem Query UpdateItem",
        "table blobs/index/awaiting-content": "Query",
        "table tasks": "BatchGetItem DeleteItem GetItem PutItem",
        "table tasks/index/due": "Query",
        "queue tasks": "GetQueueUrl SendMessage",
        "objects blobs/": "DeleteObject GetObject PutObjectTagging",
        "objects device_logs/": "DeleteObject GetObject PutObjectTagging",
        "objects log/": "DeleteObject GetObject PutObject",
        BUCKET: "ListBucket",
        "sender ${MailFrom}": "SendEmail",
        "sender ${MailDomain}": "SendEmail",
    },
}
"""Function to resource to actions; resources and actions lack what the stage or the service adds to their names."""

PARTITIONS: Mapping[tuple[str, str], tuple[str, ...]] = {("on_metrics", "table data"): ("metrics#*",)}
"""Function and table to patterns of the only partition keys that the function uses there. DynamoDB compares all keys
of a request with a policy's `dynamodb:LeadingKeys`."""

FUNCTIONS = tuple(DECLARED)

_KINDS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "table": ("dynamodb", table_arn),
    "queue": ("sqs", queue_arn),
    "stream": ("kinesis", stream_arn),
    "secret": ("secretsmanager", secret_arn),
    "objects": ("s3", objects_arn),
    BUCKET: ("s3", lambda _: bucket_arn()),
    "sender": ("ses", sender_arn),
}


def declared(function: str) -> set[Right]:
    """The declared rights of a function."""
    return {right for resource in DECLARED[function] for right in declared_on(function, resource)}


def declared_on(function: str, resource: str) -> Iterator[Right]:
    """The declared rights of a function on one resource of the table."""
    kind, _, name = resource.partition(" ")
    service, arn_of = _KINDS[kind]
    for action in DECLARED[function][resource].split():
        yield Right(f"{service}:{action}", arn_of(name))
