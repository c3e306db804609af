"""The token of a form: a proof that this server made the page, for this browser and for these fields.

Its key is a random cookie that scripts cannot read and forms of other sites cannot send. It signs all hidden fields
and the time at which the form expires, so nothing has to be stored for a page that nobody fills in.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

FORM_LIFETIME_S = 15 * 60


def form_token(cookie: str, fields: Mapping[str, str], now_s: int) -> str:
    """The token of a form that is valid for a quarter of an hour."""
    return _signed(cookie, fields, now_s + FORM_LIFETIME_S)


def is_valid_form(token: str, cookie: str, fields: Mapping[str, str], now_s: int) -> bool:
    """Whether a token was made for this cookie and these fields, and has not expired."""
    expires, _, _ = token.partition(".")
    if not cookie or not (expires.isascii() and expires.isdigit() and len(expires) < 16) or int(expires) <= now_s:
        return False
    return hmac.compare_digest(token.encode(), _signed(cookie, fields, int(expires)).encode())


def _signed(cookie: str, fields: Mapping[str, str], expires_s: int) -> str:
    message = json.dumps([expires_s, sorted(fields.items())]).encode()
    return f"{expires_s}.{hmac.new(cookie.encode(), message, hashlib.sha256).hexdigest()}"
