"""Single sign-on: the session of a browser at which a person has signed in, so that a web app need not ask again.

The browser holds a cookie; its hash is stored. Each sign-in by password gives another cookie. A session lasts for
12 hours without use, or for 30 days if the person asked to be kept signed in. It ends by signing out, and with all
sessions of the user: when the password changes or the account is deleted. Source: auth-api 6.
"""

from dataclasses import replace

from chalicelib.access.call import Call, Session, token_hash
from chalicelib.accounts.account import Account
from chalicelib.frozen import frozen
from chalicelib.sign_in.authorization_request import AuthorizationRequest
from chalicelib.sign_in.ports import SignInPorts, SsoOpening, SsoSession

IDLE_LIFETIME_S = 12 * 3600
KEPT_LIFETIME_S = 30 * 24 * 3600


@frozen
class SignedInBrowser:
    """The session of a browser, and the account of the person who is signed in there."""

    session: SsoSession
    account: Account


def signed_in_browser(call: Call, cookie: str, ports: SignInPorts) -> SignedInBrowser | None:
    """The account that is signed in at the browser with this cookie; None for nobody."""
    session = ports.sso_sessions.find(token_hash(cookie)) if cookie else None
    if session is None or session.expires_time_ms <= call.now_ms:
        return None
    account = ports.accounts.accounts.find(session.user_id)
    is_valid = account is not None and account.password_version == session.password_version and account.may_sign_in
    return SignedInBrowser(session, account) if account is not None and is_valid else None


def opening_of(
    call: Call, account: Account, cookie: str, *, is_kept: bool, before: SignedInBrowser | None
) -> SsoOpening:
    """The session of a person who has just entered the password, to be known by a new cookie.

    It goes on with the session that the same person had at this browser before.
    """
    is_same = before is not None and before.account.user_id == account.user_id
    replaced = before.session if before is not None and is_same else None
    session = SsoSession(
        session_id=token_hash(cookie) if replaced is None else replaced.session_id,
        cookie_hash=token_hash(cookie),
        user_id=account.user_id,
        password_version=account.password_version,
        signed_in_s=call.now_ms // 1000,
        is_kept=is_kept,
        expires_time_ms=call.now_ms + lifetime_s(is_kept) * 1000,
    )
    return SsoOpening(session, replaced)


def lifetime_s(is_kept: bool) -> int:
    """The time without use after which a session ends."""
    return KEPT_LIFETIME_S if is_kept else IDLE_LIFETIME_S


def used(call: Call, session: SsoSession) -> SsoSession:
    """A session after it was used."""
    return replace(session, expires_time_ms=call.now_ms + lifetime_s(session.is_kept) * 1000)


def suffices(
    call: Call, browser: SignedInBrowser | None, request: AuthorizationRequest, hinted_user_id: str | None
) -> bool:
    """Whether a person who is signed in need not enter the password for this request.

    `hinted_user_id` is the user whom the app expects, by an ID token.
    """
    if browser is None or "login" in request.prompt:
        return False
    if hinted_user_id not in (None, browser.account.user_id):
        return False
    age_s = call.now_ms // 1000 - browser.session.signed_in_s
    return request.max_age_s is None or age_s <= request.max_age_s


def opened_in(session: SsoSession, login_id: str, ports: SignInPorts) -> bool:
    """Whether a login was opened in a session, by its id."""
    return login_id in ports.sso_sessions.logins(session)


def end_sso_session(session: SsoSession, ports: SignInPorts) -> None:
    """End a session and the logins to web apps that were opened in it. Logins of apps go on.

    Web logins are ended before and after the session, so that none is left that a request at the same time opened, and
    so that a sign-out which failed half-way can be repeated.
    """
    _end_web_logins(session, ports)
    ports.sso_sessions.remove(session)
    _end_web_logins(session, ports)
    ports.accounts.sessions.end_login(_any_session(session, session.session_id))


def _end_web_logins(session: SsoSession, ports: SignInPorts) -> None:
    for login_id, ends_with_session in ports.sso_sessions.logins(session).items():
        if ends_with_session:
            ports.accounts.sessions.end_login(_any_session(session, login_id))


def _any_session(session: SsoSession, login_id: str) -> Session:
    return Session(login_id, session.user_id, False, 0, 0, login_id)
