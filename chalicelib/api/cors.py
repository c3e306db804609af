"""Cross-origin requests: whose pages may read replies, and whose may send cookies along. Source: errors 6."""

from collections.abc import Mapping, Sequence

from chalicelib.frozen import frozen
from chalicelib.services import Services
from chalicelib.sign_in.redirects import web_address

CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Digest, Idempotency-Key, If-None-Match, Prefer, X-Tidepool-Session-Token, "
        "X-Tidepool-Trace-Request, X-Tidepool-Trace-Session, X-Logs-Start-At-Time, X-Logs-End-At-Time, X-Upload-Size"
    ),
    # Browsers read the token from the reply to a login (errors 6).
    "Access-Control-Expose-Headers": (
        "Digest, ETag, X-Strandline-Dropped, X-Strandline-Failed-Sign-Ins, X-Strandline-Left-Out, "
        "X-Tidepool-Session-Token, X-Tidepool-Trace-Request"
    ),
    "Access-Control-Max-Age": "600",
}


@frozen
class CorsPolicy:
    """The origins whose pages may call a stage."""

    origins: Sequence[str]
    """Those of the settings; `*` stands for all."""
    web_apps: frozenset[str] = frozenset()
    """Those of the clients of OpenID Connect."""
    allows_loopback: bool = False
    """True if pages of any port of this machine may call."""

    def knows(self, origin: str) -> bool:
        """Whether pages of this origin belong to a client of OpenID Connect. keycloak-js asks for tokens with
        cookies, which browsers allow only for an origin that is named."""
        if origin in self.web_apps:
            return True
        address = web_address(origin) if self.allows_loopback else None
        return address is not None and address.is_loopback and address.origin == origin

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may read replies."""
        return origin in self.origins or "*" in self.origins or self.knows(origin)


def cors_policy(services: Services) -> CorsPolicy:
    """The policy of a stage."""
    settings, provider = services.settings, services.sign_in.provider
    return CorsPolicy(settings.cors_origins, provider.web_origins, settings.allows_local_web_apps)


def cors_headers(
    request_headers: Mapping[str, Sequence[str]], policy: CorsPolicy, *, takes_cookies: bool = False
) -> dict[str, str]:
    """The headers that let a page read the response; none for an origin that may not.

    Args:
        request_headers: all values of each header, by its name in lower case.
        takes_cookies: whether the operation may be called with cookies; they change nothing there.
    """
    origin = next(iter(request_headers.get("origin", ())), None)
    if origin is None or not policy.allows(origin):
        return {}
    credentials = {"Access-Control-Allow-Credentials": "true"} if takes_cookies and policy.knows(origin) else {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Vary": "Accept-Encoding, Origin",
        **credentials,
        **CORS_HEADERS,
    }
