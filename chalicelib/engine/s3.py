"""The S3 client, and its failures in the domain's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from chalicelib.engine.errors import refusals as aws_refusals

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 5
TRIES = 4
ABSENT = frozenset({"404", "NoSuchKey"})
"""What S3 calls an object that is not there; HEAD, which has no body, only its status."""


class NoSuchObjectError(Exception):
    """There is no object with this key. It stays inside the stores."""


def client(settings: Settings) -> "S3Client":
    """The process's one client of the stage, made when it is first asked for."""
    return _client(settings.region, settings.s3_path_style)


@cache
def _client(region: str, path_style: bool) -> "S3Client":
    import boto3  # late: it is a third of a second at cold start
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "virtual"},
        # Else botocore signs a checksum of its own into presigned addresses, which clients would have to send.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client("s3", region_name=region, config=config)


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    _client.cache_clear()


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what botocore raises into what the callers know; no botocore error leaves.

    Raises:
        NoSuchObjectError: there is no such object.
        UnavailableError: throttled, timed out, not reached, or failed inside AWS.
        RuntimeError: anything else is a defect of ours or of the deployment.
    """
    from botocore.exceptions import ClientError

    with aws_refusals():
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise NoSuchObjectError from error
            raise
