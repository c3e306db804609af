"""Answers that are too large for the gateway, as objects that the client is sent to."""

import secrets
from typing import Any

from chalicelib.config import Settings
from chalicelib.engine.s3 import client, refusals

PREFIX = "answers/"
"""The bucket's lifecycle removes what stands here after a day."""
VALID_FOR_S = 300


class S3LargeReplies:
    """Implements `reading.ports.LargeReplies`. The address alone gives access, so its key is as long as a token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def put(self, body: bytes, content_type: str, content_encoding: str | None) -> str:
        """One put; the presigned address is made without a call."""
        key = PREFIX + secrets.token_urlsafe(32)
        s3 = client(self._settings)
        encoding: dict[str, Any] = {} if content_encoding is None else {"ContentEncoding": content_encoding}
        with refusals():
            s3.put_object(Bucket=self._settings.bucket, Key=key, Body=body, ContentType=content_type, **encoding)
            return s3.generate_presigned_url(
                "get_object", Params={"Bucket": self._settings.bucket, "Key": key}, ExpiresIn=VALID_FOR_S
            )
