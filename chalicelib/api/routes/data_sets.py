"""Data sets over HTTP. Source: data-api 6 and 7."""

from dataclasses import replace
from functools import partial

from chalicelib.api.dropped import dropped_headers
from chalicelib.api.messages import Reply, Request, enveloped, idempotency_key
from chalicelib.api.operations.table import (
    CREATE_DATA_SET,
    DELETE_DATA_SET,
    GET_DATA_SET,
    LIST_DATA_SETS,
    LIST_DATASETS,
    UPDATE_DATA_SET,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.data_sets.list_query import parse_list_query
from chalicelib.model.dropped import dropped_from_data_set

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_DATA_SET)
def create_data_set(request: Request) -> Reply:
    """Open a data set. A request that repeats another, by its idempotency key, gets the data set of the first."""
    key, ports = idempotency_key(request), request.services.data
    created = data_sets.create(request.call, request.path["userId"], request.json, ports, key)
    dropped = dropped_from_data_set(request.json())
    return replace(enveloped(request, created), headers=dropped_headers(dropped))


@blueprint.operation(LIST_DATA_SETS)
def list_data_sets(request: Request) -> Reply:
    """The active data sets of a user, newest first, as a bare array."""
    return Reply(_list_page(request, has_filters=True))


@blueprint.operation(LIST_DATASETS)
def list_datasets(request: Request) -> Reply:
    """The active data sets of a user in an envelope, without filters."""
    return enveloped(request, _list_page(request, has_filters=False))


def _list_page(request: Request, *, has_filters: bool) -> list[dict[str, object]]:
    read_query = partial(parse_list_query, request.query, has_filters=has_filters)
    return data_sets.list_of_user(request.call, request.path["userId"], read_query, request.services.data)


@blueprint.operation(GET_DATA_SET)
def get_data_set(request: Request) -> Reply:
    """One data set, in any state."""
    return Reply(data_sets.get(request.call, request.path["dataSetId"], request.services.data))


@blueprint.operation(UPDATE_DATA_SET)
def update_data_set(request: Request) -> Reply:
    """Close a data set; servers may change some fields of a continuous one."""
    key, ports = idempotency_key(request), request.services.data
    return enveloped(request, data_sets.update(request.call, request.path["dataSetId"], request.json, ports, key))


@blueprint.operation(DELETE_DATA_SET)
def delete_data_set(request: Request) -> Reply:
    """Delete a data set and all data that it holds now."""
    data_sets.delete(request.call, request.path["dataSetId"], request.services.data)
    return enveloped(request, {})
