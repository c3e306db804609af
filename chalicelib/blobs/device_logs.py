"""The rules of device logs: create, list, get and read. Source: blob-api, routes 7 to 10.

A single device log cannot be deleted; those of a user are erased with the user.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from chalicelib.access.call import Call
from chalicelib.access.idempotency import derived_id
from chalicelib.access.user_ids import require_user_id
from chalicelib.blobs import content as blobs_storing
from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.headers import UploadRequest, parse_device_log_headers
from chalicelib.blobs.manage import Download, download_of, new_blob_id, require_blob_id
from chalicelib.blobs.ports import BlobPorts, Upload
from chalicelib.blobs.query import parse_device_log_query, parse_upload_mode
from chalicelib.errors import BlobNotFoundError, InsufficientGrantError, UnauthorizedError

MAX_COMPARED_LOGS = 100
"""Logs that start later or at the same time and are compared with a new one."""


def create(call: Call, user_id: str, sent: UploadRequest, ports: BlobPorts) -> tuple[Blob, Upload | None]:
    """A new device log of a user, and the request to upload its content when a direct upload is asked for.

    The bytes may have any form; a direct upload ignores them.

    Raises:
        InvalidPathError: the user id is of the wrong form.
        InsufficientGrantError, UnauthorizedError: the caller may not upload device logs for the user.
        InvalidFieldsError, MissingHeaderError, InvalidHeaderError: the request is of the wrong form.
        TooLargeError: the announced size is above 100 MiB.
        UnequalDigestsError: the content has another digest than announced. Nothing is stored.
        ConflictError: an earlier request with the same idempotency key stored something else.

    Source: blob-api 2 to 4, route 7; limits 1.
    """
    require_user_id(user_id)
    _require_uploader(call, user_id)
    is_direct = parse_upload_mode(sent.query)
    announced = parse_device_log_headers(sent.headers, is_direct=is_direct)
    log = Blob(
        BlobKind.DEVICE_LOGS,
        new_blob_id(call, BlobKind.DEVICE_LOGS, user_id, sent),
        user_id,
        announced.media_type,
        call.now_ms,
        announced.digest_md5,
        announced.size_bytes,
        announced.span,
    )
    if sent.idempotency_key is None:
        size_bytes = log.size_bytes if is_direct else len(sent.content)
        log = _sent_before(log, size_bytes, ports) or replace(log, id=_id_of_content(log, size_bytes))
    if is_direct:
        return blobs_storing.open_upload(call, log, ports)
    return blobs_storing.store(call, log, sent.content, ports), None


def _sent_before(log: Blob, size_bytes: int | None, ports: BlobPorts) -> Blob | None:
    """The log with the id of an earlier one that has the same content and time span; None if there is none.

    Its digest says that a log is the same. A request that is cut off late is repeated by its client.
    """
    start_ms = None if log.span is None else log.span.start_ms
    for earlier in islice(ports.blobs.of_user(BlobKind.DEVICE_LOGS, log.user_id, start_ms), MAX_COMPARED_LOGS):
        has_same_content = (earlier.digest_md5, earlier.size_bytes) == (log.digest_md5, size_bytes)
        if has_same_content and (earlier.span, earlier.media_type) == (log.span, log.media_type):
            return replace(log, id=earlier.id)
    return None


def _id_of_content(log: Blob, size_bytes: int | None) -> str:
    """The id of a log that is sent for the first time, so that one that is sent twice at a time is one log."""
    return derived_id(log.kind, log.user_id, f"{log.digest_md5} {size_bytes} {log.span} {log.media_type}")


def list_of_user(call: Call, user_id: str, query: Mapping[str, Sequence[str]], ports: BlobPorts) -> list[Blob]:
    """A page of a user's device logs, those created last first.

    Raises:
        InvalidPathError, InvalidFieldsError: the user id or the query is of the wrong form.
        UnauthorizedError: the user granted nothing to the caller.

    Source: blob-api 6, route 8.
    """
    require_user_id(user_id)
    call.require(user_id)
    wanted = parse_device_log_query(query)
    selected = filter(wanted.selects, ports.blobs.of_user(BlobKind.DEVICE_LOGS, user_id, wanted.start_from_ms))
    newest_first = sorted(selected, key=lambda log: (log.created_time_ms, log.id), reverse=True)
    return newest_first[wanted.page.first : wanted.page.end]


def get(call: Call, log_id: str, ports: BlobPorts) -> Blob:
    """A device log.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id.
        UnauthorizedError: its user granted nothing to the caller.

    Source: blob-api 2, route 9.
    """
    require_blob_id(log_id)
    log = ports.blobs.find(BlobKind.DEVICE_LOGS, log_id)
    if log is None:
        raise BlobNotFoundError(log_id)
    call.require(log.user_id)
    return log


def read(call: Call, log_id: str, ports: BlobPorts) -> Download:
    """A device log's content.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id, its content has not arrived, or the caller may not know.

    Source: blob-api 2 and 7, route 10.
    """
    try:
        log = get(call, log_id, ports)
    except UnauthorizedError as error:
        raise BlobNotFoundError(log_id) from error
    return download_of(log, ports.contents)


def _require_uploader(call: Call, user_id: str) -> None:
    try:
        call.require(user_id)
    except UnauthorizedError as error:
        if call.caller.user_id is not None and call.grants.permissions(user_id, call.caller.user_id):
            raise InsufficientGrantError from error
        raise
