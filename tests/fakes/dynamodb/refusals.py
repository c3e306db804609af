"""Refusals: those of DynamoDB, and those of this server."""

from typing import Any

from botocore.exceptions import ClientError

VALIDATION = "ValidationException"
CONDITION_FAILED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"


class UnsupportedError(Exception):
    """A request has something that this server does not know. DynamoDB may know it."""


def refused(code: str, message: str, **members: Any) -> ClientError:
    """DynamoDB's reply to a refused request, as the engine's transport raises it."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response | members, "an operation")


def invalid(message: str) -> ClientError:
    """The refusal of a request that DynamoDB never carries out."""
    return refused(VALIDATION, message)


def code_of(error: ClientError) -> str:
    """The code of a refusal."""
    return error.response["Error"]["Code"]
