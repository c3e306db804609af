"""Data over HTTP: add, delete, erase, read, export. Source: data-api 8 and 9."""

from dataclasses import replace

from chalicelib.accounts.restricted_token import end_soon
from chalicelib.api.confirmation import password_confirmation
from chalicelib.api.dropped import dropped_headers, dropped_names
from chalicelib.api.errors.platform import field_error_body
from chalicelib.api.messages import Reply, Request, enveloped, prefers, revalidation_headers
from chalicelib.api.operations.data_sources import UPLOAD_DATA
from chalicelib.api.operations.table import (
    ADD_DATA,
    DELETE_DATA,
    DELETE_USER_DATA,
    EXPORT_DATA,
    GET_FRESHNESS,
    LIST_REJECTIONS,
    READ_DATA,
)
from chalicelib.api.rendering import JSON_UTF8
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.export.query import parse_export_query
from chalicelib.export.read import export_data
from chalicelib.reading import freshness, read
from chalicelib.reading.erase import erase_own_data
from chalicelib.reading.etag import NotModifiedError, parse_known_etags
from chalicelib.reading.query import parse_data_query
from chalicelib.uploads import add, legacy, rejections

blueprint = ApiBlueprint(__name__)

LENIENT = "handling=lenient"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.operation(ADD_DATA)
def add_data(request: Request) -> Reply:
    """Add data to a data set, all or nothing. The reply does not tell duplicates from new data (clients, fact 1)."""
    if prefers(request, LENIENT):
        return _add_valid_data(request)
    added = add.add_data(request.call, request.path["dataSetId"], request.json, request.services.uploads)
    return replace(enveloped(request, []), headers=dropped_headers(added.dropped))


def _add_valid_data(request: Request) -> Reply:
    """Add the valid data for a client that prefers lenient handling. The errors of the rest stand beside `data`, with
    the names of the members that were dropped."""
    added = add.add_valid_data(request.call, request.path["dataSetId"], request.json, request.services.uploads)
    refused = [field_error_body(error) for error in added.errors]
    told = {"refused": refused, "dropped": dropped_names(added.dropped)}
    return Reply({"data": [], **told, "meta": request.trace.meta}, headers={"Preference-Applied": LENIENT})


@blueprint.operation(DELETE_DATA)
def delete_data(request: Request) -> Reply:
    """Delete selected data of a data set."""
    add.delete_data(request.call, request.path["dataSetId"], request.json, request.services.uploads)
    return enveloped(request, [])


@blueprint.operation(DELETE_USER_DATA)
def erase_data(request: Request) -> Reply:
    """Erase all data sets and data of a user. A user who confirms it with the password gets a receipt."""
    user_id = request.path["userId"]
    if request.caller.is_server:
        data_sets.erase(request.call, user_id, request.services.data)
        return enveloped(request, [])
    return enveloped(request, erase_own_data(request.call, user_id, password_confirmation(request), request.services))


@blueprint.operation(READ_DATA)
def read_data(request: Request) -> Reply:
    """The data of a user, filtered, by type and time, data sets last."""
    query, known_etags = parse_data_query(request.query), parse_known_etags(request.headers.get("if-none-match", ""))
    try:
        data = read.read_data(request.call, request.path["userId"], query, request.services.reading, known_etags)
    except NotModifiedError as not_modified:
        return Reply(status=304, headers=revalidation_headers(not_modified.etag))
    return Reply(data.records, headers=revalidation_headers(data.etag))


@blueprint.operation(EXPORT_DATA)
def export(request: Request) -> Reply:
    """The data of a user as a file. Source: export 1."""
    query, is_limited = parse_export_query(request.query), request.services.settings.has_gateway
    data = export_data(request.call, request.path["userId"], query, request.services.reading, is_limited=is_limited)
    end_soon(request.call, request.services.accounts)
    return Reply(data, headers=_file_headers(is_json=query.is_json), is_binary=not query.is_json)


def _file_headers(*, is_json: bool) -> dict[str, str]:
    """The headers of a file that no cache keeps, and whose address no other site learns."""
    media_type, extension = (JSON_UTF8, "json") if is_json else (EXCEL, "xlsx")
    return {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="TidepoolExport.{extension}"',
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }


@blueprint.operation(GET_FRESHNESS)
def get_freshness(request: Request) -> Reply:
    """The freshness of a user's data, by client and type."""
    found = freshness.read_freshness(request.call, request.path["userId"], request.services.reading)
    return Reply(found, headers=revalidation_headers(None))


@blueprint.operation(UPLOAD_DATA)
def upload_data(request: Request) -> Reply:
    """Add records and the description of their data set, which old clients send in one array.

    The API's documents promise the indexes of duplicates. Finding them would take reading all stored data, and no
    client uses them.
    """
    dropped = legacy.upload_data(request.call, request.path["userId"], request.json, request.services.data)
    return Reply([], headers=dropped_headers(dropped))


@blueprint.operation(LIST_REJECTIONS)
def list_rejections(request: Request) -> Reply:
    """The last rejected uploads of a user, so that one bad record does not block an app unnoticed."""
    return Reply(rejections.list_rejections(request.call, request.path["userId"], request.services.uploads))
