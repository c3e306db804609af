"""Replies too large for the gateway, as objects to which the client is redirected."""

import secrets

from chalicelib.engine.objects import Objects

PREFIX = "answers/"
"""The bucket's lifecycle removes objects below this prefix after a day."""
VALID_FOR_S = 300
"""Lifetime of the address."""


class StoredLargeReplies:
    """The port `LargeReplies` on objects. The address alone gives access, so the key is as long as a token."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, body: bytes, content_type: str, content_encoding: str | None, disposition: str | None = None) -> str:
        """See `LargeReplies.put`: one put; signing the address takes no call."""
        key = PREFIX + secrets.token_urlsafe(32)
        self._objects.put(key, body, content_type, content_encoding=content_encoding)
        return self._objects.sign_download(key, VALID_FOR_S, disposition=disposition)
