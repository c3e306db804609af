"""Streams on Kinesis."""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.engine.aws.clients import new_client
from chalicelib.engine.aws.deadline import within
from chalicelib.engine.aws.errors import engine_errors

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

MAX_IDLE_S = 20
"""A connection that idles longer is not used again: the other end may have dropped it while this process was frozen,
and the only attempt would fail."""


@cache
def client(region: str, limit_s: float) -> "KinesisClient":
    """The process's one client of the region and the limit, made when it is first asked for."""
    made: KinesisClient = new_client(
        "kinesis", region, max_attempts=1, connect_timeout=limit_s, read_timeout=limit_s, tcp_keepalive=True
    )
    return made


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    client.cache_clear()


class KinesisStream:
    """The port `Stream` on Kinesis."""

    def __init__(self, region: str, name: str, clock_s: Callable[[], float] = time.time) -> None:
        self._region = region
        self._name = name
        self._clock_s = clock_s
        self._last_used_s = clock_s()

    def put(self, partition_key: str, record: bytes, *, limit_s: float) -> None:
        """See `Stream.put`. The time to make a client does not count: no limit gives it back."""
        kinesis = client(self._region, limit_s)
        now_s = self._clock_s()
        if now_s - self._last_used_s > MAX_IDLE_S:
            kinesis.close()
        self._last_used_s = now_s

        def put() -> None:
            with engine_errors():
                kinesis.put_record(StreamName=self._name, PartitionKey=partition_key, Data=record)

        within(limit_s, put)
