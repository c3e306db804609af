"""Resets forgotten passwords, by a link in a mail or from the owner of the stage. Source: confirm 5."""

from chalicelib.access.call import Call, token_hash
from chalicelib.accounts.account import Account
from chalicelib.accounts.bodies import is_password
from chalicelib.accounts.password_sign_in import SignInSource, attempt_counter, count_attempt
from chalicelib.accounts.proof import AddressProof, account_of, account_with_password, prove_address
from chalicelib.confirmations.mailed_key import MailedKey, mailed_key, new_key
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.errors import ConfirmationNotFoundError, InvalidFieldsError
from chalicelib.mail.message import MailKind, MailOrder
from chalicelib.model.errors import VALUE_NOT_EXISTS, Fault

MAX_ASKED_BY_ADDRESS = 50
"""Mails that one network address may ask for in a quarter of an hour: a clinic or a school may share an address."""
MAX_ASKED_FOR = 5
"""Mails of one kind that may be asked for by anybody, for one e-mail address, in an hour."""
HOUR_S = 3600
INVALID_PASSWORD = Fault(
    "value-not-valid", "value is not valid", "a password has 8 to 72 characters, none of them white space"
)


def order_mail(call: Call, kind: MailKind, email: str, source: SignInSource, ports: ConfirmationPorts) -> None:
    """Order a mail that anybody may ask for: the same steps for every address, known or not. More than `MAX_ASKED_FOR`
    are not sent, without a word. Without mail, nothing happens.

    Raises:
        TooManyAttemptsError: too many asked for by this network address.
    """
    attempts = ports.accounts.sign_in_attempts
    by_address = attempt_counter("mail_by_address", source.network, MAX_ASKED_BY_ADDRESS, call.now_ms)
    count_attempt(attempts, [by_address], call.now_ms)
    asked = attempt_counter(f"mail_{kind.value}", email.lower(), MAX_ASKED_FOR, call.now_ms, HOUR_S)
    if ports.terms.is_on and attempts.count([asked]) is None:
        ports.orders.send(MailOrder(kind, email.lower()))


def reset_link(account: Account, now_ms: int, ports: ConfirmationPorts) -> str:
    """A new link to a page where the holder of an account chooses a password; it works once.

    Only for mail to the address of the account, and for the owner of the stage.
    """
    key = new_key(ports.new_token())
    proof = AddressProof(account.user_id, account.email or "", account.password_version)
    ports.mailed_keys.add(mailed_key(key, MailKind.PASSWORD_RESET, proof, now_ms))
    return f"{ports.terms.pages_url}/new-password?key={key}"


def require_reset_key(call: Call, key: str, ports: ConfirmationPorts, password: str = "") -> MailedKey:
    """The stored form of a key that resets a password.

    Args:
        password: one that the key may have set already, by a request that got no answer.

    Raises:
        ConfirmationNotFoundError: the key is forged, used or expired, or the account has changed since.
    """
    found = ports.mailed_keys.find(token_hash(key))
    if found is None or found.kind is not MailKind.PASSWORD_RESET or call.now_ms >= found.expires_time_ms:
        raise ConfirmationNotFoundError
    if not password or account_with_password(found.proof, password, ports.accounts) is None:
        account_of(found.proof, ports.accounts)
    return found


def reset_password(call: Call, key: str, email: str | None, password: str, ports: ConfirmationPorts) -> Account:
    """Set the password of the account that a key was mailed for, and end all of its sessions, logins and tokens. Its
    address counts as proven. The same request may be sent again if a store did not answer.

    Args:
        email: what the person enters as the address of the account, if they are asked.

    Raises:
        ConfirmationNotFoundError: the key is forged, used or expired, or of another address.
        InvalidFieldsError: the password breaks a rule; the key still works.
    """
    found = require_reset_key(call, key, ports, password)
    if email is not None and email.lower() != found.proof.email:
        raise ConfirmationNotFoundError
    if not password:
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at("/password"),))
    if not is_password(password):
        raise InvalidFieldsError((INVALID_PASSWORD.at("/password"),))
    account = prove_address(found.proof, password, ports.accounts)
    ports.mailed_keys.remove(found.key_hash)
    return account
