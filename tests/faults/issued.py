"""Ids and tokens that a run makes, and texts in which they and the times of the run are masked: a request that is sent
again may get another id than one that is sent once, at another time."""

import hashlib
import json
import re
from collections import Counter
from typing import Any

_ID = re.compile(r"[0-9a-f]{8,}")
_TOKEN = re.compile(r"token-[0-9a-f]+|eyJ[\w-]+\.[\w-]+\.[\w-]+")
_TIME = re.compile(r"2026-0[1-3]-[0-3]\d[T ][0-9:.]+(?:Z|\+00:00)?|\b17(?:6[789]|7\d)\d{6}(?:\d{3}|\.\d+)?\b")
"""Times of the run: its clock begins with 2026, and its data are older."""
_RANDOM = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|(?<=\"key\":\")[A-Za-z0-9_-]{32}(?=\")"
)
"""Ids of accounts, hashes of tokens, and keys of invitations."""
_SECOND_OF_ID = re.compile(r"\b69[5-9a-d][0-9a-f]{5}(?=[0-9a-f]{16}\b)")
"""The second of the run with which an `_id` of the Nightscout API begins."""
_COUNT = re.compile(r'("(?:changes|revision|sequence)"):\d+')
"""Counts of changes: a change that is sent again counts twice, and old uploads show the count that they found."""


class Issued:
    """Ids that look random, and are the same in each run."""

    def __init__(self) -> None:
        self._stream = ""
        self._counts: Counter[str] = Counter()
        self._made: set[str] = set()

    @property
    def count(self) -> int:
        """The number of ids of the first stream."""
        return self._counts[""]

    def use(self, stream: str) -> None:
        """Make ids of a stream of its own: each request has one, so that its ids do not depend on those of others."""
        self._stream = stream

    def new_id(self) -> str:
        """32 hexadecimal digits."""
        self._counts[self._stream] += 1
        made = hashlib.sha256(f"{self._stream}{self._counts[self._stream]}".encode()).hexdigest()[:32]
        self._made |= {made, made[:10], made[:12]}
        return made

    def new_token(self) -> str:
        """A token."""
        return f"token-{self.new_id()}"

    def go_back_to(self, count: int) -> None:
        """Go on as after so many ids of the first stream. Those that were made since stay masked."""
        self._stream = ""
        self._counts = Counter({"": count})

    def without(self, text: str) -> str:
        """A text without ids and times of the run. The elements of its lists are sorted, if it is JSON."""
        masked = _COUNT.sub(r'\1:"<count>"', _RANDOM.sub("<id>", _SECOND_OF_ID.sub("<second>", text)))
        masked = _TIME.sub("<time>", _TOKEN.sub("<token>", _ID.sub(self._mask, masked)))
        try:
            return json.dumps(_sorted(json.loads(masked)), sort_keys=True)
        except ValueError:
            return masked

    def _mask(self, found: re.Match[str]) -> str:
        return "<id>" if found[0] in self._made else found[0]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda member: json.dumps(member, sort_keys=True))
    return value
