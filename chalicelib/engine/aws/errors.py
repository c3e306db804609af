"""Translation of the errors of botocore into those of the engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from chalicelib.engine.aws.attribute_values import from_values
from chalicelib.engine.aws.sdk_errors import may_pass
from chalicelib.engine.errors import (
    ConditionFailedError,
    NoSuchObjectError,
    TransactionConflictError,
    TransactionRefusedError,
)
from chalicelib.errors import UnavailableError

CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
"""Codes of DynamoDB for what a write of a transaction met."""

PASSING = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalServerError",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Codes after which a later attempt may succeed, besides those of throttling and of exceeded limits."""
ABSENT_OBJECT = frozenset({"404", "NoSuchKey"})
"""Codes of S3 for an object that is not there; a HEAD, which has no body, has only its status."""
OBJECT_OPERATIONS = frozenset({"GetObject", "HeadObject", "PutObjectTagging"})
"""Requests about one object of S3. Other services give a status as their code, too, when a reply has no body."""


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn the errors of botocore into those of the engine; no botocore error leaves.

    Raises:
        ConditionFailedError: the condition of a single write does not hold.
        TransactionRefusedError: conditions of a transaction do not hold.
        TransactionConflictError: another transaction was writing to the same items.
        NoSuchObjectError: there is no such object.
        ValueError: a range begins after the end of an object.
        UnavailableError: throttled, timed out, not reached, cut off, or failed inside AWS.
        RuntimeError: anything else, which is a defect here or of the deployment.
    """
    try:
        yield
    except Exception as error:
        translated = _translated(error)
        if translated is None:
            raise
        raise translated from error


def _translated(error: Exception) -> Exception | None:
    """The engine's error for one of botocore; None for any other."""
    # Late: without an error it is not needed.
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        return _from_client_error(error.operation_name, error.response)
    if isinstance(error, BotoCoreError | ResponseParserError):
        return UnavailableError() if may_pass(error) else RuntimeError(f"no request: {type(error).__name__}")
    return None


def _from_client_error(operation: str, response: Mapping[str, Any]) -> Exception:
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailedError(_stored(response))
    if code == "TransactionCanceledException":
        return _from_reasons(response.get("CancellationReasons", ()))
    if code == "TransactionConflictException":
        return TransactionConflictError()
    if code == "PreconditionFailed":
        return ConditionFailedError()
    if code in ABSENT_OBJECT and operation in OBJECT_OPERATIONS:
        return NoSuchObjectError()
    if code == "InvalidRange":
        return ValueError("the range begins after the end of the object")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status == 429 or _may_pass(code):
        return UnavailableError()
    return RuntimeError(f"{operation} is refused: {code}")


def _from_reasons(reasons: Sequence[Mapping[str, Any]]) -> Exception:
    """The error of a canceled transaction; `reasons` has one for each write."""
    codes = [reason.get("Code", "None") for reason in reasons]
    if CONDITION_FAILED in codes:
        failed = {index: reasons[index] for index, code in enumerate(codes) if code == CONDITION_FAILED}
        return TransactionRefusedError({index: _stored(reason) for index, reason in failed.items()})
    if CONFLICT in codes:
        return TransactionConflictError()
    if any(map(_may_pass, codes)):
        return UnavailableError()
    return RuntimeError(f"DynamoDB cancels the transaction: {codes}")


def _may_pass(code: str) -> bool:
    return code in PASSING or "Thrott" in code or "Exceeded" in code


def _stored(response: Mapping[str, Any]) -> dict[str, Any] | None:
    values = response.get("Item")
    return None if values is None else from_values(values)
