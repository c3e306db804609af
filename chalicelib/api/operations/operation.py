"""Operations: the requests that clients can make, and the formats of their errors."""

from enum import Enum

from chalicelib.access.policy import Policy
from chalicelib.frozen import frozen
from chalicelib.reading.read_ahead import Ahead

DATA_SERVICE_PREFIX = "/dataservices"
"""The reference platform removes this prefix before it routes a request (data-api 1)."""


class ErrorFormat(Enum):
    """The format of an API's error bodies. Source: errors 1."""

    PLATFORM = "platform"
    """Shape A: the error object alone, or `{"errors": [...]}` for several."""
    PLATFORM_ENVELOPE = "platform envelope"
    """As PLATFORM for invalid fields and unknown callers; the envelope of shape C for all other errors."""
    READ = "read"
    """`{"status", "id", "code", "message"}`, of `GET /data/{userId}` only (data-api 9)."""
    AUTH = "auth"
    """Shape D: `{"code": <status>, "reason"}`."""
    OAUTH = "oauth"
    """`{"error", "error_description"}`, of OpenID Connect (RFC 6749, section 5.2)."""
    CONFIRM = "confirm"
    """As AUTH, with reasons of its own. Source: confirm 1."""
    NODE = "node"
    """Shape E: a JSON string, `{"code", "message"}`, or nothing."""
    NIGHTSCOUT = "nightscout"
    """`{"status", "message"}`, of Nightscout's v1 and v2 (nightscout-api 2 and 3)."""
    NIGHTSCOUT_V3 = "nightscout v3"
    """As NIGHTSCOUT, with statuses and messages of its own, and for some without a message (nightscout-api 9)."""


NIGHTSCOUT_FORMATS = frozenset({ErrorFormat.NIGHTSCOUT, ErrorFormat.NIGHTSCOUT_V3})
"""The formats of the APIs for devices with a Nightscout credential."""


@frozen
class Operation:
    """A request that clients can make: a row of the operation table."""

    name: str
    method: str
    paths: tuple[str, ...]
    policy: Policy
    error_format: ErrorFormat = ErrorFormat.PLATFORM
    success_status: int = 200
    summary: str = ""
    limit_bytes: int = 4_500_000
    """The largest body: Lambda accepts events of 6 MB, which a body of 4.5 MB fills in base64 (limits 1)."""
    beyond_limit: str = ""
    """The error's text for larger bodies, if there is another way to send them."""
    reads_ahead: tuple[Ahead, ...] = ()
    """Items to fetch together with the session of the caller."""
    takes_cookies: bool = False
    """True if pages of the clients of OpenID Connect may send cookies along. They change nothing."""
    unauthorized_reason: str | None = "Not authorized for requested operation"
    """In the AUTH format, the reason in a 401; None for an empty body."""
    defect_reason: str | None = "Error finding user"
    """In the AUTH format, the reason in a 500; None for an empty body."""
    has_resource: bool = True
    """True if API Gateway has a resource for each path, of which an API may have 300. The router finds the others."""


def data_paths(*tails: str) -> tuple[str, ...]:
    """All paths of these tails under the two prefixes of the data service. Source: data-api 1."""
    return tuple(prefix + tail for prefix in ("/v1", f"{DATA_SERVICE_PREFIX}/v1") for tail in tails)
