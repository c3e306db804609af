"""Sends an ordered mail, in a worker. Source: confirm 5."""

from chalicelib.access.call import Call
from chalicelib.accounts.account import Account
from chalicelib.accounts.mail_limit import may_be_mailed
from chalicelib.accounts.proof import AddressProof
from chalicelib.accounts.roles import BROKERED
from chalicelib.confirmations.mailed_key import mailed_key, new_key
from chalicelib.confirmations.password_reset import reset_link
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.mail.message import MailKind, MailOrder, MailText
from chalicelib.mail.texts import password_reset_mail, sign_up_mail


def send_ordered_mail(call: Call, order: MailOrder, ports: ConfirmationPorts) -> bool:
    """Send the mail of an order, and return whether there was one to send: an account gets mail only if it has use for
    it, and a limited number in a day.

    Raises:
        UnavailableError: the mail server or a store does not answer; the order comes again.
    """
    account = ports.accounts.accounts.find_by_email(order.email)
    if account is None or not ports.terms.is_on or not _has_use(order.kind, account):
        return False
    if not may_be_mailed(call, order.email, ports.accounts):
        return False
    ports.mailer.send(order.email, _mail(call, order.kind, account, ports))
    return True


def _has_use(kind: MailKind, account: Account) -> bool:
    if BROKERED in account.roles:
        return False
    if kind is MailKind.PASSWORD_RESET:
        return account.password_hash is not None and not account.is_custodial
    return account.is_custodial or not account.email_proven


def _mail(call: Call, kind: MailKind, account: Account, ports: ConfirmationPorts) -> MailText:
    if kind is MailKind.PASSWORD_RESET:
        return password_reset_mail(reset_link(account, call.now_ms, ports))
    key = new_key(ports.new_token())
    proof = AddressProof(account.user_id, account.email or "")
    ports.mailed_keys.add(mailed_key(key, kind, proof, call.now_ms))
    return sign_up_mail(f"{ports.terms.pages_url}/verify-email?key={key}")
