"""The rules of the blob API: list, create, get, read and delete. Source: blob-api 1 to 8."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from chalicelib.access.call import Call
from chalicelib.access.idempotency import derived_id
from chalicelib.access.user_ids import require_user_id
from chalicelib.blobs import content as blobs_storing
from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.content import with_digest
from chalicelib.blobs.headers import UploadRequest, parse_blob_headers
from chalicelib.blobs.ports import BlobPorts, ContentStore, Upload
from chalicelib.blobs.query import parse_blob_query, parse_revision, parse_upload_mode
from chalicelib.errors import BlobNotFoundError, InvalidPathError
from chalicelib.frozen import frozen

INLINE_BYTES = 4 * 1024 * 1024
"""The largest content within a reply: base64 makes it 5.6 MB, and a reply of Lambda has at most 6 MB."""

_BLOB_ID = re.compile(r"[0-9a-z]{32}")


@frozen
class Download:
    """A content for a client: its bytes, or the address of a content that is too large for a reply."""

    blob: Blob
    content: bytes | None = None
    url: str | None = None


def list_of_user(call: Call, user_id: str, query: Mapping[str, Sequence[str]], ports: BlobPorts) -> list[Blob]:
    """A page of a user's blobs, newest first.

    Raises:
        InvalidPathError, InvalidFieldsError: the user id or the query is of the wrong form.
        UnauthorizedError: the caller may not view the user's blobs.

    Source: blob-api 6, route 1.
    """
    require_user_id(user_id)
    wanted = parse_blob_query(query)
    call.require(user_id)
    selected = filter(wanted.selects, ports.blobs.of_user(BlobKind.BLOBS, user_id))
    return list(islice(selected, wanted.page.first, wanted.page.end))


def create(call: Call, user_id: str, sent: UploadRequest, ports: BlobPorts) -> tuple[Blob, Upload | None]:
    """A new blob of a user: available with its content, or `created`, with or without a request to upload it.

    Without bytes the blob waits for its content; a direct upload ignores the bytes.

    Raises:
        InvalidPathError, InvalidFieldsError, MissingHeaderError, InvalidHeaderError: the request is of the wrong form.
        TooLargeError: the announced size is above 100 MiB.
        UnauthorizedError: the caller may not upload for the user.
        UnequalDigestsError: the content has another digest than announced. Nothing is stored.
        ConflictError: an earlier request with the same idempotency key stored something else.

    Source: blob-api 2 to 4, route 2; limits 1.
    """
    require_user_id(user_id)
    is_direct = parse_upload_mode(sent.query)
    announced = parse_blob_headers(sent.headers, is_direct=is_direct)
    call.require(user_id)
    blob = Blob(
        BlobKind.BLOBS, new_blob_id(call, BlobKind.BLOBS, user_id, sent), user_id, announced.media_type, call.now_ms
    )
    with_announced = replace(blob, digest_md5=announced.digest_md5, size_bytes=announced.size_bytes)
    if is_direct:
        return blobs_storing.open_upload(call, with_announced, ports)
    if sent.content:
        storing = blobs_storing.store_under_new_id if sent.idempotency_key is None else blobs_storing.store
        return storing(call, with_announced, sent.content, ports), None
    if announced.digest_md5 is not None:
        with_digest(with_announced, sent.content)
    return blobs_storing.add_once(blob, ports), None


def new_blob_id(call: Call, kind: BlobKind, user_id: str, sent: UploadRequest) -> str:
    """The id of a new blob or device log: the same for all requests of a user with one idempotency key."""
    return call.new_id() if sent.idempotency_key is None else derived_id(kind, user_id, sent.idempotency_key)


def get(call: Call, blob_id: str, ports: BlobPorts) -> Blob:
    """A blob.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id.
        UnauthorizedError: the caller may not view the blobs of its user.

    Source: blob-api, route 4.
    """
    return _find_or_refuse(call, blob_id, ports)


def read(call: Call, blob_id: str, ports: BlobPorts) -> Download:
    """A blob's content.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id, or its content has not arrived.
        UnauthorizedError: the caller may not view the blobs of its user.

    Source: blob-api 7, route 5; limits 1.
    """
    return download_of(_find_or_refuse(call, blob_id, ports), ports.contents)


def delete(call: Call, blob_id: str, query: Mapping[str, Sequence[str]], ports: BlobPorts) -> None:
    """Delete a blob and its content.

    Raises:
        InvalidPathError, InvalidFieldsError: id or revision is of the wrong form.
        BlobNotFoundError: there is none with this id, or not in this revision.
        UnauthorizedError: the caller may not delete the blobs of its user.

    Source: blob-api 8, route 6.
    """
    revision = parse_revision(query)
    blob = _find_or_refuse(call, blob_id, ports, revision)
    if revision is not None and blob.revision != revision:
        raise BlobNotFoundError(blob_id, revision)
    blobs_storing.remove(blob, ports)


def delete_all(call: Call, user_id: str, ports: BlobPorts) -> None:
    """Delete all blobs of a user, of any status, but not the device logs.

    Raises:
        InvalidPathError: the user id is of the wrong form.
        UnauthorizedError: the caller may not delete the user's blobs.

    Source: blob-api 8, route 3.
    """
    require_user_id(user_id)
    call.require(user_id)
    blobs_storing.remove_all(BlobKind.BLOBS, user_id, ports)


def require_blob_id(blob_id: str) -> None:
    """Raise InvalidPathError unless the text has the form of an id of a blob or device log. Source: errors 4."""
    if _BLOB_ID.fullmatch(blob_id) is None:
        raise InvalidPathError("id")


def download_of(blob: Blob, contents: ContentStore) -> Download:
    """The content of a blob, or the address of one that is too large for a reply.

    Raises:
        BlobNotFoundError: the content has not arrived.
    """
    if not blob.is_available or blob.size_bytes is None:
        raise BlobNotFoundError(blob.id)
    if blob.size_bytes > INLINE_BYTES:
        return Download(blob, url=contents.download_url(blob))
    content = contents.read(blob.content_key)
    if content is None:
        raise BlobNotFoundError(blob.id)
    return Download(blob, content=content)


def _find_or_refuse(call: Call, blob_id: str, ports: BlobPorts, revision: int | None = None) -> Blob:
    require_blob_id(blob_id)
    blob = ports.blobs.find(BlobKind.BLOBS, blob_id)
    if blob is None:
        raise BlobNotFoundError(blob_id, revision)
    call.require(blob.user_id)
    return blob
