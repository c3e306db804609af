"""Counts what a client asks of DynamoDB while it works."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from bench.dynamodb_costs import write_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READS = frozenset({"Query", "BatchGetItem", "GetItem"})


@dataclass(slots=True)
class Requests:
    """What was asked: how often each operation, and the write units of all."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: int = 0

    def note(self, operation: str, request: Mapping[str, Any]) -> None:
        """Count a request."""
        self.calls[operation] += 1
        self.write_units += write_units(operation, request)

    @property
    def round_trips(self) -> int:
        """All calls; each waits for the one before."""
        return self.calls.total()

    @property
    def pages(self) -> int:
        """The calls that read."""
        return sum(count for name, count in self.calls.items() if name in READS)


@contextmanager
def counted(client: "DynamoDBClient") -> Iterator[Requests]:
    """What is asked of a client meanwhile."""
    requests = Requests()

    def before_call(model: Any, params: Mapping[str, Any], **_: Any) -> None:
        requests.note(model.name, orjson.loads(params["body"]))

    handler: Callable[..., Any] = before_call
    client.meta.events.register("before-call.dynamodb", handler)
    yield requests
    client.meta.events.unregister("before-call.dynamodb", handler)
