"""Data sources over HTTP. Source: data-api 10."""

from chalicelib.api.messages import Reply, Request
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


def _context(request: Request) -> data_sources.Context:
    ours = request.services
    return data_sources.Context(request.caller, ours.data_sources.sources, ours.accounts.grants, request.now_ms)


@blueprint.operation(LIST_DATA_SOURCES)
def list_data_sources(request: Request) -> Reply:
    """The data sources of a user, newest first."""
    return Reply(data_sources.list_of_user(_context(request), request.path["userId"], request.query))


@blueprint.operation(CREATE_DATA_SOURCE)
def create_data_source(request: Request) -> Reply:
    """Add a data source, not connected yet."""
    context, new_id = _context(request), request.services.new_id
    return Reply(data_sources.create(context, request.path["userId"], request.json, new_id))


@blueprint.operation(DELETE_DATA_SOURCES)
def delete_data_sources(request: Request) -> Reply:
    """Remove all data sources of a user."""
    data_sources.delete_of_user(_context(request), request.path["userId"])
    return Reply()


@blueprint.operation(GET_DATA_SOURCE)
def get_data_source(request: Request) -> Reply:
    """One data source."""
    return Reply(data_sources.get(_context(request), request.path["id"]))


@blueprint.operation(UPDATE_DATA_SOURCE)
def update_data_source(request: Request) -> Reply:
    """Connect, disconnect or otherwise change a data source."""
    return Reply(data_sources.update(_context(request), request.path["id"], request.query, request.json))


@blueprint.operation(DELETE_DATA_SOURCE)
def delete_data_source(request: Request) -> Reply:
    """Remove a data source."""
    data_sources.delete(_context(request), request.path["id"], request.query)
    return Reply()


@blueprint.operation(GET_SESSION_DATA_SOURCE)
def get_session_data_source(request: Request) -> Reply:
    """The data source that a session with a provider has connected."""
    return Reply(data_sources.get_of_session(_context(request), request.path["id"]))
