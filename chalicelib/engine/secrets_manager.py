"""Secrets from Secrets Manager: read when first needed, and again after a while, so that they can be rotated."""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_S = 300
"""How long a rotated secret may still be taken for the current one."""


def cached_secret(settings: Settings, name: str, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """A function that answers the secret of this name, asking for it once in five minutes.

    Raises (the function):
        UnavailableError: Secrets Manager throttles or does not answer.
        RuntimeError: there is no such secret, or it is not ours to read.
    """
    known: tuple[str, float] | None = None

    def secret() -> str:
        nonlocal known
        if known is None or clock_s() - known[1] >= MAX_AGE_S:
            known = _read(settings, name), clock_s()
        return known[0]

    return secret


def _read(settings: Settings, name: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        return client(settings.region).get_secret_value(SecretId=name)["SecretString"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise UnavailableError from error
        code = error.response["Error"]["Code"]
        if "Throttling" in code:
            raise UnavailableError from error
        raise RuntimeError(f"the secret {name} cannot be read: {code}") from error
    except HTTPClientError as error:
        raise UnavailableError from error
    except BotoCoreError as error:
        raise RuntimeError(f"the secret {name} cannot be read: {type(error).__name__}") from error


@cache
def client(region: str) -> "SecretsManagerClient":
    """The process's one client of the region, made when it is first asked for."""
    import boto3  # late: it is a third of a second at cold start
    from botocore.config import Config

    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("secretsmanager", region_name=region, config=config)


def forget_clients() -> None:
    """Let the next read make a new client: for tests, which change what stands behind it."""
    client.cache_clear()
