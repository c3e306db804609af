"""Bodies and headers of the Nightscout API's v3. Source: nightscout-api 9."""

from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from chalicelib.api.accepted import preferred_format
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.router import EXTENSION
from chalicelib.errors import InvalidRequestError
from chalicelib.nightscout.device_status.status import COLLECTION
from chalicelib.nightscout.document import Collection, Document
from chalicelib.nightscout.modification import SRV_MODIFIED
from chalicelib.nightscout.times import read_iso
from chalicelib.nightscout.v3.access import UNSUPPORTED_FORMAT, collection_named
from chalicelib.nightscout.v3.device_statuses import CreatedStatus
from chalicelib.nightscout.v3.errors import UnsupportedFormatError
from chalicelib.nightscout.v3.formats import MEDIA_TYPES, as_csv, as_xml
from chalicelib.nightscout.v3.members import Body, projected, read_since, shown
from chalicelib.nightscout.v3.query import parse_fields
from chalicelib.nightscout.v3.search import Changes
from chalicelib.nightscout.v3.write import ANY_TIME_MS, Target, WriteResult

_BAD_SINCE = "Bad or missing Last-Modified header/parameter"


def collection_of(request: Request) -> Collection:
    """The collection that the path of a request names.

    Raises:
        UnknownCollectionError, UnsupportedFormatError: see `collection_named`.
    """
    return collection_named(request.path["collection"])


def target_of(request: Request) -> Target:
    """The target of a request that changes documents.

    Raises:
        UnknownCollectionError, UnsupportedFormatError: see `collection_named`.
    """
    collection = collection_named(request.path["collection"])
    since_ms = _http_date_ms(request.headers.get("if-unmodified-since", ""))
    identifier = request.path.get("identifier", "")
    return Target(user_id_of(request), collection, identifier, ANY_TIME_MS if since_ms is None else since_ms)


def result_reply(result: Any) -> Reply:
    """The reply with a result."""
    return Reply({"status": 200, "result": result})


def found_reply(request: Request, result: Body | list[Body]) -> Reply:
    """The reply with documents in the format that the path ends with, else the one that `Accept` prefers.

    Raises:
        UnsupportedFormatError: that is neither JSON nor CSV nor XML.
    """
    name = request.path[EXTENSION] or preferred_format(request.headers.get("accept", ""), MEDIA_TYPES)
    headers = {"Content-Type": f"{MEDIA_TYPES.get(name or '')}; charset=utf-8", "Vary": "Accept"}
    match name:
        case "json":
            return result_reply(result)
        case "csv":
            return Reply(as_csv(result), headers=headers)
        case "xml":
            return Reply(as_xml(result), headers=headers)
    raise UnsupportedFormatError(UNSUPPORTED_FORMAT)


def document_reply(request: Request, document: Document) -> Reply:
    """A document, or 304 if the client has it as it is."""
    return _reply_unless_known(request, shown(document), document.modified_ms)


def changes_reply(request: Request, changes: Changes) -> Reply:
    """A page of changes, with the time of the last one as `ETag`, with which the client asks for the next page."""
    fields = parse_fields(request.query)
    reply = found_reply(request, [projected(document, fields) for document in changes.bodies])
    if changes.last_ms is None:
        return reply
    headers = {"ETag": f'W/"{changes.last_ms}"', **_last_modified(changes.last_ms)}
    return replace(reply, headers={**reply.headers, **headers})


def is_about_statuses(request: Request) -> bool:
    """Whether the collection of a request is that of device statuses."""
    return request.path["collection"] == COLLECTION


def created_status_reply(created: CreatedStatus) -> Reply:
    """The reply to the creation of a status: 201 for a new one, 200 for one that was there."""
    status = 200 if created.is_repeated else 201
    body = {"status": status, "identifier": created.identifier, "lastModified": created.time_ms}
    repeated = {"isDeduplication": True} if created.is_repeated else {}
    headers = _location(COLLECTION, created.identifier) | _last_modified(created.time_ms)
    return Reply(body | repeated, status=status, headers=headers)


def status_reply(request: Request, status: Body) -> Reply:
    """A device status, or 304 if the client has it as it is."""
    return _reply_unless_known(request, status, status[SRV_MODIFIED])


def created_reply(written: WriteResult) -> Reply:
    """The reply to a creation: 201 for a new document, 200 for one that was there."""
    headers = _location(written.document.collection, written.identifier) | _last_modified(written.document.modified_ms)
    body: dict[str, Any] = {"identifier": written.identifier, "lastModified": written.document.modified_ms}
    if written.replaced is None:
        return Reply({"status": 201, **body}, headers=headers)
    if written.replaced != written.identifier:
        body["deduplicatedIdentifier"] = written.replaced
    return Reply({"status": 200, **body, "isDeduplication": True}, status=200, headers=headers)


def replaced_reply(written: WriteResult) -> Reply:
    """The reply to a replacement: 201 for a new document."""
    if written.replaced is None:
        return replace(created_reply(written), status=201)
    modified_ms = written.document.modified_ms
    return Reply({"status": 200, "lastModified": modified_ms}, headers=_last_modified(modified_ms))


def changed_reply(document: Document) -> Reply:
    """The reply to a change."""
    return Reply({"status": 200}, headers=_last_modified(document.modified_ms))


def since_of(request: Request) -> int:
    """The `srvModified` after which changes are asked for, from the path.

    Raises:
        InvalidRequestError: it is unreadable.
    """
    moment = read_since(request.path["since"])
    if moment is None:
        raise InvalidRequestError(_BAD_SINCE)
    return moment.time_ms


def since_of_header(request: Request) -> int:
    """As `since_of`, from `Last-Modified`: whole seconds, whose changes are asked for as well.

    Raises:
        InvalidRequestError: it is missing or unreadable.
    """
    moment = read_iso(request.headers.get("last-modified", ""))
    if moment is None:
        raise InvalidRequestError(_BAD_SINCE)
    return moment.time_ms // 1000 * 1000 - 1


def is_permanent(request: Request) -> bool:
    """Whether a deletion leaves no trace."""
    return request.query.get("permanent", ("",))[-1] == "true"


def _location(collection: str, identifier: str) -> dict[str, str]:
    return {"Location": f"/api/v3/{collection}/{quote(identifier, safe='')}"}


def _reply_unless_known(request: Request, body: Body, modified_ms: int) -> Reply:
    headers = _last_modified(modified_ms)
    known_ms = _http_date_ms(request.headers.get("if-modified-since", ""))
    if known_ms is not None and modified_ms // 1000 * 1000 <= known_ms:
        return Reply(status=304, headers=headers)
    reply = found_reply(request, projected(body, parse_fields(request.query)))
    return replace(reply, headers={**reply.headers, **headers})


def _last_modified(modified_ms: int) -> dict[str, str]:
    return {"Last-Modified": formatdate(modified_ms // 1000, usegmt=True)}


def _http_date_ms(text: str) -> int | None:
    """The time of an HTTP date; None if it is missing or unreadable."""
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1000
    except (TypeError, ValueError, OverflowError):
        return None
