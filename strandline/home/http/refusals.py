"""Refusals of the home server itself, before a request reaches the API, in the form of those of the gateway on AWS.

`infra/gateway.yaml` has those of AWS.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply that says why a request is not carried out."""

    status: int
    code: str
    detail: str
    retry_after_s: int | None = None

    @property
    def status_line(self) -> str:
        """The status with its standard phrase."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def body(self) -> bytes:
        """The JSON that tells the client."""
        title = self.code.replace("-", " ")
        return json.dumps({"code": self.code, "title": title, "detail": self.detail}).encode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that go with it. Any page may read it: it has nothing of anyone."""
        headers = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Access-Control-Allow-Origin", "*"),
        ]
        return headers if self.retry_after_s is None else [*headers, ("Retry-After", str(self.retry_after_s))]

    def send(self, start_response: "StartResponse") -> Iterable[bytes]:
        """Reply by WSGI."""
        body = self.body
        start_response(self.status_line, [*self.headers, ("Content-Length", str(len(body)))])
        return [body]


DEFECT = Refusal(500, "internal-server-failure", "Internal server failure", retry_after_s=5)
FORBIDDEN = Refusal(403, "refused-by-gateway", "requests come through the proxy only")
MISDIRECTED = Refusal(421, "refused-by-gateway", "this server has another name; --public-url gives it this one")
MALFORMED = Refusal(400, "refused-by-gateway", "the request is not HTTP")
UNSIGNED = Refusal(403, "address-refused", "the signature does not fit the request")
TOO_LARGE = Refusal(413, "resource-too-large", "a request may have at most 10 MB, and an upload 100 MiB")
HEADERS_TOO_LARGE = Refusal(431, "refused-by-gateway", "the headers of a request may have at most 16 KB")
NOT_IMPLEMENTED = Refusal(501, "refused-by-gateway", "the transfer encoding is not supported")
NO_SPACE = Refusal(507, "insufficient-storage", "the disk of the server is full; nothing was stored", 60)
UNAVAILABLE = Refusal(503, "service-unavailable", "service is unavailable for the moment", 1)
