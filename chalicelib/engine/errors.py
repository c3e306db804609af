"""What Kinesis, S3, SQS and Secrets Manager refuse, in the domain's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.errors import UnavailableError

PASSING = frozenset({"OperationAborted", "RequestTimeout", "SlowDown"})
"""Codes of S3 that a later try may not meet, beside throttling and what goes wrong inside AWS."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what botocore raises into what the callers know; no botocore error leaves.

    Raises:
        UnavailableError: throttled, timed out, not reached, or failed inside AWS.
        RuntimeError: anything else is a defect of ours or of the deployment.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or status == 429 or code in PASSING or "Thrott" in code or "Exceeded" in code:
            raise UnavailableError from error
        raise RuntimeError(f"{error.operation_name} is refused: {code}") from error
    except HTTPClientError as error:
        raise UnavailableError from error
    except BotoCoreError as error:
        raise RuntimeError(f"no request: {type(error).__name__}") from error
