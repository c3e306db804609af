"""What a request says of who sent it. Source: errors 5 and 8, data-api 2, auth-api."""

from collections.abc import Mapping, Sequence

from chalicelib.access.call import Credentials
from chalicelib.api.operations.operation import ErrorFormat

PLATFORM_FORMATS = frozenset({ErrorFormat.PLATFORM, ErrorFormat.PLATFORM_ENVELOPE})


RESTRICTED_TOKEN = "restricted_token"  # noqa: S105  the parameter's name
DATA_SERVICE_PREFIX = "/dataservices"


def credentials_of(
    headers: Mapping[str, Sequence[str]], query: Mapping[str, Sequence[str]], path: str, form: ErrorFormat
) -> Credentials:
    """The credentials of a request (lower-case names of headers, all values of each) to a path.

    Only the platform's own services read more than the session token, and only they refuse one that was sent twice.
    `GET /data/{userId}` reads a restricted token when there is no session token (data-api 2).
    """
    session = headers.get("x-tidepool-session-token", ())
    restricted = query.get(RESTRICTED_TOKEN, ())
    # The edge takes this prefix off before the reference sees the path (data-api 1).
    path = path.removeprefix(DATA_SERVICE_PREFIX)
    if form is ErrorFormat.READ and not session and restricted:
        return Credentials(restricted_token=restricted[0], path=path, malformed=len(restricted) > 1)
    if form not in PLATFORM_FORMATS:
        return Credentials(session_token=session[0] if session else None)
    # One secret a stage, known by two names (errors 5).
    secret = [*headers.get("x-tidepool-service-secret", ()), *headers.get("x-tidepool-server-secret", ())]
    authorization = headers.get("authorization", ())
    scheme, blank, bearer = authorization[0].partition(" ") if authorization else ("", " ", "")
    return Credentials(
        service_secret=secret[0] if secret else None,
        bearer_token=bearer if scheme.lower() == "bearer" else None,
        session_token=session[0] if session else None,
        restricted_token=restricted[0] if restricted else None,
        path=path,
        malformed=not blank or max(len(secret), len(authorization), len(session), len(restricted)) > 1,
    )
