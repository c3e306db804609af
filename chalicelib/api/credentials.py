"""The credentials in a request. Source: errors 5 and 8, data-api 2, auth-api."""

from collections.abc import Mapping, Sequence

from chalicelib.access.call import Credentials
from chalicelib.api.operations.operation import DATA_SERVICE_PREFIX, ErrorFormat

PLATFORM_FORMATS = frozenset({ErrorFormat.PLATFORM, ErrorFormat.PLATFORM_ENVELOPE})
"""The formats of the platform services, as opposed to those of the older services."""
RESTRICTED_TOKEN = "restricted_token"  # noqa: S105  the parameter's name


def credentials_of(
    headers: Mapping[str, Sequence[str]], query: Mapping[str, Sequence[str]], path: str, error_format: ErrorFormat
) -> Credentials:
    """The credentials of a request to a path; `headers` has all values of each header, by its name in lower case.

    Only the platform services read more than the session token, and only they refuse one that was sent twice.
    `GET /data/{userId}` reads a restricted token if there is no session token (data-api 2).
    """
    session = headers.get("x-tidepool-session-token", ())
    restricted = query.get(RESTRICTED_TOKEN, ())
    path = path.removeprefix(DATA_SERVICE_PREFIX)
    if error_format is ErrorFormat.READ and not session and restricted:
        return Credentials(restricted_token=restricted[0], path=path, malformed=len(restricted) > 1)
    if error_format not in PLATFORM_FORMATS:
        return Credentials(session_token=session[0] if session else None)
    # A stage has one secret, which has two names (errors 5).
    secret = [*headers.get("x-tidepool-service-secret", ()), *headers.get("x-tidepool-server-secret", ())]
    authorization = headers.get("authorization", ())
    scheme, blank, bearer = authorization[0].partition(" ") if authorization else ("", " ", "")
    return Credentials(
        service_secret=secret[0] if secret else None,
        bearer_token=bearer.strip() if scheme.lower() == "bearer" else None,
        session_token=session[0] if session else None,
        restricted_token=restricted[0] if restricted else None,
        path=path,
        malformed=not blank or max(len(secret), len(authorization), len(session), len(restricted)) > 1,
    )
