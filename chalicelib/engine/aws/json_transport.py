"""A transport for the JSON protocol of AWS, thinner than botocore's client (ADR 17).

It takes from botocore what has to be botocore's: credentials of all kinds, signatures, endpoints, retries, and the
event `before-send`, in which a handler may reply in place of AWS. There is no model of the service: a request is sent
as it is given, and the reply is the JSON that came. Binary values are sent as Base64, and come as Base64.
"""

import base64
import time
import zlib
from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, HeadersDict
from botocore.exceptions import ChecksumError, ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from chalicelib.engine.aws.endpoints import endpoint_of
from chalicelib.engine.aws.http_connections import Timeouts, exchange_with
from chalicelib.engine.aws.retries import StandardRetries

CHECKSUM_HEADER = "x-amz-crc32"


class JsonService(NamedTuple):
    """A service: its name in botocore, the prefix of its operations, and the media type of its version of JSON."""

    name: str
    target_prefix: str
    media_type: str


class JsonTransport:
    """Sends requests to a service in a region. Threads may share it."""

    def __init__(self, session: Session, service: JsonService, region: str, *, tries: int, timeouts: Timeouts) -> None:
        """No call, unless credentials have to be fetched.

        Raises:
            NoCredentialsError, EndpointProviderError, CredentialRetrievalError: those of botocore.
        """
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self._service = service
        self._credentials = credentials
        endpoint = endpoint_of(session, service.name, region)
        self._url, self._signing_region = f"{endpoint.url.rstrip('/')}/", endpoint.signing_region
        self._user_agent = session.user_agent()
        self._events = session.get_component("event_emitter")
        self._retries = StandardRetries(service.name, tries)
        self._exchange = exchange_with(self._url, timeouts, session.get_config_variable("ca_bundle"))

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
                self._retries.succeeded(reply, state)
                return response
        raise AssertionError("the count never ends")

    def _reply(self, operation: str, body: bytes) -> Any:
        signed = self._signed(operation, body)
        event = f"before-send.{self._service.name}.{operation}"
        for _, reply in self._events.emit(event, request=signed):
            if reply is not None:
                return reply
        return self._exchange(signed)

    def _signed(self, operation: str, body: bytes) -> AWSPreparedRequest:
        headers = {
            "Content-Type": self._service.media_type,
            "User-Agent": self._user_agent,
            "X-Amz-Target": f"{self._service.target_prefix}.{operation}",
        }
        request = AWSRequest("POST", self._url, headers, body)
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, self._service.name, self._signing_region).add_auth(request)
        sent: Any = HeadersDict(request.headers.items())
        return AWSPreparedRequest("POST", self._url, sent, body, stream_output=False)


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
