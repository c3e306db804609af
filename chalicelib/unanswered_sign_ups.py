"""Deletes the accounts of sign-ups that nobody answered. Source: confirm 4."""

from typing import Protocol

from chalicelib.accounts.account import Account
from chalicelib.accounts.manage import MAX_ATTEMPTS
from chalicelib.accounts.ports import UnansweredSignUp
from chalicelib.accounts.session import end_credentials
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.conflicts import retry_on_conflict
from chalicelib.tasks.types import Rerun, TaskRun

MAX_SIGN_UPS = 500
"""Sign-ups that one run looks at, with about ten calls each; the next run follows at once."""


class SignUpServices(Protocol):
    """The services that know of sign-ups."""

    @property
    def confirmations(self) -> ConfirmationPorts: ...


def delete_unanswered(run: TaskRun, services: SignUpServices) -> Rerun | None:
    """The task: delete the accounts to which nobody can sign in, since no address of theirs was verified in time;
    `data.deleted` counts them.

    A confirmation that was asked for later, and is still open, postpones the deletion to its end. The job
    `strandline.accounts.erase` erases what such an account stored with the token of its sign-up.
    """
    run.data["deleted"] = 0
    due = services.confirmations.accounts.unanswered_sign_ups.due(run.now_ms(), MAX_SIGN_UPS)
    for sign_up in due:
        run.check_time()
        run.data["deleted"] += _settle(sign_up, run.now_ms(), services.confirmations)
    return Rerun(0) if len(due) == MAX_SIGN_UPS else None


def _settle(sign_up: UnansweredSignUp, now_ms: int, ports: ConfirmationPorts) -> bool:
    """Delete the account of a sign-up that is due, or postpone that; whether it was deleted.

    The deletion leaves a receipt, by which the job that erases also ends the credentials if this stops half-way.
    """
    accounts = ports.accounts
    requested = ports.sign_ups.find(sign_up.user_id)
    if requested is not None and requested.is_open(now_ms):
        accounts.unanswered_sign_ups.postpone(sign_up, requested.expires_time_ms)
        return False

    def attempt() -> bool:
        account = accounts.accounts.find(sign_up.user_id)
        if account is None or not _is_unanswered(account):
            return False
        accounts.accounts.delete(account, now_ms)  # on condition that its address was not verified in the meantime
        return True

    is_deleted = retry_on_conflict(attempt, MAX_ATTEMPTS)
    if is_deleted:
        end_credentials(sign_up.user_id, None, accounts)
    accounts.unanswered_sign_ups.remove(sign_up)
    return is_deleted


def _is_unanswered(account: Account) -> bool:
    """Whether nobody can sign in to the account, nor manages it for another person."""
    return not (account.may_sign_in or account.email_proven or account.is_custodial)
