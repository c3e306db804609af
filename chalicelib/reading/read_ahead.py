"""Items that the door fetches together with the session of the caller, because the rule will read them next.

Round trips are most of the cost of a small request, and the path of the request identifies these items before the
caller is known. The rule reads them as if they had not been fetched (`engine/read_ahead.py`).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from chalicelib.access.call import SessionReader
from chalicelib.frozen import frozen


@frozen
class Ahead:
    """An item to fetch, and the path parameter that identifies it."""

    item: str
    parameter: str


HEAD = Ahead("head", "dataSetId")
OWNER = Ahead("owner", "userId")
MANIFEST = Ahead("manifest", "userId")


class SessionsAhead(Protocol):
    """Makes the reader of sessions of one request."""

    def __call__(self, wanted: Sequence[tuple[Ahead, str]]) -> AbstractContextManager[SessionReader]:
        """A reader of sessions that fetches these items, given by kind and id, in the same round trip. What was fetched
        is forgotten when the block ends."""
