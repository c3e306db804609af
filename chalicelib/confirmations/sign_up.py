"""Confirms the address of a sign-up, and claims custodial accounts. Source: confirm 4."""

import re
from contextlib import suppress
from datetime import date
from typing import Any

from chalicelib.access.call import Call, token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import is_password
from chalicelib.accounts.password_sign_in import attempt_counter, count_attempt
from chalicelib.accounts.profile import PROFILE
from chalicelib.accounts.proof import account_of, prove_address
from chalicelib.confirmations.mailed_key import MailedKey
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.confirmations.sign_up_confirmation import SignUpConfirmation, SignUpStatus
from chalicelib.errors import (
    ClaimRefusedError,
    ConfirmationExistsError,
    ConfirmationNotFoundError,
    UnavailableError,
    UserNotFoundError,
)
from chalicelib.mail.message import MailKind, MailOrder

MAX_CLAIMS = 20
"""Attempts to claim an account in a quarter of an hour: each guesses a birthday."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def request_confirmation(call: Call, user_id: str, ports: ConfirmationPorts) -> SignUpConfirmation | None:
    """Store that an account has to confirm its address; None for an account without one.

    Raises:
        UnauthorizedError: the caller may not do this for the user.
        UserNotFoundError: there is no such account.
        ConfirmationExistsError: one for this address is pending.
    """
    call.require(user_id)
    account = ports.accounts.accounts.find(user_id)
    if account is None:
        raise UserNotFoundError(user_id)
    present = ports.sign_ups.find(user_id)
    if account.email is None:
        ports.sign_ups.remove(user_id)
        return None
    if present is not None and present.is_open(call.now_ms) and present.email == account.email:
        raise ConfirmationExistsError
    creator_id = call.caller.user_id if call.caller.user_id != user_id and not call.caller.is_server else None
    confirmation = SignUpConfirmation(
        user_id, call.new_id(), account.email, creator_id or "", SignUpStatus.PENDING, call.now_ms, call.now_ms
    )
    ports.sign_ups.put(confirmation)
    return confirmation


def send_confirmation(call: Call, user_id: str, ports: ConfirmationPorts) -> None:
    """As `request_confirmation`, and order the mail with the link. Without mail, only the owner of the stage helps."""
    confirmation = request_confirmation(call, user_id, ports)
    if confirmation is not None:
        order_proof(confirmation.email, ports)


def order_proof(email: str, ports: ConfirmationPorts) -> None:
    """Order the mail that proves the address of an account, as after a sign-up. Without one, it can be asked for again:
    what came before is stored."""
    if ports.terms.is_on:
        with suppress(UnavailableError):
            ports.orders.send(MailOrder(MailKind.SIGN_UP, email))


def read_confirmation(call: Call, user_id: str, ports: ConfirmationPorts) -> SignUpConfirmation:
    """The pending confirmation of a user.

    Raises:
        UnauthorizedError: the caller may not see it.
        ConfirmationNotFoundError: there is none.
    """
    call.require(user_id)
    found = ports.sign_ups.find(user_id)
    if found is None or not found.is_open(call.now_ms):
        raise ConfirmationNotFoundError
    return found


def end_confirmation(call: Call, user_id: str, key: str, status: SignUpStatus, ports: ConfirmationPorts) -> None:
    """Decline or cancel the confirmation of a user, by its id or by a key that was mailed for it. Its links end.

    Raises:
        ConfirmationNotFoundError: there is none, or the key is not its own.
    """
    found = ports.sign_ups.find(user_id)
    mailed = ports.mailed_keys.find(token_hash(key))
    is_mailed = mailed is not None and mailed.kind is MailKind.SIGN_UP and mailed.proof.user_id == user_id
    if found is None or not found.is_open(call.now_ms) or not (is_mailed or key == found.id):
        raise ConfirmationNotFoundError
    ports.sign_ups.put(found.changed(status, call.now_ms))


def require_sign_up_key(call: Call, key: str, ports: ConfirmationPorts) -> MailedKey:
    """The stored form of a key that confirms an address.

    Raises:
        ConfirmationNotFoundError: the key is forged, used or expired, was canceled, or the account has another address.
    """
    found = ports.mailed_keys.find(token_hash(key))
    if found is None or found.kind is not MailKind.SIGN_UP or call.now_ms >= found.expires_time_ms:
        raise ConfirmationNotFoundError
    requested = ports.sign_ups.find(found.proof.user_id)
    if requested is not None and requested.status in (SignUpStatus.CANCELED, SignUpStatus.DECLINED):
        raise ConfirmationNotFoundError
    account_of(found.proof, ports.accounts)
    return found


def confirm_sign_up(call: Call, key: str, body: Any, ports: ConfirmationPorts) -> Account:
    """Confirm the address of the account that a key was mailed for. A custodial account is claimed by a password, and
    by the birthday in its profile.

    Raises:
        ConfirmationNotFoundError: see `require_sign_up_key`.
        ClaimRefusedError: password or birthday are missing or wrong. The key still works.
        TooManyAttemptsError: too many attempts to claim the account.
    """
    found = require_sign_up_key(call, key, ports)
    account = account_of(found.proof, ports.accounts)
    password = None
    if account.is_custodial or account.password_hash is None:
        password = _claiming_password(call, account, body, ports)
    account = prove_address(found.proof, password, ports.accounts)
    ports.mailed_keys.remove(found.key_hash)
    requested = ports.sign_ups.find(account.user_id)
    if requested is not None:
        ports.sign_ups.put(requested.changed(SignUpStatus.COMPLETED, call.now_ms))
    return account


def _claiming_password(call: Call, account: Account, body: Any, ports: ConfirmationPorts) -> str:
    """The password in the body, if it and the birthday are right."""
    if not isinstance(body, dict):
        raise ClaimRefusedError(1001, "User does not have a password")
    password, birthday = body.get("password"), body.get("birthday")
    if not password:
        raise ClaimRefusedError(1002, "Password is missing")
    if not isinstance(password, str) or not is_password(password):
        raise ClaimRefusedError(1003, "Password specified is invalid")
    if not birthday:
        raise ClaimRefusedError(1004, "Birthday is missing")
    if not isinstance(birthday, str) or not _is_date(birthday):
        raise ClaimRefusedError(1005, "Birthday specified is invalid")
    claims = attempt_counter("claims", account.user_id, MAX_CLAIMS, call.now_ms)
    count_attempt(ports.accounts.sign_in_attempts, [claims], call.now_ms)
    profile = ports.accounts.profiles.find(account.user_id, PROFILE)
    patient = None if profile is None else profile.values.get("patient")
    if not isinstance(patient, dict) or patient.get("birthday") != birthday:
        raise ClaimRefusedError(1006, "Birthday specified does not match patient birthday")
    return password


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
