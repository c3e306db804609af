"""Sign-up: the rules by which people create accounts on a stage. Source: auth-api 5, route 8."""

import hmac
from collections.abc import Callable
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import new_user
from chalicelib.accounts.manage import create_user
from chalicelib.accounts.password_sign_in import (
    SignInSource,
    address_counter,
    count_attempt,
    count_sign_up,
    remember,
)
from chalicelib.accounts.ports import AccountPorts
from chalicelib.errors import SignUpClosedError
from chalicelib.frozen import frozen

OPEN = "open"
INVITATION = "invitation"
INVITATION_FIELD = "invitationCode"


@frozen
class SignUpRules:
    """The rules of a stage for new accounts."""

    mode: str
    """`open`, `invitation`, or anything else for closed."""
    invitation_code: Callable[[], str]
    """Returns the code that bodies must hold as `invitationCode` in the mode `invitation`."""
    verifies_emails: bool
    """True if an account can sign in only after its e-mail address was verified."""


def takes_accounts(mode: str) -> bool:
    """Whether people may create accounts by themselves, all of them or holders of the invitation code."""
    return mode in (OPEN, INVITATION)


def sign_up(call: Call, body: Any, source: SignInSource, rules: SignUpRules, ports: AccountPorts) -> Account:
    """Create an account for the caller, who is known at this source from then on. Wrong invitation codes count as
    failed sign-ins from the network address.

    Raises:
        SignUpClosedError: the stage takes no new accounts, or the invitation code is missing or wrong.
        TooManyAttemptsError: too many accounts, wrong codes or failed sign-ins from this address.
        InvalidUserDetailsError: the body breaks a rule.
        UserExistsError: the e-mail address belongs to an account.
    """
    if rules.mode != OPEN:
        _require_invitation(call, body, source, rules, ports)
    details = new_user(body)
    count_sign_up(call, source, ports)
    account = create_user(call, details, ports, email_verified=not rules.verifies_emails)
    remember(call, account.user_id, source, ports)
    return account


def _require_invitation(call: Call, body: Any, source: SignInSource, rules: SignUpRules, ports: AccountPorts) -> None:
    """Raise unless the stage takes invitations and the body holds the right code."""
    code = body.get(INVITATION_FIELD) if isinstance(body, dict) else None
    if rules.mode != INVITATION or not isinstance(code, str):
        raise SignUpClosedError
    counters = (address_counter(source.ip_address, call.now_ms),)
    count_attempt(ports.sign_in_attempts, counters, call.now_ms)
    if not hmac.compare_digest(code.encode(), rules.invitation_code().encode()):
        raise SignUpClosedError
    ports.sign_in_attempts.uncount(counters)
