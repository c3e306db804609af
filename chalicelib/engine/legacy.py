"""Functions on the DynamoDB client, for stores that do not speak `engine/table.py` yet."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.engine import backoff as contention
from chalicelib.engine.errors import TransactionConflictError
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Key = dict[str, AttributeValueTypeDef]

THROTTLED = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
BATCH_GET_KEYS = 100
"""Most keys of one BatchGetItem (a limit of DynamoDB)."""
BATCH_WRITES = 25
"""Most writes of one BatchWriteItem (a limit of DynamoDB)."""
TRANSACT_WRITES = 100
"""Most writes of one TransactWriteItems (a limit of DynamoDB)."""


class TransactionRefusedError(Exception):
    """A condition of a transaction did not hold. `codes` has one code for each of its items, `None` where it did.

    `items` has what is stored in the place of each, where its write asked for that; None elsewhere.
    It stays inside the stores: each says what the failed condition means.
    """

    def __init__(self, codes: Sequence[str], items: Sequence[dict[str, "AttributeValueTypeDef"] | None] = ()) -> None:
        super().__init__(", ".join(codes))
        self.codes = tuple(codes)
        self.items = tuple(items)

    def failed(self, index: int) -> bool:
        """Whether the condition of this item is one that did not hold."""
        return self.codes[index] == CONDITION_FAILED


class ConditionRefusedError(Exception):
    """The condition of a single write did not hold. It stays inside the stores."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what botocore raises into what the callers know; no botocore error leaves.

    Raises:
        UnavailableError: throttled, timed out, not reached, or in conflict with another transaction.
        TransactionRefusedError: a condition of a transaction did not hold.
        ConditionRefusedError: the condition of a single write did not hold.
        RuntimeError: anything else is a defect of ours or of the deployment.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "TransactionCanceledException":
            raise _cancelled(error) from error
        if code == "ConditionalCheckFailedException":
            raise ConditionRefusedError from error
        if code in THROTTLED or code == "TransactionConflictException":
            raise UnavailableError from error
        raise RuntimeError(f"DynamoDB refuses the request: {code}") from error
    except HTTPClientError as error:
        raise UnavailableError from error
    except BotoCoreError as error:
        raise RuntimeError(f"no request to DynamoDB: {type(error).__name__}") from error


def _cancelled(error: "ClientError") -> Exception:
    reasons: Sequence[Any] = error.response.get("CancellationReasons", ())
    codes = [reason.get("Code", "None") for reason in reasons]
    if CONDITION_FAILED in codes:
        return TransactionRefusedError(codes, [reason.get("Item") for reason in reasons])
    if CONFLICT in codes:
        return TransactionConflictError()
    if any(code in THROTTLED for code in codes):
        return UnavailableError()
    return RuntimeError(f"DynamoDB cancels the transaction: {codes}")


def query_all(
    dynamodb: "DynamoDBClient", table: str, pk: str, sk_prefix: str, **options: Any
) -> Iterator[dict[str, "AttributeValueTypeDef"]]:
    """All items of a partition whose sort key starts with a prefix, in the order of the keys, page after page."""
    condition: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":sk": {"S": sk_prefix}},
    }
    yield from query_pages(dynamodb, TableName=table, ConsistentRead=True, **(condition | options))


def query_pages(dynamodb: "DynamoDBClient", **request: Any) -> Iterator[dict[str, "AttributeValueTypeDef"]]:
    """All items of a query, page after page."""
    while True:
        with refusals():
            page = dynamodb.query(**request)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def batch_delete(dynamodb: "DynamoDBClient", table: str, keys: Sequence["Key"]) -> None:
    """Remove the items of these keys, in any order; one that is not there is no error.

    Raises:
        UnavailableError: some were held back each time.
    """
    _batch_write(dynamodb, table, [{"DeleteRequest": {"Key": key}} for key in keys])


def _batch_write(dynamodb: "DynamoDBClient", table: str, writes: Sequence[Any]) -> None:
    for start in range(0, len(writes), BATCH_WRITES):
        left = list(writes[start : start + BATCH_WRITES])
        for attempt in range(contention.TRIES):
            with refusals():
                answer = dynamodb.batch_write_item(RequestItems={table: left})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if not left:
                break
            contention.pause_after(attempt)
        else:
            raise UnavailableError


def batch_get(
    dynamodb: "DynamoDBClient", table: str, keys: Sequence["Key"]
) -> Iterator[dict[str, "AttributeValueTypeDef"]]:
    """Those items of the keys that exist, in any order, strongly consistent."""
    for start in range(0, len(keys), BATCH_GET_KEYS):
        yield from batch_get_tables(dynamodb, {table: keys[start : start + BATCH_GET_KEYS]})[table]


def batch_get_tables(
    dynamodb: "DynamoDBClient", keys: Mapping[str, Sequence["Key"]], *, is_consistent: bool = True
) -> dict[str, list[dict[str, "AttributeValueTypeDef"]]]:
    """For each table, those items of its keys that exist, in any order; at most 100 keys in all.

    Args:
        is_consistent: whether all that was written is seen. Otherwise it costs half, and may lag behind a little.

    Raises:
        UnavailableError: all that were left were held back, time after time.
    """
    found: dict[str, list[dict[str, AttributeValueTypeDef]]] = {table: [] for table in keys}
    wanted: dict[str, Any] = {
        table: {"Keys": list(ours), "ConsistentRead": is_consistent} for table, ours in keys.items()
    }
    in_vain = 0
    while in_vain < contention.TRIES:
        with refusals():
            page = dynamodb.batch_get_item(RequestItems=wanted)
        for table, items in page["Responses"].items():
            found[table] += items
        wanted = dict(page.get("UnprocessedKeys", {}))
        if not wanted:
            return found
        if any(page["Responses"].values()):  # as much as an answer takes, and the rest is asked for again
            in_vain = 0
        else:
            contention.pause_after(in_vain)
            in_vain += 1
    raise UnavailableError
