"""Signing in and out, and reading sessions. Source: auth-api 1 to 3."""

import base64
import binascii
from dataclasses import replace

from chalicelib.accounts.account import Account, private_pair, user_object
from chalicelib.accounts.password_sign_in import BasicCredentials, SignIn, SignInSource, sign_in
from chalicelib.accounts.session import (
    Login,
    end_sessions,
    open_session,
    refresh_session,
    require_server_secret,
    sign_out,
    token_data,
    valid_session,
)
from chalicelib.api.errors.auth import MISSING_CREDENTIALS
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.accounts import (
    CHECK_TOKEN,
    DELETE_SESSIONS,
    GET_AUTH_STATUS,
    GET_PRIVATE_PAIR,
    GET_TOKEN,
    LOGIN,
    LOGOUT,
    REFRESH,
    SERVER_LOGIN,
)
from chalicelib.api.operations.logins import DELETE_LOGIN, LIST_LOGINS
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import InvalidRequestError
from chalicelib.sign_in.login_list import end_login_of_user, list_logins

TOKEN_HEADER = "x-tidepool-session-token"  # noqa: S105  the header's name
FAILED_SIGN_INS_HEADER = "X-Strandline-Failed-Sign-Ins"
"""The number of sign-ins with a wrong password that came from elsewhere since the last sign-in."""
MAX_SERVER_NAME_LENGTH = 100

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LOGIN)
def login(request: Request) -> Reply:
    """The user, and a token for them. A long-term key in the path has no effect, as in the reference."""
    credentials, source = basic_credentials(request.headers.get("authorization")), SignInSource(request.source_ip)
    return _signed_in_again(request, sign_in(request.call, credentials, source, request.services.accounts))


@blueprint.operation(REFRESH)
def refresh(request: Request) -> Reply:
    """Another token of the same login, and its session."""
    request.call.require(request.caller.user_id)
    token = request.services.new_token()
    session = refresh_session(request.call, request.headers[TOKEN_HEADER], token, request.services.accounts)
    return Reply(token_data(session), headers={TOKEN_HEADER: token})


@blueprint.operation(LOGOUT)
def logout(request: Request) -> Reply:
    """An empty body, whatever was sent; an error if the store does not answer. Source: auth-api 2, route 4."""
    sign_out(request.headers.get(TOKEN_HEADER, ""), request.services.accounts)
    return Reply()


@blueprint.operation(SERVER_LOGIN)
def server_login(request: Request) -> Reply:
    """A token for a server that knows the secret."""
    login, token = _server_login(request), request.services.new_token()
    open_session(request.call, login, token, request.services.accounts)
    return Reply(headers={TOKEN_HEADER: token})


def _server_login(request: Request) -> Login:
    name = request.headers.get("x-tidepool-server-name", "")
    secret = request.headers.get("x-tidepool-server-secret", "")
    if not name or not secret or len(name) > MAX_SERVER_NAME_LENGTH:
        raise InvalidRequestError(MISSING_CREDENTIALS)
    require_server_secret(secret, request.services.server_secret())
    return Login(name, is_server=True, lifetime_s=request.services.settings.server_session_lifetime_s)


@blueprint.operation(GET_TOKEN)
def get_token(request: Request) -> Reply:
    """The session of the caller."""
    request.call.require(request.caller.user_id)
    sessions, token = request.services.accounts.sessions, request.headers[TOKEN_HEADER]
    return Reply(token_data(valid_session(token, sessions, request.now_ms)))


@blueprint.operation(CHECK_TOKEN)
def check_token(request: Request) -> Reply:
    """The session of the token in the path, for servers."""
    request.call.require()
    return Reply(token_data(valid_session(request.path["token"], request.services.accounts.sessions, request.now_ms)))


@blueprint.operation(DELETE_SESSIONS)
def delete_sessions(request: Request) -> Reply:
    """An empty body. No session token of the user is valid any more."""
    end_sessions(request.call, request.path["userId"], request.services.accounts)
    return Reply()


@blueprint.operation(GET_PRIVATE_PAIR)
def get_private_pair(request: Request) -> Reply:
    """A fresh random id and hash."""
    return Reply(private_pair(request.call.new_id))


@blueprint.operation(GET_AUTH_STATUS)
def get_status(_request: Request) -> Reply:
    """`OK`, as text. Source: errors 7."""
    return Reply(b"OK", headers={"Content-Type": "text/plain; charset=utf-8"})


def _signed_in_again(request: Request, made: SignIn) -> Reply:
    """As `signed_in`, with the number of sign-ins that failed elsewhere in a header, if there are any."""
    reply = signed_in(request, made.account)
    if not made.failures_elsewhere:
        return reply
    return replace(reply, headers={**reply.headers, FAILED_SIGN_INS_HEADER: str(made.failures_elsewhere)})


@blueprint.operation(LIST_LOGINS)
def get_logins(request: Request) -> Reply:
    """The logins of the user. Source: auth-api 8."""
    return Reply(list_logins(request.call, request.path["userId"], request.services.sign_in))


@blueprint.operation(DELETE_LOGIN)
def delete_login(request: Request) -> Reply:
    """An empty body. Source: auth-api 8."""
    end_login_of_user(request.call, request.path["userId"], request.path["loginId"], request.services.sign_in)
    return Reply()


def signed_in(request: Request, account: Account) -> Reply:
    """The user, with a new token in the header."""
    services = request.services
    token = services.new_token()
    lifetime_s = services.settings.session_lifetime_s
    login = Login(account.user_id, is_server=False, lifetime_s=lifetime_s, password_version=account.password_version)
    open_session(request.call, login, token, services.accounts)
    return Reply(user_object(account, to_server=False), headers={TOKEN_HEADER: token})


def basic_credentials(authorization: str | None) -> BasicCredentials:
    """User name and password of an `Authorization` header of any scheme; a password may hold colons.

    Raises:
        InvalidRequestError: the header holds none that can be read.

    Source: auth-api 2, route 1.
    """
    _, _, encoded = (authorization or "").partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    username, colon, password = decoded.partition(":")
    if not colon or not (username or password):
        raise InvalidRequestError(MISSING_CREDENTIALS)
    return BasicCredentials(username, password)
