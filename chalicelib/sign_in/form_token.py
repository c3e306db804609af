"""The sign-in form's proof that it was this server's page which a person filled in, in this browser, for this app.

The key is a random cookie that scripts cannot read and other sites' forms cannot send; what it signs is the whole
request and when the page was made. So nothing is stored for a page that nobody fills in.
"""

import hashlib
import hmac
import json

from chalicelib.sign_in.authorization_request import AuthorizationRequest

FORM_LIFETIME_S = 15 * 60


def form_token(cookie: str, request: AuthorizationRequest, now_s: int) -> str:
    """What the form sends along, valid for a quarter of an hour."""
    return _signed(cookie, request, now_s + FORM_LIFETIME_S)


def is_valid_form(token: str, cookie: str, request: AuthorizationRequest, now_s: int) -> bool:
    """Whether a form was made for this cookie and this request, and not too long ago."""
    expires, _, _ = token.partition(".")
    if not cookie or not (expires.isascii() and expires.isdigit() and len(expires) < 16) or int(expires) <= now_s:
        return False
    return hmac.compare_digest(token.encode(), _signed(cookie, request, int(expires)).encode())


def _signed(cookie: str, request: AuthorizationRequest, expires_s: int) -> str:
    message = json.dumps([expires_s, sorted(request.parameters.items())]).encode()
    return f"{expires_s}.{hmac.new(cookie.encode(), message, hashlib.sha256).hexdigest()}"
