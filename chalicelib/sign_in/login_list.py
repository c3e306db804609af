"""The logins of a user, so that people see where they are signed in, and end what they do not know.

Source: auth-api 8.
"""

import re
from collections import defaultdict
from typing import Any

from chalicelib.access.call import Call, RestrictedToken, Session
from chalicelib.errors import UnauthorizedError
from chalicelib.model.times import format_time
from chalicelib.sign_in.ports import OidcLogin, SignInPorts

LOGIN_ID = re.compile("[0-9a-f]{64}")
PASSWORD, OPENID = "password", "openid"


def list_logins(call: Call, user_id: str, ports: SignInPorts) -> list[dict[str, Any]]:
    """The logins of a user that have not ended, last used first.

    Raises:
        UnauthorizedError: the caller is not this user, or sent a restricted token.
    """
    _require_signed_in(call, user_id)
    sessions: dict[str, list[Session]] = defaultdict(list)
    for session in ports.accounts.sessions.of_user(user_id):
        if session.expires_time_ms > call.now_ms:
            sessions[session.login.login_id].append(session)
    openid = {login.login_id: login for login in ports.logins.of_user(user_id) if login.expires_time_ms > call.now_ms}
    credential = call.caller.credential
    current_id = credential.login.login_id if isinstance(credential, Session) else None
    logins = [
        _login_object(login_id, openid.get(login_id), sessions[login_id], is_current=login_id == current_id)
        for login_id in {**sessions, **openid}
    ]
    return sorted(logins, key=lambda login: (login["lastUsedTime"], login["id"]), reverse=True)


def end_login_of_user(call: Call, user_id: str, login_id: str, ports: SignInPorts) -> None:
    """End a login of a user with all of its tokens. One that has ended already is not an error.

    Raises:
        UnauthorizedError: the caller is not this user, or sent a restricted token.
    """
    _require_signed_in(call, user_id)
    if LOGIN_ID.fullmatch(login_id):
        ports.accounts.sessions.end_login(Session(login_id, user_id, False, 0, 0, login_id))


def _require_signed_in(call: Call, user_id: str) -> None:
    """Raise unless the caller has a login of the user: a link with a restricted token has none.

    Raises:
        UnauthorizedError: the caller has none.
    """
    call.require(user_id)
    if isinstance(call.caller.credential, RestrictedToken):
        raise UnauthorizedError


def _login_object(
    login_id: str, openid: OidcLogin | None, sessions: list[Session], *, is_current: bool
) -> dict[str, Any]:
    """A login as clients read it. A refresh is what is known of its use."""
    times_ms = [session.created_time_ms for session in sessions]
    if openid is not None:
        times_ms += [openid.signed_in_s * 1000, *([openid.rotated_time_ms] if openid.rotated_time_ms else [])]
    return {
        "id": login_id,
        **({} if openid is None else {"client": openid.client_id}),
        "createdTime": _time(min(times_ms)),
        "lastUsedTime": _time(max(times_ms)),
        "kind": PASSWORD if openid is None else OPENID,
        "isCurrent": is_current,
    }


def _time(time_ms: int) -> str:
    """A time in whole seconds, which is as exact as all of these are."""
    return format_time(time_ms // 1000 * 1000)
