"""What an operation is: one thing that a client can ask for, and the form in which it fails."""

from dataclasses import dataclass
from enum import Enum

from chalicelib.access.policy import Policy


class ErrorFormat(Enum):
    """Which of the bodies of errors.md a failure of the operation has."""

    PLATFORM = "platform"
    """Shape A: the bare error object, or `{"errors": [...]}` when there are several."""
    PLATFORM_ENVELOPE = "platform envelope"
    """As PLATFORM for wrong fields and unknown callers; the envelope of shape C for every other failure."""
    READ = "read"
    """`{"status", "id", "code", "message"}`, of `GET /data/{userId}` only (data-api 9)."""
    AUTH = "auth"
    """Shape D: `{"code": <status>, "reason"}`."""
    OAUTH = "oauth"
    """`{"error", "error_description"}`, of OpenID Connect (RFC 6749, section 5.2)."""
    NODE = "node"
    """Shape E: a JSON string, `{"code", "message"}`, or nothing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client can ask for."""

    name: str
    method: str
    paths: tuple[str, ...]
    policy: Policy
    error_format: ErrorFormat = ErrorFormat.PLATFORM
    success_status: int = 200
    summary: str = ""
    limit_bytes: int = 4_500_000
    """Largest body: Lambda takes 6 MB of event, which a base64 body of 4.5 MB fills (limits 1)."""
    beyond_limit: str = ""
    """What a client that sent a larger body is told, when there is another way."""


def data_paths(*tails: str) -> tuple[str, ...]:
    """The two prefixes under which the data service is known, each with each tail. Source: data-api 1."""
    return tuple(prefix + tail for prefix in ("/v1", "/dataservices/v1") for tail in tails)
