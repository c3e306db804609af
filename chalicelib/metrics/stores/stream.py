"""Events into a stream, and the salt of their subjects: each in one attempt of at most 300 ms."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.engine.secrets import Secrets, cached
from chalicelib.engine.stream import Stream
from chalicelib.errors import UnavailableError

LIMIT_S = 0.3


class StreamedEvents:
    """The port `EventStream` on a stream."""

    def __init__(self, events: Stream) -> None:
        self._events = events

    def put(self, partition_key: str, record: bytes) -> None:
        """See `EventStream.put`: one call."""
        with _every_failure_unavailable():
            self._events.put(partition_key, record, limit_s=LIMIT_S)


class DroppedEvents:
    """The port `EventStream` of a stage without a stream: events are accepted and dropped."""

    def put(self, partition_key: str, record: bytes) -> None:
        """No call."""


def cached_salt(secrets: Secrets, name: str, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """A function that returns the salt, which it reads at most once in five minutes; one that it could not read again
    in time it returns as it was.

    Raises (the function):
        UnavailableError: the salt could not be read in time, and never was before.
    """

    def salt() -> str:
        with _every_failure_unavailable():
            return secrets.get(name, limit_s=LIMIT_S).text

    return cached(salt, clock_s, survives_outages=True)


@contextmanager
def _every_failure_unavailable() -> Iterator[None]:
    """Treats a defect of the deployment as an outage: the event is lost, and its sender is not to notice.

    Raises:
        UnavailableError: the call failed, or was not done in time.
    """
    try:
        yield
    except RuntimeError as error:
        raise UnavailableError from error
