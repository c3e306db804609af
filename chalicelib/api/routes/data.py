"""Data over HTTP: add, delete, erase, read. Source: data-api 8 and 9."""

from dataclasses import replace

from chalicelib.api.errors.platform import field_error_body
from chalicelib.api.messages import Reply, Request, enveloped, prefers
from chalicelib.api.operations.data_sources import UPLOAD_DATA
from chalicelib.api.operations.table import (
    ADD_DATA,
    DELETE_DATA,
    DELETE_USER_DATA,
    GET_FRESHNESS,
    LIST_REJECTIONS,
    READ_DATA,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.reading import read as reading
from chalicelib.reading.etag import NotModifiedError, parse_known_tags
from chalicelib.reading.freshness import read_freshness
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.query import parse_data_query
from chalicelib.reading.session_and_head import SessionAndHead
from chalicelib.reading.session_and_snapshot import SessionAndSnapshot
from chalicelib.uploads import add as uploads
from chalicelib.uploads import legacy as legacy_upload
from chalicelib.uploads import rejections
from chalicelib.uploads.ports import UploadPorts
from chalicelib.uploads.rejections import recording_rejections

blueprint = ApiBlueprint(__name__)

LENIENT = "handling=lenient"


def _session_and_head(request: Request) -> SessionAndHead:
    services = request.services
    return SessionAndHead(request.path["dataSetId"], services.reading.read_session_and_head, services.data.data_sets)


def _upload_ports(request: Request) -> UploadPorts:
    ports = request.services.uploads
    if isinstance(request.sessions, SessionAndHead):
        return replace(ports, data=replace(ports.data, data_sets=request.sessions))
    return ports


@blueprint.operation(ADD_DATA, _session_and_head)
def add_data(request: Request) -> Reply:
    """Add data to a data set, all or nothing; the reply never says what became of it (clients, fact 1)."""
    if prefers(request, LENIENT):
        return _add_valid_data(request)
    ports, data_set_id = _upload_ports(request), request.path["dataSetId"]
    with recording_rejections(request.call, "add", data_set_id, ports):
        uploads.add_data(request.call, data_set_id, request.json, ports.data)
    return enveloped(request, [])


def _add_valid_data(request: Request) -> Reply:
    """Add the data without faults for a client that prefers lenient handling; the faults stand beside `data`."""
    ports, data_set_id = _upload_ports(request), request.path["dataSetId"]
    with recording_rejections(request.call, "add", data_set_id, ports) as keep:
        faults = uploads.add_valid_data(request.call, data_set_id, request.json, ports.data)
        keep(faults)
    body = {"data": [], "refused": [field_error_body(fault) for fault in faults], "meta": request.trace.meta}
    return Reply(body, headers={"Preference-Applied": LENIENT})


@blueprint.operation(DELETE_DATA, _session_and_head)
def delete_data(request: Request) -> Reply:
    """Delete selected data of a data set."""
    ports, data_set_id = _upload_ports(request), request.path["dataSetId"]
    with recording_rejections(request.call, "delete", data_set_id, ports):
        uploads.delete_data(request.call, data_set_id, request.json, ports.data)
    return enveloped(request, [])


@blueprint.operation(DELETE_USER_DATA)
def erase_data(request: Request) -> Reply:
    """Erase all data sets and data of a user."""
    data_sets.erase(request.call, request.path["userId"], request.services.data)
    return enveloped(request, [])


def _session_and_snapshot(request: Request) -> SessionAndSnapshot:
    ports = request.services.reading
    # A request that names a tag is mostly answered without the snapshot.
    with_snapshot = not _known_tags(request)
    read_together = ports.read_session_and_snapshot
    return SessionAndSnapshot(
        request.path["userId"], read_together, ports.data_sets, ports.tiles, with_snapshot=with_snapshot
    )


def _reading_ports(request: Request) -> ReadingPorts:
    reads = request.sessions if isinstance(request.sessions, SessionAndSnapshot) else _session_and_snapshot(request)
    return replace(request.services.reading, data_sets=reads, tiles=reads)


def _known_tags(request: Request) -> frozenset[str]:
    return parse_known_tags(request.headers.get("if-none-match", ""))


@blueprint.operation(READ_DATA, _session_and_snapshot)
def read_data(request: Request) -> Reply:
    """The data of a user, filtered, by type and time, data sets last."""
    query, ports = parse_data_query(request.query), _reading_ports(request)
    try:
        found = reading.read_data(request.call, request.path["userId"], query, ports, _known_tags(request))
    except NotModifiedError as unchanged:
        return Reply(status=304, headers=_revalidated(unchanged.tag))
    return Reply(found.records, headers=_revalidated(found.tag))


def _revalidated(tag: str | None) -> dict[str, str]:
    """Headers of a reply that only the client itself may keep, and revalidates each time: permissions may change."""
    return {"Cache-Control": "private, no-cache"} | ({} if tag is None else {"ETag": tag})


@blueprint.operation(GET_FRESHNESS)
def get_freshness(request: Request) -> Reply:
    """How fresh the data of a user is, by client and type."""
    found = read_freshness(request.call, request.path["userId"], request.services.reading)
    return Reply(found, headers=_revalidated(None))


@blueprint.operation(UPLOAD_DATA)
def upload_data(request: Request) -> Reply:
    """The old way to upload: records and the description of their data set in one array."""
    return Reply(legacy_upload.upload_data(request.call, request.path["userId"], request.json, request.services.data))


@blueprint.operation(LIST_REJECTIONS)
def list_rejections(request: Request) -> Reply:
    """The last refused uploads of a user, so that one bad record does not block an app unseen."""
    return Reply(rejections.list_of_user(request.call, request.path["userId"], request.services.uploads))
