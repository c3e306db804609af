"""The ports of reading."""

from typing import Protocol


class LargeReplies(Protocol):
    """Keeps, for a short while, answers that are too large for the way they came to be asked for."""

    def put(self, body: bytes, content_type: str, content_encoding: str | None) -> str:
        """The address from which whoever knows it may fetch the body for a few minutes."""
        ...
