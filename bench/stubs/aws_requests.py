"""The requests of the application to DynamoDB and S3, as counted by the stub."""

import contextlib
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.stubs.aws_stub import KEPT, TAKEN

READS = frozenset({"Query", "BatchGetItem", "GetItem"})
S3_WRITES = frozenset({"PUT", "POST"})


@dataclass(slots=True)
class Requests:
    """Counted requests: how often each operation was called, and what DynamoDB charges for all of them."""

    dynamodb_calls: Counter[str] = field(default_factory=Counter)
    s3_calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: int = 0

    @property
    def round_trips(self) -> int:
        """The number of DynamoDB calls; each waits for the one before."""
        return self.dynamodb_calls.total()

    @property
    def pages(self) -> int:
        """The number of DynamoDB calls that read."""
        return sum(count for name, count in self.dynamodb_calls.items() if name in READS)

    @property
    def s3_puts(self) -> int:
        """The number of S3 requests of the more expensive class."""
        return sum(count for name, count in self.s3_calls.items() if name in S3_WRITES)

    @property
    def s3_gets(self) -> int:
        """The number of S3 requests of the cheaper class; deletions are free."""
        return self.s3_calls["GET"] + self.s3_calls["HEAD"]


@dataclass(frozen=True, slots=True)
class StoredSizes:
    """The size of what is stored, in bytes as AWS counts them."""

    tables_bytes: int
    bucket_bytes: int


class Stub:
    """A client of the counters of the stub."""

    def __init__(self, address: str) -> None:
        self._address = address

    @contextmanager
    def counted(self) -> Iterator[Requests]:
        """Count the requests made inside the context; the yielded counts are filled at its end."""
        self._ask(TAKEN)
        requests = Requests()
        yield requests
        taken = self._ask(TAKEN)
        requests.dynamodb_calls = Counter(taken["dynamodb_calls"])
        requests.s3_calls = Counter(taken["s3_calls"])
        requests.read_units, requests.write_units = taken["read_units"], taken["write_units"]

    def kept(self) -> StoredSizes:
        """The size of what the stub stores now."""
        return StoredSizes(**self._ask(KEPT))

    def fetched(self, url: str) -> bytes:
        """The content of an object, which a client gets after a redirect."""
        path = url.partition(self._address)[2]
        with contextlib.closing(http.client.HTTPConnection(self._address)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise SystemExit(f"error: {path} does not exist")
            return body

    def _ask(self, target: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection(self._address)) as connection:
            connection.request("POST", "/", b"null", {"X-Amz-Target": target})
            return json.loads(connection.getresponse().read())
