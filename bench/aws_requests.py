"""What the application asked of DynamoDB and S3, as the stub counted it."""

import contextlib
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.aws_stub import KEPT, TAKEN

READS = frozenset({"Query", "BatchGetItem", "GetItem"})
S3_WRITES = frozenset({"PUT", "POST"})


@dataclass(slots=True)
class Requests:
    """What was asked: how often each operation, and what DynamoDB charges for all."""

    dynamodb_calls: Counter[str] = field(default_factory=Counter)
    s3_calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: int = 0

    @property
    def round_trips(self) -> int:
        """All calls of DynamoDB; each waits for the one before."""
        return self.dynamodb_calls.total()

    @property
    def pages(self) -> int:
        """The calls of DynamoDB that read."""
        return sum(count for name, count in self.dynamodb_calls.items() if name in READS)

    @property
    def s3_puts(self) -> int:
        """The requests to S3 of the dearer kind."""
        return sum(count for name, count in self.s3_calls.items() if name in S3_WRITES)

    @property
    def s3_gets(self) -> int:
        """The requests to S3 of the cheaper kind; deletions are free."""
        return self.s3_calls["GET"] + self.s3_calls["HEAD"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored, in bytes as AWS counts them."""

    tables_bytes: int
    bucket_bytes: int


class Stub:
    """The stub's own questions."""

    def __init__(self, address: str) -> None:
        self._address = address

    @contextmanager
    def counted(self) -> Iterator[Requests]:
        """What is asked of the stub meanwhile; filled in at the end."""
        self._ask(TAKEN)
        requests = Requests()
        yield requests
        taken = self._ask(TAKEN)
        requests.dynamodb_calls = Counter(taken["dynamodb_calls"])
        requests.s3_calls = Counter(taken["s3_calls"])
        requests.read_units, requests.write_units = taken["read_units"], taken["write_units"]

    def kept(self) -> Kept:
        """What it keeps now."""
        return Kept(**self._ask(KEPT))

    def fetched(self, url: str) -> bytes:
        """What a client gets that is sent to an object."""
        path = url.partition(self._address)[2]
        with contextlib.closing(http.client.HTTPConnection(self._address)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise SystemExit(f"error: {path} is not there")
            return body

    def _ask(self, target: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection(self._address)) as connection:
            connection.request("POST", "/", b"null", {"X-Amz-Target": target})
            return json.loads(connection.getresponse().read())
