"""The request that a view gets, and the reply that it returns."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import orjson

from chalicelib import json_text
from chalicelib.access.call import Call, Caller
from chalicelib.api.content_coding import decoded
from chalicelib.api.operations.operation import Operation
from chalicelib.errors import InvalidHeaderError, InvalidRequestError, MalformedJsonError, MissingJsonError
from chalicelib.frozen import frozen
from chalicelib.services import Services

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_IDEMPOTENCY_KEY_LENGTH = 255


@frozen
class Trace:
    """Ids that identify a request in the log: its own, and that of the client's session if the client sent one."""

    request: str
    session: str | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """The `meta` member of an envelope."""
        session = {} if self.session is None else {"session": self.session}
        return {"trace": {"request": self.request} | session}


@frozen
class Request:
    """A request as views see it. Path parameters are decoded; header names are lower case, and the values of a header
    that was sent more than once are joined by commas."""

    operation: Operation
    services: Services
    trace: Trace
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes
    call: Call
    """Caller and time of the request, under the policy of the operation."""
    source_ip: str = ""

    @property
    def caller(self) -> Caller:
        """The sender of the request."""
        return self.call.caller

    @property
    def now_ms(self) -> int:
        """The time at which the request arrived, in milliseconds since the epoch."""
        return self.call.now_ms

    def json(self) -> Any:
        """The body, decompressed, as a JSON value; U+FFFD replaces what is not Unicode in its strings.

        Raises:
            MissingJsonError: the body is empty or white space.
            MalformedJsonError: the body is not JSON, or a compressed body is damaged.
            TooLargeError: it has too many bytes once it is decompressed.
        """
        try:
            text = decoded(self.body, self.headers.get("content-encoding", ""), self.operation.limit_bytes)
        except InvalidRequestError as error:
            raise MalformedJsonError from error
        if not text.strip():
            raise MissingJsonError
        try:
            return json_text.decode_sent(text)
        except orjson.JSONDecodeError as error:
            raise MalformedJsonError from error


@frozen
class Reply:
    """The result of a view: a JSON value, an array of records that are JSON texts already, or bytes or the content of a
    file that are sent as they are; None is an empty body."""

    body: Any = None
    status: int | None = None
    """None stands for the success status of the operation."""
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    """A header that is sent more than once has a list of values."""
    content_encoding: str | None = None
    """The encoding that `body` already has; None if it may be compressed."""
    is_binary: bool = False
    """True if `body` is not text."""


def enveloped(request: Request, data: Any) -> Reply:
    """A reply whose body is `{"data": ..., "meta": {"trace": ...}}`. Source: data-api 4."""
    return Reply({"data": data, "meta": request.trace.meta})


def revalidation_headers(etag: str | None) -> dict[str, str]:
    """Headers that let only the client cache a reply, and make it revalidate each time: permissions may change."""
    return {"Cache-Control": "private, no-cache"} | ({} if etag is None else {"ETag": etag})


def idempotency_key(request: Request) -> str | None:
    """The key that marks repetitions of this request; None without one.

    Raises:
        InvalidHeaderError: the key is empty or too long.
    """
    key = request.headers.get(IDEMPOTENCY_KEY.lower())
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        raise InvalidHeaderError(IDEMPOTENCY_KEY)
    return key


def prefers(request: Request, preference: str) -> bool:
    """Whether the client states this preference in `Prefer`, whose values are separated by commas (RFC 7240)."""
    stated = request.headers.get("prefer", "").lower().replace('"', "").split(",")
    return preference in {value.partition(";")[0].strip() for value in stated}
