"""Data sets over HTTP. Source: data-api 6 and 7."""

from chalicelib.api.messages import Reply, Request, enveloped
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

blueprint = ApiBlueprint(__name__)


@blueprint.operation(CREATE_DATA_SET)
def create_data_set(request: Request) -> Reply:
    """Open a data set."""
    ours = request.services
    created = data_sets.create(
        request.caller,
        request.path["userId"],
        request.json,
        data_sets=ours.data.data_sets,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )
    return enveloped(request, created)


@blueprint.operation(LIST_DATA_SETS)
def list_data_sets(request: Request) -> Reply:
    """The active data sets of a user, newest first, as a bare array."""
    return Reply(_listed(request, has_filters=True))


@blueprint.operation(LIST_DATASETS)
def list_datasets(request: Request) -> Reply:
    """The same in an envelope, and without filters."""
    return enveloped(request, _listed(request, has_filters=False))


def _listed(request: Request, *, has_filters: bool) -> list[dict[str, object]]:
    return data_sets.list_of_user(
        request.caller,
        request.path["userId"],
        parse_list_query(request.query, has_filters=has_filters),
        policy=request.operation.policy,
        data_sets=request.services.data.data_sets,
        grants=request.services.accounts.grants,
    )


@blueprint.operation(GET_DATA_SET)
def get_data_set(request: Request) -> Reply:
    """One data set, in any state."""
    ours = request.services
    return Reply(
        data_sets.get(
            request.caller, request.path["dataSetId"], data_sets=ours.data.data_sets, grants=ours.accounts.grants
        )
    )


@blueprint.operation(UPDATE_DATA_SET)
def update_data_set(request: Request) -> Reply:
    """Close a data set; servers may change some fields of a continuous one."""
    ours = request.services
    updated = data_sets.update(
        request.caller,
        request.path["dataSetId"],
        request.json,
        data_sets=ours.data.data_sets,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
    )
    return enveloped(request, updated)


@blueprint.operation(DELETE_DATA_SET)
def delete_data_set(request: Request) -> Reply:
    """Delete a data set and all data that it holds now."""
    ours = request.services
    data_sets.delete(
        request.caller,
        request.path["dataSetId"],
        data_sets=ours.data.data_sets,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
    )
    return enveloped(request, {})
