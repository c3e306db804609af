"""The part of a person's traffic that has a ledger of its own: its operations, its writes, and how it is read back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from tools.soak.calls import Client, Reply
from tools.soak.ledger import Changes, Finding, Ledger

MAX_ATTEMPTS = 3
"""After so many unexpected answers a write is not repeated any more."""


@dataclass(frozen=True, slots=True)
class Account:
    """The person whose traffic it is."""

    id: str
    email: str
    password: str
    client: Client
    random: Random


@dataclass(frozen=True, slots=True)
class Write:
    """Changes that a request makes, all of them or none."""

    changes: Changes
    send: Callable[[], Reply]
    is_repeatable: bool = True
    """True if the request may be sent again after it was not answered."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a person does, and how often it is done, compared with the others."""

    weight: float
    run: Callable[[], None]


class Part(ABC):
    """Traffic with one ledger."""

    def __init__(self, account: Account, name: str) -> None:
        self.account, self.client, self.random = account, account.client, account.random
        self.ledger = Ledger(f"{name} of {account.id}")
        self.found: list[Finding] = []
        """Differences that reads have found."""
        self.is_repeating = False
        """Whether the request that is being sent was sent before."""
        self._unfinished: Write | None = None
        self._attempts = 0
        self._count = 0

    @abstractmethod
    def operations(self) -> Sequence[Operation]:
        """All that the person does in this part."""

    @abstractmethod
    def read_back(self) -> Iterable[tuple[str, Hashable]]:
        """Keys and values of all that the server has."""

    def verify(self) -> list[Finding]:
        """The differences between server and ledger."""
        return self.ledger.compare(self.read_back())

    def verify_to_the_last(self) -> list[Finding]:
        """The differences at the end, with what is too slow to be compared now and then."""
        return self.verify()

    def size(self) -> int:
        """The number of things to compare."""
        return len(self.ledger.values)

    def write(self, write: Write) -> Reply:
        """Send a write, and expect it from then on."""
        self._unfinished = write
        self.ledger.begin(write.changes)
        reply = write.send()
        self.ledger.finish()
        self._unfinished = None
        self._attempts = 0
        return reply

    def recover(self) -> list[Finding]:
        """The differences after a write that was not answered, which is sent again."""
        if self._unfinished is None:
            return []
        findings = self.verify()
        self._attempts += 1
        if not self._unfinished.is_repeatable or self._attempts > MAX_ATTEMPTS:
            self.ledger.abandon()
            self._unfinished = None
            self._attempts = 0
            return findings
        self.is_repeating = True
        try:
            self.write(self._unfinished)
        finally:
            self.is_repeating = False
        return findings

    def next_number(self) -> int:
        """A number that was not used before in this part."""
        self._count += 1
        return self._count

    def chosen(self, keys: Iterable[str], limit: int) -> list[str]:
        """Up to `limit` of the keys."""
        known = sorted(keys)
        return self.random.sample(known, min(limit, len(known)))
