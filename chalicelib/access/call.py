"""Calls: who asks, under which policy, and when.

A caller is nobody, a user, or a server. The permissions that a user granted decide what another user may do with their
account. A permission implies no other one; the owner has all of them except `custodian`.

Source: data-api 2, errors 5, access-api A2 and A4.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from chalicelib.access.nightscout_credential import NightscoutCredential
from chalicelib.access.policy import ROOT, SERVERS, UPLOAD, VIEW, Policy
from chalicelib.errors import MalformedCredentialError, UnauthenticatedError, UnauthorizedError
from chalicelib.frozen import frozen


@frozen
class Caller:
    """The sender of a request; `user_id` is None for nobody, and for a server without an account."""

    user_id: str | None = None
    is_server: bool = False
    credential: "Session | RestrictedToken | None" = field(default=None, compare=False, repr=False)
    """The session or restricted token that identified the caller; None for the service secret. A restricted token that
    the caller creates depends on it: it opens no more, lasts no longer, and ends with it."""
    nightscout_credential: NightscoutCredential | None = field(default=None, compare=False, repr=False)
    """The credential of a device that speaks the Nightscout API. Within its scope it stands for `user_id`."""

    @property
    def is_nobody(self) -> bool:
        """Whether no credential was valid."""
        return self.user_id is None and not self.is_server


NOBODY = Caller()
SERVICE = Caller(is_server=True)


@frozen
class LoginReference:
    """A login, by the user (or the server, by its name) who signed in and the hash of the login's first token or
    code."""

    user_id: str
    login_id: str


@frozen
class Session:
    """The session of a token, valid until `expires_time_ms` or until it is revoked."""

    token_hash: str
    user_id: str
    is_server: bool
    created_time_ms: int
    expires_time_ms: int
    login_id: str = ""
    """The token hash of the login that this token was refreshed from, so that signing out ends all tokens of a login;
    empty for the first token of a login."""

    @property
    def login(self) -> LoginReference:
        """The login that the session belongs to."""
        return LoginReference(self.user_id, self.login_id or self.token_hash)


@frozen
class RestrictedToken:
    """A short-lived substitute for a session where no header can be set, as in links for exports.

    With `paths` it is valid for these paths and those below them only. Source: auth-api 7.
    """

    id: str
    user_id: str
    paths: tuple[str, ...] | None
    expiration_time_ms: int
    created_time_ms: int
    modified_time_ms: int | None = None
    login: LoginReference | None = None
    """The login in which the token was made, and with which it ends; None for a token of the service secret."""
    parent_id: str = ""
    """The restricted token that this one was made with, and with which it ends; empty for none."""

    def opens(self, path: str, now_ms: int) -> bool:
        """Whether the token is valid for a request to this path, at this time."""
        return now_ms < self.expiration_time_ms and self.covers(path)

    def covers(self, path: str) -> bool:
        """Whether the token is made for this path and all paths below it."""
        return self.paths is None or any(path == root or path.startswith(root.rstrip("/") + "/") for root in self.paths)


@frozen
class Credentials:
    """The credentials in a request; None for those that were not sent.

    `path` is the path of the request. `malformed` says that a credential was sent twice, or cannot be read.
    """

    service_secret: str | None = None
    bearer_token: str | None = None
    session_token: str | None = None
    restricted_token: str | None = None
    path: str = ""
    malformed: bool = False


class SessionReader(Protocol):
    """Finds the session of a token by its hash, strongly consistent, so that a revoked token is refused at once."""

    def find(self, token_hash: str) -> Session | None:
        """The session, which may have expired; None if there is none."""
        ...


class RestrictedTokenReader(Protocol):
    """Finds a restricted token by its id."""

    def find(self, token_id: str) -> RestrictedToken | None:
        """The token, which may have expired; None if there is none."""
        ...


class GrantReader(Protocol):
    """Finds the permissions that one user granted to another."""

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:
        """The names of the permissions for all data; empty if there are none."""
        ...

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:
        """The start of the data that a `view` of the last hours shows, in milliseconds since the epoch; None if there
        is no such permission."""
        ...


def token_hash(token: str) -> str:
    """The hash that is stored in place of a token: 64 hexadecimal digits. Tokens are long and random, so no salt is
    needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def authenticate(
    credentials: Credentials,
    sessions: SessionReader,
    service_secret: Callable[[], str],
    now_ms: int,
    restricted_tokens: RestrictedTokenReader | None = None,
) -> Caller:
    """The caller that the first valid credential names; NOBODY if none is valid.

    The order is service secret, bearer token, session token, restricted token. A server's token identifies a server
    only when it is sent as session token.

    Raises:
        MalformedCredentialError: a credential was sent twice or cannot be read, or the service secret is wrong.

    Source: errors 5.
    """
    if credentials.malformed:
        raise MalformedCredentialError
    if credentials.service_secret is not None:
        if hmac.compare_digest(credentials.service_secret.encode(), service_secret().encode()):
            return SERVICE
        raise MalformedCredentialError
    if credentials.bearer_token:
        session = _valid_session(credentials.bearer_token, sessions, now_ms)
        if session is not None:
            return Caller(user_id=session.user_id, credential=session)
    if credentials.session_token:
        session = _valid_session(credentials.session_token, sessions, now_ms)
        if session is not None:
            return Caller(user_id=session.user_id, is_server=session.is_server, credential=session)
    if credentials.restricted_token and restricted_tokens is not None:
        token = restricted_tokens.find(credentials.restricted_token)
        if token is not None and token.opens(credentials.path, now_ms):
            return Caller(user_id=token.user_id, credential=token)
    return NOBODY


