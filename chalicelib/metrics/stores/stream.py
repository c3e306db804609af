"""Events into Kinesis, and the salt of their subjects: each in one try and 300 ms at most, whatever happens there.

Clients are made before the clock starts: that costs time of ours, which no deadline gives back.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from chalicelib.engine.deadline import Result, within
from chalicelib.engine.errors import refusals
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIMIT_S = 0.3
SALT_MAX_AGE_S = 300
"""How long a changed salt may still be taken for the current one."""
LONGEST_IDLE_S = 20
"""A connection that idles longer is not used again: the other end may have dropped it while this process was frozen,
and with one try an event would be lost on finding out."""


class KinesisEventStream:
    """The stage's stream of events."""

    def __init__(self, settings: Settings, clock_s: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock_s = clock_s
        self._last_used_s = clock_s()

    def put(self, partition_key: str, record: bytes) -> None:
        """Nothing, once Kinesis has the record."""
        kinesis = _kinesis(self._settings.region)
        now_s = self._clock_s()
        if now_s - self._last_used_s > LONGEST_IDLE_S:
            kinesis.close()
        self._last_used_s = now_s
        name = self._settings.metrics_stream
        _in_time(lambda: kinesis.put_record(StreamName=name, PartitionKey=partition_key, Data=record))


class NoEventStream:
    """What a stage without a stream has: events are taken and go nowhere."""

    def put(self, partition_key: str, record: bytes) -> None:
        """Nothing."""


def metrics_salt(settings: Settings, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """A function that answers the stage's salt, asking for it once in five minutes.

    Raises (the function):
        UnavailableError: it was not to be had in time, and was never before.
    """
    known: tuple[str, float] | None = None

    def salt() -> str:
        nonlocal known
        if known is not None and clock_s() - known[1] < SALT_MAX_AGE_S:
            return known[0]
        secrets = _secrets(settings.region)
        try:
            value = _in_time(lambda: secrets.get_secret_value(SecretId=settings.metrics_salt_name)["SecretString"])
        except UnavailableError:
            if known is None:
                raise
            value = known[0]
        known = value, clock_s()
        return value

    return salt


def _in_time(work: Callable[[], Result]) -> Result:
    """What the work returns. Every failure means the same: the event is lost, and the client is not to notice.

    Raises:
        UnavailableError: it was not done, or not in time.
    """

    def guarded() -> Result:
        with refusals():
            return work()

    try:
        return within(LIMIT_S, guarded)
    except RuntimeError as error:
        raise UnavailableError from error


@cache
def _kinesis(region: str) -> "KinesisClient":
    import boto3  # late: it is a third of a second at cold start

    return boto3.client("kinesis", region_name=region, config=_one_try())


@cache
def _secrets(region: str) -> "SecretsManagerClient":
    import boto3  # late: it is a third of a second at cold start

    return boto3.client("secretsmanager", region_name=region, config=_one_try())


def _one_try() -> "Config":
    from botocore.config import Config

    return Config(
        connect_timeout=LIMIT_S,
        read_timeout=LIMIT_S,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
    )


def forget_clients() -> None:
    """Let the next call make new clients: for tests, which change what stands behind them."""
    _kinesis.cache_clear()
    _secrets.cache_clear()
