"""Finds the credential that a request to the Nightscout API carries, limits guessing, and issues JWTs.

A JWT names its credential, and the key that signs it is the hash of that credential: revoking the credential ends its
JWTs, and there is no further secret. Source: nightscout-api 2, 15 and 17.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import orjson

from chalicelib.access.call import Call
from chalicelib.access.nightscout_credential import NightscoutCredential, Scope, credential_hash
from chalicelib.access.policy import VIEW
from chalicelib.accounts.password_sign_in import SignInSource, count_attempt
from chalicelib.accounts.ports import AccountPorts, AttemptCounter
from chalicelib.durations import DAY_MS
from chalicelib.errors import UnauthenticatedError
from chalicelib.frozen import frozen
from chalicelib.nightscout.sent_credential import SentCredential, credential_of_text, is_digest

JWT_LIFETIME_S = 8 * 3600
USED_EVERY_MS = DAY_MS
"""The time for which a use is not noted again: a poll each minute must not be a write each minute."""
FAILURES_WINDOW_S = 15 * 60
MAX_FAILURES_PER_ADDRESS = 100
"""Wrong credentials from one network address in a window. An app with a revoked credential asks up to 90 times."""
MAX_FAILURES_PER_HASH = 100
"""Wrong credentials in a window whose hashes begin alike, from all addresses together."""
HASH_PREFIX_LENGTH = 4
PERMISSIONS = {
    Scope.READ: ("*:*:read",),
    # The last one is among the others; LoopFollow looks for it by name.
    Scope.UPLOAD: ("api:*:read", "api:*:create", "api:*:update", "api:*:delete", "api:treatments:create"),
}

_HEADER = {"alg": "HS256", "typ": "JWT"}


@frozen
class Authorization:
    """A JWT, and what it is good for."""

    jwt: str
    credential: NightscoutCredential
    issued_at_s: int

    @property
    def body(self) -> dict[str, Any]:
        """The authorization as clients read it. The permissions of the default role come last and are empty."""
        return {
            "token": self.jwt,
            "sub": self.credential.name,
            "permissionGroups": [[*PERMISSIONS[self.credential.scope]], []],
            "iat": self.issued_at_s,
            "exp": self.issued_at_s + JWT_LIFETIME_S,
        }


def find_credential(
    call: Call, sent: Sequence[SentCredential], source_ip: str, ports: AccountPorts
) -> NightscoutCredential | None:
    """The credential that the first valid one of those sent stands for; None if none was sent, or none is valid.

    A wrong one is counted. A right one is never refused because of others' guesses: it has 128 random bits, so the
    limit protects the store and not the credential.

    Raises:
        TooManyAttemptsError: all are wrong, and so were too many before.
    """
    for sent_credential in sent:
        credential = _stored(call, sent_credential, ports)
        if credential is not None:
            if call.now_ms - (credential.last_used_time_ms or 0) >= USED_EVERY_MS:
                ports.nightscout_credentials.set_used(credential, call.now_ms)
            return credential
    if sent:
        digest = credential_hash(sent[0].digest or sent[0].jwt)
        counters = (
            _counter("nightscout-address", SignInSource(source_ip).network, MAX_FAILURES_PER_ADDRESS, call.now_ms),
            _counter("nightscout-hash", digest[:HASH_PREFIX_LENGTH], MAX_FAILURES_PER_HASH, call.now_ms),
        )
        count_attempt(ports.sign_in_attempts, counters, call.now_ms)
    return None


def authorize_token(call: Call, token: str, source_ip: str, ports: AccountPorts) -> Authorization:
    """A JWT for a token, or for another JWT. The digest of a token is refused here, as Nightscout refuses that of its
    secret.

    Raises:
        UnauthenticatedError: the token is wrong.
        TooManyAttemptsError: so were too many before.
    """
    sent = SentCredential() if is_digest(token) else credential_of_text(token)
    credential = find_credential(call, (sent,), source_ip, ports)
    if credential is None:
        raise UnauthenticatedError
    return authorize(call, credential)


def verification(credential: NightscoutCredential | None, *, is_sent: bool) -> dict[str, Any]:
    """The rights of a credential in the words of `verifyauth`; None with `is_sent` is a wrong one.

    Source: nightscout-api 8.
    """
    may_write = credential is not None and credential.scope is Scope.UPLOAD
    message = {
        "canRead": credential is not None,
        "canWrite": may_write,
        "isAdmin": False,
        "message": "UNAUTHORIZED" if credential is None else "OK",
        "rolefound": "NOTFOUND" if credential is None else "FOUND",
        "permissions": "ROLE" if is_sent else "DEFAULT",
    }
    return {"status": 200, "message": message}


def authorize(call: Call, credential: NightscoutCredential) -> Authorization:
    """A JWT of a credential, valid for `JWT_LIFETIME_S`."""
    now_s = call.now_ms // 1000
    claims = {
        "userId": credential.user_id,
        "credentialId": credential.id,
        "iat": now_s,
        "exp": now_s + JWT_LIFETIME_S,
    }
    signed = f"{_encoded(_HEADER)}.{_encoded(claims)}"
    return Authorization(f"{signed}.{_signature(signed, credential)}", credential, now_s)


def _stored(call: Call, sent: SentCredential, ports: AccountPorts) -> NightscoutCredential | None:
    credential = None
    if sent.jwt:
        credential = _of_jwt(sent.jwt, call.now_ms, ports)
    elif sent.digest:
        credential = ports.nightscout_credentials.find(credential_hash(sent.digest))
    if credential is None or credential.made_by == credential.user_id:
        return credential
    if VIEW in ports.grants.permissions(credential.user_id, credential.made_by):
        return credential
    ports.nightscout_credentials.delete(credential)  # so that a later grant does not bring it back
    return None


def _of_jwt(jwt: str, now_ms: int, ports: AccountPorts) -> NightscoutCredential | None:
    signed, _, signature = jwt.rpartition(".")
    header, _, payload = signed.partition(".")
    claims = _decoded(payload)
    if _decoded(header) != _HEADER or not isinstance(claims, dict):
        return None
    user_id, credential_id, end_s = (claims.get(name) for name in ("userId", "credentialId", "exp"))
    if not isinstance(user_id, str) or not isinstance(credential_id, str) or not isinstance(end_s, int):
        return None
    if end_s * 1000 <= now_ms:
        return None
    credential = ports.nightscout_credentials.find_of_user(user_id, credential_id)
    if credential is None or not hmac.compare_digest(_signature(signed, credential), signature):
        return None
    return credential


def _signature(signed: str, credential: NightscoutCredential) -> str:
    return _base64(hmac.digest(credential.credential_hash.encode(), signed.encode(), hashlib.sha256))


def _encoded(value: Any) -> str:
    return _base64(orjson.dumps(value))


def _decoded(text: str) -> Any:
    try:
        return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return None


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _counter(kind: str, name: str, max_failures: int, now_ms: int) -> AttemptCounter:
    starts_s = now_ms // 1000 // FAILURES_WINDOW_S * FAILURES_WINDOW_S
    hashed = hashlib.sha256(name.encode()).hexdigest()
    return AttemptCounter(f"{kind}:{hashed}", starts_s, starts_s + FAILURES_WINDOW_S, max_failures)