def _valid_session(token: str, sessions: SessionReader, now_ms: int) -> Session | None:
    session = sessions.find(token_hash(token))
    return session if session is not None and session.expires_time_ms > now_ms else None


@frozen
class Call:
    """A request to a rule: its caller, the policy that it is under, and its time.

    A request is one call, with the policy of its operation in the operation table.
    """

    caller: Caller
    policy: Policy
    grants: GrantReader
    now_ms: int
    """Time at which the call began, in milliseconds since the epoch: one call has one time."""
    new_id: Callable[[], str]
    """Makes an id that no other call makes: 32 lower-case hexadecimal digits."""

    def require(self, owner_id: str | None = None) -> None:
        """Raise unless the policy lets the caller act on what belongs to `owner_id`; None for what belongs to no user.

        Grants are read only when neither ownership nor being a server decides.

        Raises:
            UnauthenticatedError: the caller is nobody and the policy does not admit anyone.
            UnauthorizedError: the caller is known and may not.
        """
        caller, policy = self.caller, self.policy
        if policy.anyone:
            return
        if caller.is_nobody:
            raise UnauthenticatedError
        if caller.is_server:
            is_allowed = policy.server
        elif caller.nightscout_credential is not None:
            is_allowed = caller.user_id == owner_id and caller.nightscout_credential.scope in policy.nightscout
        elif caller.user_id == owner_id:
            is_allowed = policy.owner
        else:
            is_allowed = owner_id is not None and self._is_granted(owner_id)
        if not is_allowed:
            raise UnauthorizedError

    def require_view(self, owner_id: str) -> int | None:
        """Raise unless the caller may read the owner's data, and return from when: None for all of it, else the start
        of what a `view` of the last hours shows, in milliseconds since the epoch.

        Raises:
            UnauthenticatedError, UnauthorizedError: as `require`.
        """
        try:
            self.require(owner_id)
        except UnauthorizedError:
            if self.caller.is_server or self.caller.user_id is None or VIEW not in self.policy.permissions:
                raise
            from_ms = self.grants.view_from_ms(owner_id, self.caller.user_id)
            if from_ms is None:
                raise
            return from_ms
        return None

    def _is_granted(self, owner_id: str) -> bool:
        wanted = self.policy.permissions
        if not wanted or self.caller.user_id is None:
            return False
        granted = self.grants.permissions(owner_id, self.caller.user_id)
        # Root counts as view and upload wherever another service stored it (access-api A2).
        return bool(granted & wanted) or (ROOT in granted and bool(wanted & {VIEW, UPLOAD}))


def platform_call(now_ms: int, new_id: Callable[[], str]) -> Call:
    """A call of the platform itself: of an event, a task or a tool, which acts as a server."""
    return Call(SERVICE, SERVERS, _NoGrants(), now_ms, new_id)


class _NoGrants:
    """Grants that nobody gave. A server needs none."""

    def permissions(self, sharer_id: str, grantee_id: str) -> frozenset[str]:  # noqa: ARG002  the protocol's signature
        """Always empty."""
        return frozenset()

    def view_from_ms(self, sharer_id: str, grantee_id: str) -> int | None:  # noqa: ARG002  the protocol's signature
        """Always None."""
        return None
