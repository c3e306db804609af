"""Deletes accounts, after the owner has confirmed with the password. Source: auth-api 5, route 11."""

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import MAX_ATTEMPTS
from chalicelib.accounts.password_sign_in import SignInSource, admit, record_failure
from chalicelib.accounts.ports import AccountPorts
from chalicelib.accounts.roles import CLINIC_ROLES
from chalicelib.accounts.session import end_credentials
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnauthorizedError, WrongPasswordError
from chalicelib.frozen import frozen


@frozen
class PasswordConfirmation:
    """The password with which a caller confirms the deletion of what is their own, and the source of the request."""

    password: str | None
    source: SignInSource


def delete_user(call: Call, user_id: str, confirmation: PasswordConfirmation, ports: AccountPorts) -> None:
    """Delete an account, in one step that leaves a receipt, by which its data is erased; then end all its sessions and
    tokens. Afterwards no credential of the account is valid.

    Without an account only the second step is left: a deletion that failed between the two is completed by sending it
    again. Deleting an account that does not exist is not an error for a server.

    Raises:
        UnauthorizedError: the caller may not delete the account, or it belongs to a clinic.
        WrongPasswordError: the account is the caller's own, and the password is missing or wrong.
        TooManyAttemptsError: too many wrong passwords.
        UnavailableError: each attempt conflicted with another change, or a store did not answer.

    Source: auth-api 5, route 11.
    """

    def attempt() -> None:
        account = ports.accounts.find(user_id)
        if account is None:
            call.require(user_id)
            return
        if CLINIC_ROLES & set(account.roles):
            raise UnauthorizedError
        call.require(user_id)
        if not call.caller.is_server and call.caller.user_id == user_id:
            _require_password(call, account, confirmation, ports)
        ports.accounts.delete(account, call.now_ms)

    retry_on_conflict(attempt, MAX_ATTEMPTS)
    end_credentials(user_id, call.caller.credential, ports)


def confirm_password(call: Call, user_id: str, confirmation: PasswordConfirmation, ports: AccountPorts) -> None:
    """Raise unless the password is that of the user's account.

    Raises:
        WrongPasswordError: the password is missing or wrong, or there is no such account.
        TooManyAttemptsError: too many wrong passwords.
    """
    account = ports.accounts.find(user_id)
    if account is None:
        raise WrongPasswordError
    _require_password(call, account, confirmation, ports)


def _require_password(call: Call, account: Account, confirmation: PasswordConfirmation, ports: AccountPorts) -> None:
    """Raise unless the password is right. A wrong one counts as a failed sign-in, so a stolen session does not help to
    guess it."""
    if confirmation.password is None:
        raise WrongPasswordError
    email = account.email or account.user_id
    counted = admit(call, email, confirmation.source, ports)
    if not ports.passwords.verify(account.password_hash, confirmation.password):
        record_failure(call, email, confirmation.source, ports)
        raise WrongPasswordError
    ports.sign_in_attempts.uncount(counted)
