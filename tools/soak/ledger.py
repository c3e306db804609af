"""The oracle: what answered writes have made, compared with what the server has.

A write that was not answered is there wholly or not at all, until it was repeated.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

LOST, DOUBLED, CHANGED, UNSENT, HALF, STALE, UNEXPECTED = (
    *("lost", "doubled", "changed", "never sent", "half written", "stale", "unexpected"),
)
KINDS = (LOST, DOUBLED, CHANGED, UNSENT, HALF, STALE, UNEXPECTED)

Changes = Mapping[str, Hashable | None]
"""Values by key; None for what a write removes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the server does not have as it was answered, or an answer that nobody should get."""

    kind: str
    what: str
    """Subject of the finding, such as `records of 1a2b3c`."""
    detail: str


@dataclass(slots=True)
class Findings:
    """All findings of a run, each once."""

    _found: dict[Finding, None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, found: Iterable[Finding]) -> None:
        """Add findings; those that are known do not count again."""
        with self._lock:
            self._found.update(dict.fromkeys(found))

    def all(self) -> list[Finding]:
        """In the order in which they were found."""
        with self._lock:
            return list(self._found)

    def counts(self) -> dict[str, int]:
        """The number of each kind, with 0 for those that were not found."""
        found = Counter(finding.kind for finding in self.all())
        return {kind: found[kind] for kind in KINDS}


class Ledger:
    """The values that the server has to have, by key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, Hashable] = {}
        self._open: Changes = {}
        self._abandoned: dict[str, Hashable | None] = {}

    def begin(self, changes: Changes) -> None:
        """A write of these changes is under way."""
        self._open = changes

    def finish(self) -> None:
        """The write was answered."""
        self.values = _changed(self.values, self._open)
        for key in self._open:
            self._abandoned.pop(key, None)
        self._open = {}

    def abandon(self) -> None:
        """Nobody repeats the write: from now on, each of its values may be there or not."""
        self._abandoned.update(self._open)
        self._open = {}

    def compare(self, found: Iterable[tuple[str, Hashable]], keys: set[str] | None = None) -> list[Finding]:
        """The differences between keys with their values, which a reader sees, and the ledger.

        Args:
            keys: those that the reader has to see; all without them.
        """
        pairs = list(found)
        there = dict(pairs)
        settled = self._settle(there)
        counts = Counter(key for key, _ in pairs)
        findings = [
            self._finding(DOUBLED, f"{key} is there {count} times") for key, count in counts.items() if count > 1
        ]
        before = {key: value for key, value in self.values.items() if keys is None or key in keys or key in settled}
        if there in (before, _changed(before, self._open)):
            return findings
        rest = {key: value for key, value in there.items() if key not in self._open}
        expected = {key: value for key, value in before.items() if key not in self._open}
        if rest == expected:
            return [*findings, self._finding(HALF, f"a write of {len(self._open)} keys, such as {min(self._open)}")]
        return [*findings, *self._differences(expected, rest)]

    def differences_of(self, snapshot: Mapping[str, Hashable]) -> list[Finding]:
        """A finding if the server said that nothing has changed since a snapshot of the values, though it has."""
        if snapshot == self.values:
            return []
        return [self._finding(STALE, "an answer of 304 though something has changed")]

    def _settle(self, there: Mapping[str, Hashable]) -> set[str]:
        """Take the side of what is found of writes that nobody repeats, and return the keys of this."""
        settled = {key for key, value in self._abandoned.items() if value is not None and there.get(key) == value}
        self.values = _changed(self.values, {key: self._abandoned.pop(key) for key in settled})
        return settled

    def _differences(self, expected: Mapping[str, Hashable], there: Mapping[str, Hashable]) -> list[Finding]:
        return [
            *(self._finding(LOST, key) for key in expected if key not in there),
            *(self._finding(UNSENT, key) for key in there if key not in expected),
            *(
                self._finding(CHANGED, f"{key} is {there[key]!r}, not {value!r}")
                for key, value in expected.items()
                if key in there and there[key] != value
            ),
        ]

    def _finding(self, kind: str, detail: str) -> Finding:
        return Finding(kind, self.name, detail)


def _changed(values: Mapping[str, Hashable], changes: Changes) -> dict[str, Hashable]:
    return {key: value for key, value in {**values, **changes}.items() if value is not None}
