"""Users: signing up, reading, changing and deleting them. Source: auth-api 4 and 5."""

from chalicelib.access.call import require
from chalicelib.accounts.account import user_id_of, user_object
from chalicelib.accounts.bodies import custodial_email, new_user, user_updates
from chalicelib.accounts.delete import Confirmation, delete_user
from chalicelib.accounts.list import list_users, users_query
from chalicelib.accounts.manage import create_custodial_user, create_user, read_user, update_user
from chalicelib.accounts.sign_up import require_sign_up
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.accounts import (
    CREATE_CLINIC_USER,
    CREATE_CUSTODIAL_USER,
    CREATE_USER,
    DELETE_USER,
    GET_USER,
    LIST_USERS,
    UPDATE_USER,
)
from chalicelib.api.routes.sessions import TOKEN_HEADER, signed_in
from chalicelib.api.routing import ApiBlueprint
from chalicelib.erasure import erase_at_once
from chalicelib.errors import MalformedJsonError

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_USER)
def create(request: Request) -> Reply:
    """The new user, and a token for them."""
    services = request.services
    body = request.json()
    require_sign_up(
        services.settings.sign_up,
        body,
        request.source_ip,
        invitation_code=services.invitation_code,
        attempts=services.accounts.sign_in_attempts,
        now_ms=request.now_ms,
    )
    account = create_user(
        new_user(body),
        user_id=user_id_of(services.new_id()),
        email_verified=not services.settings.verifies_emails,
        now_ms=request.now_ms,
        accounts=services.accounts.accounts,
        passwords=services.accounts.passwords,
    )
    return signed_in(request, account)


@blueprint.operation(GET_USER)
def get(request: Request) -> Reply:
    """A user, by id or e-mail address; without either, the caller."""
    services = request.services
    account = read_user(
        request.caller, _user_id(request), GET_USER.policy, services.accounts.accounts, services.accounts.grants
    )
    return Reply(user_object(account, to_server=request.caller.is_server))


@blueprint.operation(UPDATE_USER)
def update(request: Request) -> Reply:
    """The user after the change."""
    services = request.services
    account = update_user(
        request.caller,
        _user_id(request),
        user_updates(request.json()),
        UPDATE_USER.policy,
        accounts=services.accounts.accounts,
        grants=services.accounts.grants,
        passwords=services.accounts.passwords,
        sessions=services.accounts.sessions,
        restricted_tokens=services.accounts.restricted_tokens,
        token=request.headers[TOKEN_HEADER],
    )
    return Reply(user_object(account, to_server=request.caller.is_server))


@blueprint.operation(DELETE_USER)
def delete(request: Request) -> Reply:
    """Nothing; the user is gone, and what they left is erased now or by the next sweep."""
    services = request.services
    user_id = request.path["userId"]
    delete_user(
        request.caller,
        user_id,
        Confirmation(_password(request), request.source_ip),
        DELETE_USER.policy,
        accounts=services.accounts.accounts,
        grants=services.accounts.grants,
        passwords=services.accounts.passwords,
        attempts=services.accounts.sign_in_attempts,
        now_ms=request.now_ms,
    )
    erase_at_once(user_id, services)
    return Reply()


@blueprint.operation(CREATE_CUSTODIAL_USER)
def create_custodial(request: Request) -> Reply:
    """A new account without a login, which the user in the path manages."""
    require(request.caller, request.path["userId"], CREATE_CUSTODIAL_USER.policy, request.services.accounts.grants)
    return _created_custodial(request, custodian_id=request.path["userId"])


@blueprint.operation(CREATE_CLINIC_USER)
def create_for_clinic(request: Request) -> Reply:
    """A new account without a login, which nobody manages yet."""
    require(request.caller, "", CREATE_CLINIC_USER.policy, request.services.accounts.grants)
    return _created_custodial(request, custodian_id=None)


@blueprint.operation(LIST_USERS)
def list_all(request: Request) -> Reply:
    """The users that a server asks for."""
    require(request.caller, "", LIST_USERS.policy, request.services.accounts.grants)
    accounts = list_users(users_query(request.query), request.services.accounts.accounts)
    return Reply([user_object(account, to_server=True) for account in accounts])


def _user_id(request: Request) -> str:
    return request.path.get("userId") or request.caller.user_id or ""


def _password(request: Request) -> str | None:
    """The password that the body confirms with, if it does so in any form that can be read."""
    try:
        body = request.json()
    except MalformedJsonError:
        return None
    password = body.get("password") if isinstance(body, dict) else None
    return password if isinstance(password, str) else None


def _created_custodial(request: Request, custodian_id: str | None) -> Reply:
    services = request.services
    account = create_custodial_user(
        custodial_email(request.json()),
        user_id=user_id_of(services.new_id()),
        custodian_id=custodian_id,
        now_ms=request.now_ms,
        accounts=services.accounts.accounts,
    )
    return Reply(user_object(account, to_server=False))
