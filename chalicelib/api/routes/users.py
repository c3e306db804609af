"""Users: signing up, reading, changing and deleting them. Source: auth-api 4 and 5."""

from chalicelib.access.idempotency import once
from chalicelib.accounts.account import user_object
from chalicelib.accounts.bodies import user_updates
from chalicelib.accounts.delete import delete_user
from chalicelib.accounts.list import list_users
from chalicelib.accounts.manage import create_custodial_user, read_user, update_user
from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.accounts.sign_up import sign_up
from chalicelib.api.confirmation import password_confirmation
from chalicelib.api.messages import Reply, Request, idempotency_key
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
from chalicelib.api.sign_up import sign_up_rules
from chalicelib.confirmations.sign_up import order_proof
from chalicelib.erasure import erase_at_once

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_USER)
def create(request: Request) -> Reply:
    """The new user, and a token for them."""
    source = SignInSource(request.source_ip)
    account = sign_up(request.call, request.json(), source, sign_up_rules(request), request.services.accounts)
    order_proof(account.email or "", request.services.confirmations)
    return signed_in(request, account)


@blueprint.operation(GET_USER)
def get(request: Request) -> Reply:
    """A user, by id or e-mail address; without either, the caller."""
    account = read_user(request.call, _user_id(request), request.services.accounts)
    return Reply(user_object(account, to_server=request.caller.is_server))


@blueprint.operation(UPDATE_USER)
def update(request: Request) -> Reply:
    """The user after the change."""
    updates, token = user_updates(request.json()), request.headers[TOKEN_HEADER]
    account = update_user(request.call, _user_id(request), updates, token, request.services.accounts)
    if updates.email is not None and not (account.email_proven or account.is_custodial):
        order_proof(updates.email, request.services.confirmations)
    return Reply(user_object(account, to_server=request.caller.is_server))


@blueprint.operation(DELETE_USER)
def delete(request: Request) -> Reply:
    """An empty body. The data of the user is erased now, or by the next run of the job."""
    user_id = request.path["userId"]
    delete_user(request.call, user_id, password_confirmation(request), request.services.accounts)
    erase_at_once(user_id, request.services)
    return Reply()


@blueprint.operation(CREATE_CUSTODIAL_USER)
def create_custodial(request: Request) -> Reply:
    """A new account without a login, which the user in the path manages."""
    custodian_id = request.path["userId"]
    call = once(request.call, "custodial account", custodian_id, idempotency_key(request))
    account = create_custodial_user(call, custodian_id, request.json, request.services.accounts)
    return Reply(user_object(account, to_server=False))


@blueprint.operation(CREATE_CLINIC_USER)
def create_for_clinic(request: Request) -> Reply:
    """A new account without a login, which nobody manages yet."""
    call = once(request.call, "clinic's account", request.caller.user_id or "", idempotency_key(request))
    account = create_custodial_user(call, None, request.json, request.services.accounts)
    return Reply(user_object(account, to_server=False))


@blueprint.operation(LIST_USERS)
def list_all(request: Request) -> Reply:
    """The users that a server asks for."""
    accounts = list_users(request.call, request.query, request.services.accounts)
    return Reply([user_object(account, to_server=True) for account in accounts])


def _user_id(request: Request) -> str:
    return request.path.get("userId") or request.caller.user_id or ""
