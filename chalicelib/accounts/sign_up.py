"""Who may make an account of their own. Source: auth-api 5, route 8."""

import hmac
from collections.abc import Callable
from typing import Any

from chalicelib.accounts.password_sign_in import address_counter, count_attempt
from chalicelib.accounts.ports import SignInAttempts
from chalicelib.errors import SignUpClosedError

OPEN = "open"
INVITATION = "invitation"
INVITATION_FIELD = "invitationCode"


def require_sign_up(
    mode: str,
    body: Any,
    source_ip: str,
    *,
    invitation_code: Callable[[], str],
    attempts: SignInAttempts,
    now_ms: int,
) -> None:
    """Nothing, when this stage takes new accounts from whoever sent this body.

    With the mode `invitation`, the body has to hold the stage's code as `invitationCode`; wrong ones count as failed
    sign-ins of the address. Any mode that is not known is closed.

    Raises:
        SignUpClosedError: it does not.
        TooManyAttemptsError: too many wrong codes, or failed sign-ins, from this address.
    """
    if mode == OPEN:
        return
    sent = body.get(INVITATION_FIELD) if isinstance(body, dict) else None
    if mode != INVITATION or not isinstance(sent, str):
        raise SignUpClosedError
    counters = (address_counter(source_ip, now_ms),)
    count_attempt(attempts, counters, now_ms)
    if not hmac.compare_digest(sent.encode(), invitation_code().encode()):
        raise SignUpClosedError
    attempts.uncount(counters)
