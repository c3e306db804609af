"""What the headers of a request say of who sent it. Source: errors 5 and 8, data-api 2, auth-api."""

from collections.abc import Mapping, Sequence

from chalicelib.contract.operation import FailureForm
from chalicelib.domain.access import Credentials

PLATFORM_FORMS = frozenset({FailureForm.PLATFORM, FailureForm.PLATFORM_ENVELOPE})


def credentials_of(headers: Mapping[str, Sequence[str]], form: FailureForm) -> Credentials:
    """The credentials in `headers` (lower-case names, all values of each).

    Only the platform's own services read more than the session token, and only they refuse one that was sent twice.
    """
    session = headers.get("x-tidepool-session-token", ())
    if form not in PLATFORM_FORMS:
        return Credentials(session_token=session[0] if session else None)
    # One secret a stage, known by two names (architecture, rulings).
    secret = [*headers.get("x-tidepool-service-secret", ()), *headers.get("x-tidepool-server-secret", ())]
    authorization = headers.get("authorization", ())
    scheme, blank, bearer = authorization[0].partition(" ") if authorization else ("", " ", "")
    return Credentials(
        service_secret=secret[0] if secret else None,
        bearer_token=bearer if scheme.lower() == "bearer" else None,
        session_token=session[0] if session else None,
        malformed=not blank or max(len(secret), len(authorization), len(session)) > 1,
    )
