"""The faults that the next requests meet."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Event, Lock

from chalicelib.engine.embedded.faults import Faults
from chalicelib.errors import UnavailableError


class FaultKind(StrEnum):
    """The fault that a request meets."""

    THROTTLE = "throttle"
    """429 with `Retry-After`, in the form of the API's gateway. The request is not carried out."""
    UNAVAILABLE = "unavailable"
    """503 with `Retry-After`, in the form of the API: the tables do not answer. The request is not carried out."""
    DROP = "drop"
    """The connection is closed without a reply. The request is not carried out."""
    DROP_REPLY = "drop_reply"
    """The request is carried out, and the connection is closed without a reply."""
    LATE = "late"
    """The request is carried out, and answered after a delay."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, and the requests that meet it."""

    kind: FaultKind
    times: int = 1
    """Number of requests that meet it."""
    method: str | None = None
    """The method of these requests; None for any."""
    path: str = "*"
    """A pattern of their paths, in which `*` stands for any text."""
    delay_ms: int = 0
    """Delay of a late reply."""

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one of these."""
        pattern = ".*".join(map(re.escape, self.path.split("*")))
        return self.method in (None, method) and re.fullmatch(pattern, path, re.DOTALL) is not None


class PlannedFaults:
    """Faults in the order in which they were asked for. A request meets the first one that is for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[Fault] = []
        self._cleared = Event()

    def add(self, fault: Fault) -> None:
        """Let the next requests meet a fault."""
        with self._lock:
            self._planned.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that a request meets, if any, which is then one time less."""
        with self._lock:
            for index, fault in enumerate(self._planned):
                if fault.meets(method, path):
                    self._planned[index : index + 1] = [replace(fault, times=fault.times - 1)] * (fault.times > 1)
                    return fault
        return None

    def clear(self) -> None:
        """Forget all faults, and end the delays of late replies."""
        with self._lock:
            self._planned.clear()
            ended, self._cleared = self._cleared, Event()
        ended.set()

    def wait(self, duration_ms: int) -> None:
        """Delay a late reply, until the faults are cleared at the latest."""
        self._cleared.wait(duration_ms / 1000)


_is_refused: ContextVar[bool] = ContextVar("is_refused", default=False)


class RequestFaults(Faults):
    """Faults of the tables that only the requests of some contexts meet."""

    def before(self, operation: str) -> None:
        """See `Faults.before`."""
        if _is_refused.get():
            raise UnavailableError
        super().before(operation)


@contextmanager
def refused_tables() -> Iterator[None]:
    """Refuse all calls of the tables that this context makes until the block ends."""
    token = _is_refused.set(True)
    try:
        yield
    finally:
        _is_refused.reset(token)
