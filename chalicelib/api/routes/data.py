"""Data over HTTP: add, delete, erase, read. Source: data-api 8 and 9."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from chalicelib.api.errors.platform import field_error_body
from chalicelib.api.messages import Reply, Request, enveloped, prefers
from chalicelib.api.operations.data_sources import UPLOAD_DATA
from chalicelib.api.operations.table import (
    ADD_DATA,
    DELETE_DATA,
    DELETE_USER_DATA,
    GET_FRESHNESS,
    LIST_REFUSALS,
    READ_DATA,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.errors import FieldError
from chalicelib.log.ports import DataSetHeads
from chalicelib.reading import read as query
from chalicelib.reading.etag import NotModifiedError, parse_known_tags
from chalicelib.reading.freshness import read_freshness
from chalicelib.reading.query import parse_data_query
from chalicelib.reading.session_and_head import SessionAndHead
from chalicelib.reading.session_and_snapshot import SessionAndSnapshot
from chalicelib.uploads import add as ingest
from chalicelib.uploads import legacy as legacy_upload
from chalicelib.uploads import rejections as refusals

blueprint = ApiBlueprint(__name__)

LENIENT = "handling=lenient"
Added = TypeVar("Added")


def _session_and_head(request: Request) -> SessionAndHead:
    ours = request.services
    return SessionAndHead(request.path["dataSetId"], ours.reading.read_session_and_head, ours.data.data_sets)


def _noted(request: Request, action: str) -> AbstractContextManager[Callable[[Sequence[FieldError]], None]]:
    ours = request.services
    return refusals.noted(
        action,
        request.path["dataSetId"],
        heads=_heads(request),
        data_sets=ours.data.data_sets,
        refusals=ours.uploads.rejections,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )


def _heads(request: Request) -> DataSetHeads:
    return request.sessions if isinstance(request.sessions, SessionAndHead) else request.services.data.data_sets


@blueprint.operation(ADD_DATA, _session_and_head)
def add_data(request: Request) -> Reply:
    """Add data to a data set, all or nothing; the answer never says what became of it (clients 0, fact 1).

    A client that prefers lenient handling gets the good data stored, and the faults of the rest beside `data`.
    """
    with _noted(request, "add") as keep:
        if not prefers(request, LENIENT):
            _add(ingest.add_data, request)
            return enveloped(request, [])
        faults = _add(ingest.add_valid_data, request)
        keep(faults)
    refused = [field_error_body(fault) for fault in faults]
    body = {"data": [], "refused": refused, "meta": request.trace.meta}
    return Reply(body, headers={"Preference-Applied": LENIENT})


def _add(add: Callable[..., Added], request: Request) -> Added:
    ours = request.services
    return add(
        request.caller,
        request.path["dataSetId"],
        request.json,
        heads=_heads(request),
        log=ours.data.log,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )


@blueprint.operation(DELETE_DATA, _session_and_head)
def delete_data(request: Request) -> Reply:
    """Delete selected data of a data set."""
    ours = request.services
    with _noted(request, "delete"):
        ingest.delete_data(
            request.caller,
            request.path["dataSetId"],
            request.json,
            heads=_heads(request),
            log=ours.data.log,
            grants=ours.accounts.grants,
            now_ms=request.now_ms,
        )
    return enveloped(request, [])


@blueprint.operation(DELETE_USER_DATA)
def erase_data(request: Request) -> Reply:
    """Erase all data sets and data of a user."""
    ours = request.services
    data_sets.erase(
        request.caller,
        request.path["userId"],
        data_sets=ours.data.data_sets,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
    )
    return enveloped(request, [])


def _session_and_snapshot(request: Request) -> SessionAndSnapshot:
    ours = request.services
    # Who names a tag has the answer in most cases, and saying so takes no snapshot.
    with_snapshot = not _known_tags(request)
    read_together = ours.reading.read_session_and_snapshot
    return SessionAndSnapshot(
        request.path["userId"], read_together, ours.data.data_sets, ours.tiles.tiles, with_snapshot=with_snapshot
    )


def _known_tags(request: Request) -> frozenset[str]:
    return parse_known_tags(request.headers.get("if-none-match", ""))


@blueprint.operation(READ_DATA, _session_and_snapshot)
def read_data(request: Request) -> Reply:
    """The data of a user, filtered, by type and time, data sets last."""
    ours = request.services
    reads = request.sessions if isinstance(request.sessions, SessionAndSnapshot) else _session_and_snapshot(request)
    try:
        found = query.read_data(
            request.caller,
            request.path["userId"],
            parse_data_query(request.query),
            data_sets=reads,
            sources=ours.data_sources.sources,
            log=ours.data.log,
            tiles=reads,
            grants=ours.accounts.grants,
            known_tags=_known_tags(request),
        )
    except NotModifiedError as unchanged:
        return Reply(status=304, headers=_revalidated(unchanged.tag))
    return Reply(found.records, headers=_revalidated(found.tag))


def _revalidated(tag: str | None) -> dict[str, str]:
    """Headers of what only the client itself may keep, and has to ask about each time: permissions may have changed."""
    return {"Cache-Control": "private, no-cache"} | ({} if tag is None else {"ETag": tag})


@blueprint.operation(GET_FRESHNESS)
def get_freshness(request: Request) -> Reply:
    """How fresh the data of a user is, by client and type."""
    ours = request.services
    found = read_freshness(
        request.caller, request.path["userId"], data_sets=ours.data.data_sets, grants=ours.accounts.grants
    )
    return Reply(found, headers=_revalidated(None))


@blueprint.operation(UPLOAD_DATA)
def upload_data(request: Request) -> Reply:
    """The old way to upload: records and the description of their data set in one array."""
    ours = request.services
    duplicates = legacy_upload.upload_data(
        request.caller,
        request.path["userId"],
        request.json,
        store=ours.data.data_sets,
        log=ours.data.log,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
        new_id=ours.new_id,
    )
    return Reply(duplicates)


@blueprint.operation(LIST_REFUSALS)
def list_refusals(request: Request) -> Reply:
    """The last refused uploads of a user, so that one bad record does not block an app unseen."""
    ours = request.services
    return Reply(
        refusals.list_refusals(
            request.caller,
            request.path["userId"],
            refusals=ours.uploads.rejections,
            grants=ours.accounts.grants,
            now_ms=request.now_ms,
        )
    )
