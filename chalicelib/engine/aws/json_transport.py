"""A transport for the JSON protocol of AWS, thinner than botocore's client (ADR 17).

It takes from botocore what has to be botocore's: credentials of all kinds, endpoints, errors, retries, and the event
`before-send`, in which a handler may reply in place of AWS. There is no model of the service: a request is sent as it
is given, and the reply is the JSON that came. Binary values are sent as Base64, and come as Base64.
"""

import base64
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from botocore.exceptions import ChecksumError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from chalicelib.engine.aws.access import Access
from chalicelib.engine.aws.http_connections import Timeouts, exchange_with
from chalicelib.engine.aws.signatures import SignedFor, signed_headers

if TYPE_CHECKING:
    from chalicelib.engine.aws.retries import StandardRetries

CHECKSUM_HEADER = "x-amz-crc32"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"


class JsonService(NamedTuple):
    """A service: its name in botocore, the prefix of its operations, and the media type of its version of JSON."""

    name: str
    target_prefix: str
    media_type: str


class JsonTransport:
    """Sends requests to a service. Threads may share it."""

    def __init__(self, service: JsonService, access: Access, *, max_attempts: int, timeouts: Timeouts) -> None:
        """Makes no call."""
        self._service = service
        self._max_attempts = max_attempts
        self._access = access
        self._exchange = exchange_with(access.url, timeouts, access.ca_bundle)
        self._signed_for = signed_for(access.url, service.name, access.signing_region)

    def send(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to a request of an operation.

        Raises:
            ClientError: AWS refuses the request; `response` holds the members of the reply beside `Error`.
            BotoCoreError: there is no reply, or a damaged one.
        """
        body = encoded(request)
        state: dict[str, Any] = {}
        for attempt in count(1):
            reply: Any = None
            try:
                reply = self._reply(operation, body)
                response = _parsed(operation, reply)
            except (ClientError, HTTPClientError, NoConnectionError, ChecksumError) as error:
                delay_s = self._retries.delay_s(attempt, error, reply, state)
                if delay_s is None:
                    raise
                time.sleep(delay_s)
            else:
                if self._has_failed:
                    self._retries.succeeded(reply, state)
                return response
        raise AssertionError("the count never ends")

    @cached_property
    def _retries(self) -> "StandardRetries":
        """Made when the first request fails: until then there is no quota to give back."""
        from chalicelib.engine.aws.retries import StandardRetries

        return StandardRetries(self._service.name, self._max_attempts)

    @property
    def _has_failed(self) -> bool:
        return "_retries" in vars(self)

    def _reply(self, operation: str, body: bytes) -> Any:
        headers = {
            "content-type": self._service.media_type,
            "x-amz-target": f"{self._service.target_prefix}.{operation}",
        }
        now = datetime.now(UTC).strftime(TIME_FORMAT)
        signed = signed_headers(headers, body, self._signed_for, self._access.credentials(), now)
        if self._access.reply_instead is not None:
            reply = self._access.reply_instead(operation, signed, body)
            if reply is not None:
                return reply
        return self._exchange(signed, body)


def signed_for(url: str, service: str, region: str) -> SignedFor:
    """The address, service and region that requests are signed for."""
    address = urlsplit(url)
    host = str(address.hostname)
    host = f"[{host}]" if ":" in host else host
    has_port = address.port not in (None, {"http": 80, "https": 443}[address.scheme])
    return SignedFor(f"{host}:{address.port}" if has_port else host, address.path, service, region)


def encoded(request: Mapping[str, Any]) -> bytes:
    """The body of a request: JSON with bytes as Base64.

    Raises:
        TypeError: the request holds something else that JSON has no form for.
    """
    return orjson.dumps(request, default=_base64_text)


def _base64_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no request holds a {type(value).__name__}")


def _parsed(operation: str, reply: Any) -> dict[str, Any]:
    """The JSON of a reply.

    Raises:
        ClientError: it is a refusal.
        ChecksumError: the body is not what was sent.
        ResponseParserError: the body is not JSON.
    """
    content: bytes = reply.content
    expected = reply.headers.get(CHECKSUM_HEADER)
    if expected is not None and zlib.crc32(content) != int(expected):
        actual = str(zlib.crc32(content))
        raise ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=actual)
    if reply.status_code == 200:
        try:
            response: dict[str, Any] = orjson.loads(content)
        except ValueError as error:
            from botocore.parsers import ResponseParserError

            raise ResponseParserError(f"the reply to {operation} is not JSON") from error
        return response
    raise ClientError(_error_response(reply.status_code, content), operation)


def _error_response(status: int, content: bytes) -> Any:
    """A refusal in the form that botocore gives it. A server on the way may reply without JSON."""
    try:
        body = orjson.loads(content)
    except ValueError:
        body = {}
    members: dict[str, Any] = body if isinstance(body, dict) else {}
    code = str(members.get("__type") or status).rpartition("#")[2]
    message = str(members.get("message") or members.get("Message") or "")
    return members | {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
