"""The limit on mails to one address, of all kinds together. Source: confirm 5."""

from chalicelib.access.call import Call
from chalicelib.accounts.password_sign_in import attempt_counter
from chalicelib.accounts.ports import AccountPorts
from chalicelib.durations import DAY_S

MAX_MAILS_A_DAY = 10
"""Mails to one address in a day."""


def may_be_mailed(call: Call, email: str, ports: AccountPorts) -> bool:
    """Count a mail to an address, and return whether it may be sent: an address gets a limited number in a day."""
    today = attempt_counter("mails", email, MAX_MAILS_A_DAY, call.now_ms, DAY_S)
    return ports.sign_in_attempts.count([today]) is None
