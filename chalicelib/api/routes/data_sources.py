"""Data sources over HTTP. Source: data-api 10."""

from chalicelib.access.idempotency import once
from chalicelib.api.messages import Reply, Request, idempotency_key
from chalicelib.api.operations.data_sources import (
    CREATE_DATA_SOURCE,
    DELETE_DATA_SOURCE,
    DELETE_DATA_SOURCES,
    GET_DATA_SOURCE,
    GET_SESSION_DATA_SOURCE,
    LIST_DATA_SOURCES,
    UPDATE_DATA_SOURCE,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sources import manage as data_sources

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_DATA_SOURCES)
def list_data_sources(request: Request) -> Reply:
    """The data sources of a user, newest first."""
    return Reply(
        data_sources.list_of_user(request.call, request.path["userId"], request.query, request.services.data_sources)
    )


@blueprint.operation(CREATE_DATA_SOURCE)
def create_data_source(request: Request) -> Reply:
    """Add a data source, not connected yet."""
    user_id, ports = request.path["userId"], request.services.data_sources
    call = once(request.call, "data source", user_id, idempotency_key(request))
    return Reply(data_sources.create(call, user_id, request.json, ports))


@blueprint.operation(DELETE_DATA_SOURCES)
def delete_data_sources(request: Request) -> Reply:
    """Remove all data sources of a user."""
    data_sources.delete_of_user(request.call, request.path["userId"], request.services.data_sources)
    return Reply()


@blueprint.operation(GET_DATA_SOURCE)
def get_data_source(request: Request) -> Reply:
    """One data source."""
    return Reply(data_sources.get(request.call, request.path["id"], request.services.data_sources))


@blueprint.operation(UPDATE_DATA_SOURCE)
def update_data_source(request: Request) -> Reply:
    """Connect, disconnect or otherwise change a data source."""
    return Reply(
        data_sources.update(
            request.call, request.path["id"], request.query, request.json, request.services.data_sources
        )
    )


@blueprint.operation(DELETE_DATA_SOURCE)
def delete_data_source(request: Request) -> Reply:
    """Remove a data source."""
    data_sources.delete(request.call, request.path["id"], request.query, request.services.data_sources)
    return Reply()


@blueprint.operation(GET_SESSION_DATA_SOURCE)
def get_session_data_source(request: Request) -> Reply:
    """The data source that a session with a provider has connected."""
    return Reply(data_sources.get_of_session(request.call, request.path["id"], request.services.data_sources))
