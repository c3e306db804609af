"""The operations of OpenID Connect, by which Loop, xDrip+, AndroidAPS and the Uploader sign in. Source: auth-api 6.

Anyone may call them: they check the id and the proofs of a client, or a bearer token, as OAuth specifies.
"""

from dataclasses import replace

from chalicelib.access.policy import ANYONE
from chalicelib.api.operations.operation import ErrorFormat, Operation

OAUTH = ErrorFormat.OAUTH
REALM = "/realms/{realm}"
PROTOCOL = f"{REALM}/protocol/openid-connect"
LIMIT_BYTES = 16 * 1024
"""A form has a few parameters of some hundred characters each."""


def _operation(name: str, method: str, path: str, summary: str) -> Operation:
    return Operation(f"oidc.{name}", method, (path,), ANYONE, OAUTH, summary=summary, limit_bytes=LIMIT_BYTES)


GET_CONFIGURATION = _operation(
    "configuration", "GET", f"{REALM}/.well-known/openid-configuration", "Where everything is, and what is supported"
)
GET_CERTS = _operation("certs", "GET", f"{PROTOCOL}/certs", "The keys that ID tokens are signed with")
SHOW_SIGN_IN = _operation("show_sign_in", "GET", f"{PROTOCOL}/auth", "The page that a person signs in on")
SIGN_IN = _operation("sign_in", "POST", f"{PROTOCOL}/auth", "Sign in, and go back to the app with a code")
ISSUE_TOKENS = replace(
    _operation("tokens", "POST", f"{PROTOCOL}/token", "Tokens for a code, or for a refresh token"), takes_cookies=True
)
GET_USER_INFO = _operation("user_info", "GET", f"{PROTOCOL}/userinfo", "Who an access token stands for")
POST_USER_INFO = _operation("user_info_by_post", "POST", f"{PROTOCOL}/userinfo", "Who an access token stands for")
GET_COOKIE_CHECK = _operation(
    "cookie_check",
    "GET",
    f"{PROTOCOL}/3p-cookies/step1.html",
    "Tell keycloak-js that frames have no cookies",
)
GET_COOKIE_CHECK_RESULT = _operation(
    "cookie_check_result", "GET", f"{PROTOCOL}/3p-cookies/step2.html", "Tell keycloak-js the same in the second step"
)
GET_LOGIN_STATUS = _operation(
    "login_status", "GET", f"{PROTOCOL}/login-status-iframe.html", "Tell keycloak-js that the session has not changed"
)
REVOKE = _operation("revoke", "POST", f"{PROTOCOL}/revoke", "End the login that a token belongs to")
END_SESSION = _operation("end_session", "GET", f"{PROTOCOL}/logout", "End the login of an ID token")
POST_END_SESSION = _operation("end_session_by_post", "POST", f"{PROTOCOL}/logout", "End the login of a token")
UPLOAD_REDIRECT = Operation(
    "oidc.upload_redirect",
    "GET",
    ("/upload-redirect",),
    ANYONE,
    OAUTH,
    303,
    summary="Hand the Uploader what it signed in for, as Tidepool's web application does",
)

OIDC_OPERATIONS: tuple[Operation, ...] = (
    GET_CONFIGURATION,
    GET_CERTS,
    SHOW_SIGN_IN,
    SIGN_IN,
    ISSUE_TOKENS,
    GET_USER_INFO,
    POST_USER_INFO,
    GET_COOKIE_CHECK,
    GET_COOKIE_CHECK_RESULT,
    GET_LOGIN_STATUS,
    REVOKE,
    END_SESSION,
    POST_END_SESSION,
    UPLOAD_REDIRECT,
)
