"""Records the rights that the AWS requests of this process need, and the function that makes each request."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from chalicelib.config import Settings
from tests.infra.rights.right import STAGE, Right, arn

TRANSACTED = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
ON_ONE_TABLE = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
ON_TABLES = frozenset({"BatchGetItem", "BatchWriteItem"})
ON_OBJECTS = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "PutObjectTagging": "PutObjectTagging",
    "DeleteObject": "DeleteObject",
    "DeleteObjects": "DeleteObject",
}
REVEALING_ABSENCE = frozenset({"GetObject", "HeadObject", "PutObjectTagging"})
"""S3 answers 404 for an absent object only to those who may list the bucket, and 403 to others."""
ON_QUEUES = frozenset({"GetQueueUrl", "SendMessage"})
ON_STREAMS = frozenset({"PutRecord"})
ON_SECRETS = frozenset({"GetSecretValue", "PutSecretValue"})

_PARTITION = re.compile(r"\(?\s*#?\w+ = (?P<value>:\w+)")
"""The start of a key condition: the partition."""


class UnknownRequestError(Exception):
    """A request whose rights are not known: the tables of this module have to learn them."""


@dataclass(frozen=True, slots=True)
class Need:
    """The right that a part of a request needs; `partition` is its partition key, if the request names one."""

    right: Right
    partition: str | None = None


class Recorder:
    """The rights that each function has needed so far.

    It is a handler of botocore's event `before-parameter-build`, which precedes each request and each signature of an
    address; `sent` is told of the requests to DynamoDB, which have a transport of their own. Requests outside of
    `acting_as` are not recorded.
    """

    def __init__(self, settings: Settings) -> None:
        self._variables = {
            settings.bucket: STAGE.bucket,
            f"identity/{settings.mail_from}": "identity/${MailFrom}",
            f"identity/{settings.mail_from.rpartition('@')[2]}": "identity/${MailDomain}",
            f"strandline-{settings.stage}-": f"strandline-{STAGE.stage}-",
            f"strandline/{settings.stage}/": f"strandline/{STAGE.stage}/",
        }
        self._acting: tuple[str, str] | None = None
        self._interruptions: dict[str, Callable[[], object]] = {}
        self.rights: dict[str, dict[Right, str]] = defaultdict(dict)
        """Function to right to the use case that needed it first."""
        self.partitions: dict[tuple[str, Right], set[str | None]] = defaultdict(set)
        """Function and right to the partition keys of its requests; None stands for a key that cannot be told."""
        self.methods: set[str] = set()
        """Methods of stores that functions have called, as `package.stores.module:Class.method`."""
        self.unknown: list[str] = []
        """Requests of functions whose rights are not known."""

    @contextmanager
    def acting_as(self, function: str, use_case: str) -> Iterator[None]:
        """Attributes all requests to a function and a use case."""
        before = self._acting
        self._acting = function, use_case
        try:
            yield
        finally:
            self._acting = before

    def counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method of a store, wrapped to record in `methods` that a function calls it."""

        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            if self._acting is not None:
                self.methods.add(name_of(method))
            return method(*arguments, **named)

        return call

    def interrupt(self, action: str, by: Callable[[], object]) -> None:
        """Lets something happen between the next request that needs an action and what was before it."""
        self._interruptions[action] = by

    def __call__(self, params: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        """Record the rights of a request; called by botocore.

        Raises:
            UnknownRequestError: the rights are not known; `unknown` names the request.
        """
        is_presigned = bool(context.get("is_presign_request"))
        self._record(model.service_model.service_name, model.name, params, is_presigned=is_presigned)

    def sent(self, operation: str, request: Mapping[str, Any]) -> None:
        """Record the rights of a request to DynamoDB.

        Raises:
            UnknownRequestError: as above.
        """
        self._record("dynamodb", operation, request, is_presigned=False)

    def _record(self, service: str, operation: str, params: Mapping[str, Any], *, is_presigned: bool) -> None:
        if self._acting is None:
            return
        function, use_case = self._acting
        try:
            needs = list(needs_of(service, operation, params, is_presigned=is_presigned))
        except UnknownRequestError as error:
            self.unknown.append(f"{error}, made by {function} in {use_case}")
            raise
        for need in needs:
            right = Right(need.right.action, self._with_variables(need.right.resource))
            self.rights[function].setdefault(right, use_case)
            self.partitions[function, right].add(need.partition)
            self._interrupted(right.action)

    def _interrupted(self, action: str) -> None:
        happening = self._interruptions.pop(action, None)
        if happening is not None:
            acting, self._acting = self._acting, None
            try:
                happening()
            finally:
                self._acting = acting

    def _with_variables(self, resource: str) -> str:
        for name, variable in self._variables.items():
            resource = resource.replace(name, variable)
        return resource


def name_of(method: Callable[..., Any]) -> str:
    """The name of a method of a store, with its module and class."""
    return f"{method.__module__.removeprefix('chalicelib.')}:{method.__qualname__}"


def needs_of(service: str, operation: str, params: Mapping[str, Any], *, is_presigned: bool) -> Iterator[Need]:
    """The rights that a request needs, with the physical names of resources.

    Raises:
        UnknownRequestError: service or operation are not known here.
    """
    match service:
        case "dynamodb":
            yield from _of_tables(operation, params)
        case "s3":
            yield from _of_objects(operation, params, is_presigned=is_presigned)
        case "sqs" if operation in ON_QUEUES:
            name = params["QueueName"] if "QueueName" in params else params["QueueUrl"].rpartition("/")[2]
            yield Need(Right(f"sqs:{operation}", arn("sqs", name)))
        case "kinesis" if operation in ON_STREAMS:
            yield Need(Right(f"kinesis:{operation}", arn("kinesis", f"stream/{params['StreamName']}")))
        case "secretsmanager" if operation in ON_SECRETS:
            secret = f"secret:{params['SecretId']}-??????"
            yield Need(Right(f"secretsmanager:{operation}", arn("secretsmanager", secret)))
        case "sesv2" if operation == "SendEmail":
            # SES asks for the right to the address or to its domain, whichever is verified.
            sender = params["FromEmailAddress"].rpartition("<")[2].rstrip(">")
            for identity in (sender, sender.rpartition("@")[2]):
                yield Need(Right("ses:SendEmail", arn("ses", f"identity/{identity}")))
        case _:
            raise UnknownRequestError(f"{service}:{operation}")


def _of_tables(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    if operation in ON_ONE_TABLE:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield _of_table(operation, params["TableName"] + index, _partition(params))
    elif operation in ON_TABLES:
        for table, items in params["RequestItems"].items():
            for item in _items_of_batch(items):
                yield _of_table(operation, table, _key(item))
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in params["TransactItems"]:
            ((kind, part),) = item.items()
            yield _of_table(TRANSACTED[kind], part["TableName"], _partition(part))
    else:
        raise UnknownRequestError(f"dynamodb:{operation}")


def _of_table(action: str, table: str, partition: str | None) -> Need:
    return Need(Right(f"dynamodb:{action}", arn("dynamodb", f"table/{table}")), partition)


def _items_of_batch(items: Any) -> Iterable[Mapping[str, Any]]:
    """The keys of a batch of reads, or the keys and items of one of writes."""
    if isinstance(items, Mapping):
        return list(items["Keys"])
    return [part.get("Key") or part["Item"] for write in items for part in write.values()]


def _partition(params: Mapping[str, Any]) -> str | None:
    if "KeyConditionExpression" in params:
        found = _PARTITION.match(params["KeyConditionExpression"])
        return None if found is None else params["ExpressionAttributeValues"][found["value"]].get("S")
    return _key(params.get("Key") or params.get("Item") or {})


def _key(item: Mapping[str, Any]) -> str | None:
    partition: str | None = item.get("pk", {}).get("S")
    return partition


def _of_objects(operation: str, params: Mapping[str, Any], *, is_presigned: bool) -> Iterator[Need]:
    bucket = f"arn:${{AWS::Partition}}:s3:::{params['Bucket']}"
    # A signature makes no request, but S3 asks for the rights of the signer when the address is used.
    if operation == "ListObjectsV2" or (operation in REVEALING_ABSENCE and not is_presigned):
        yield Need(Right("s3:ListBucket", bucket))
    if operation == "ListObjectsV2":
        return
    if operation not in ON_OBJECTS:
        raise UnknownRequestError(f"s3:{operation}")
    keys = [key["Key"] for key in params["Delete"]["Objects"]] if "Delete" in params else [params["Key"]]
    actions = [ON_OBJECTS[operation], *(["PutObjectTagging"] if "Tagging" in params else [])]
    for prefix in {key.partition("/")[0] for key in keys}:
        for action in actions:
            yield Need(Right(f"s3:{action}", f"{bucket}/{prefix}/*"))
