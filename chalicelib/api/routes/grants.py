"""Grants over HTTP. Source: access-api A."""

from collections.abc import Mapping
from typing import Any

from chalicelib.accounts.grant import Grant, parse_permissions
from chalicelib.accounts.share import grant_of, grants_given_by, grants_given_to, set_grant
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.accounts import GET_ACCESS_STATUS, GET_GRANT, LIST_GRANTS, LIST_GROUPS, SET_GRANT
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import MissingJsonError

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_ACCESS_STATUS)
def get_status(_request: Request) -> Reply:
    """`{"status": "ok"}`. Source: errors 7."""
    return Reply({"status": "ok"})


@blueprint.operation(LIST_GROUPS)
def list_groups(request: Request) -> Reply:
    """Permissions that the user has with others, by sharer."""
    return Reply(grants_given_to(request.call, request.path["userId"], request.services.accounts))


@blueprint.operation(LIST_GRANTS)
def list_grants(request: Request) -> Reply:
    """Permissions that the user grants to others, by grantee."""
    sharer_id = request.path.get("sharerId", "groups")
    return Reply(grants_given_by(request.call, sharer_id, request.services.accounts))


@blueprint.operation(GET_GRANT)
def get_grant(request: Request) -> Reply:
    """Permissions that one user grants to another."""
    sharer_id, grantee_id = request.path["sharerId"], request.path["granteeId"]
    return Reply(grant_of(request.call, sharer_id, grantee_id, request.services.accounts))


@blueprint.operation(SET_GRANT)
def post_grant(request: Request) -> Reply:
    """Permissions after the change; `null` when there are none."""
    grant = Grant(request.path["sharerId"], request.path["granteeId"], _permissions(request))
    held = set_grant(request.call, grant, request.services.accounts)
    return Reply(b"null" if held is None else held)


def _permissions(request: Request) -> Mapping[str, Any]:
    """The permissions in the body. A missing body is an empty one (access-api A3)."""
    try:
        body = request.json()
    except MissingJsonError:
        return {}
    return parse_permissions(body)
