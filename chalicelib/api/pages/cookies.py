"""The cookies of the pages. None is read by the APIs, and scripts read none."""

import re
from http.cookies import CookieError, SimpleCookie

from chalicelib.accounts.password_sign_in import SOURCE_LIFETIME_S
from chalicelib.api.messages import Request
from chalicelib.sign_in.form_token import FORM_LIFETIME_S
from chalicelib.sign_in.ports import SsoSession
from chalicelib.sign_in.sso import lifetime_s

FORM_COOKIE = "strandline-sign-in"
"""The cookie that binds a form to the browser that got it."""
KNOWN_COOKIE = "strandline-known"
"""The cookie by which a browser is known after a sign-in, so that nobody keeps its user out by guessing elsewhere. It
signs nobody in."""
SSO_COOKIE = "strandline-sso"
"""The cookie of a person who is signed in at the browser."""
_COOKIE_VALUE = re.compile("[A-Za-z0-9_-]{32,64}")
_LIFETIMES_S = {FORM_COOKIE: FORM_LIFETIME_S, KNOWN_COOKIE: SOURCE_LIFETIME_S}


def cookie_of(request: Request, cookie: str) -> str:
    """The value of one of the cookies that this browser was given; empty if it has none."""
    try:
        sent = SimpleCookie(request.headers.get("cookie", "")).get(_name(request, cookie))
    except CookieError:
        return ""
    return sent.value if sent is not None and _COOKIE_VALUE.fullmatch(sent.value) else ""


def set_cookie(request: Request, cookie: str, value: str) -> str:
    """The header that gives a browser the cookie of a form, or that by which it is known."""
    return _header(request, cookie, value, f"Path=/; Max-Age={_LIFETIMES_S[cookie]}")


def set_sso_cookie(request: Request, session: SsoSession, value: str) -> str:
    """The header that gives a browser the cookie of its session. It ends with the browser, unless the person asked to
    be kept signed in."""
    age = f"; Max-Age={lifetime_s(session.is_kept)}" if session.is_kept else ""
    return _header(request, SSO_COOKIE, value, f"Path={_sso_path(request)}{age}")


def remove_sso_cookie(request: Request) -> str:
    """The header that removes the cookie of a session."""
    return _header(request, SSO_COOKIE, "", f"Path={_sso_path(request)}; Max-Age=0")


def _sso_path(request: Request) -> str:
    return f"/realms/{request.services.settings.realm}/"


def _header(request: Request, cookie: str, value: str, attributes: str) -> str:
    secure = "; Secure" if _is_secure(request) else ""
    return f"{_name(request, cookie)}={value}; {attributes}; HttpOnly; SameSite=Lax{secure}"


def _name(request: Request, cookie: str) -> str:
    # Browsers accept a cookie with a prefix over TLS only, `__Host-` from this host and for all paths only; without TLS
    # they would reject it.
    prefix = "__Secure-" if cookie == SSO_COOKIE else "__Host-"
    return prefix + cookie if _is_secure(request) else cookie


def _is_secure(request: Request) -> bool:
    return request.services.settings.base_url.startswith("https:")
