"""What callers do with blobs: list, create, get, read, delete. Source: blob-api 1 to 8.

A caller reaches these functions with a valid credential; who has none was refused before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.access.call import Caller, GrantReader, require
from chalicelib.access.policy import CUSTODIANS, READERS, UPLOADERS, Policy
from chalicelib.access.user_ids import require_user_id
from chalicelib.blobs import content as blobs_storing
from chalicelib.blobs.blob import Blob, Collection
from chalicelib.blobs.content import with_digest
from chalicelib.blobs.headers import announced_blob
from chalicelib.blobs.ports import BlobStore, ContentStore, Upload
from chalicelib.blobs.query import parse_blob_query, parse_revision, parse_upload_mode
from chalicelib.errors import BlobNotFoundError, InvalidPathError

INLINE_BYTES = 4 * 1024 * 1024
"""The largest content that an answer holds itself: base64 makes it 5.6 MB, and Lambda answers at most 6 MB."""

_BLOB_ID = re.compile(r"[0-9a-z]{32}")


@dataclass(frozen=True, slots=True)
class Content:
    """A content on its way to a client: the bytes, or, when they are too many for an answer, an address of them."""

    blob: Blob
    bytes_: bytes | None = None
    url: str | None = None


def list_of_user(
    caller: Caller, user_id: str, query: Mapping[str, Sequence[str]], *, blobs: BlobStore, grants: GrantReader
) -> list[Blob]:
    """A page of a user's blobs, newest first.

    Raises:
        InvalidPathError, InvalidFieldsError: the user id or the query is of the wrong form.
        UnauthorizedError: the caller may not view what is the user's.

    Source: blob-api 6, route 1.
    """
    require_user_id(user_id)
    wanted = parse_blob_query(query)
    require(caller, user_id, READERS, grants)
    selected = filter(wanted.selects, blobs.of_user(Collection.BLOBS, user_id))
    return list(islice(selected, wanted.page.first, wanted.page.end))


def create(
    caller: Caller,
    user_id: str,
    query: Mapping[str, Sequence[str]],
    headers: Mapping[str, str],
    content: bytes,
    *,
    blobs: BlobStore,
    contents: ContentStore,
    grants: GrantReader,
    now_ms: int,
    new_id: str,
) -> tuple[Blob, Upload | None]:
    """A new blob of a user: available with its content, or `created`, with or without a request to upload it.

    Args:
        headers: by lower-case names.
        content: the bytes; without any, the blob waits for its content. A direct upload leaves them aside.

    Raises:
        InvalidPathError, InvalidFieldsError, MissingHeaderError, InvalidHeaderError: the request is of the wrong form.
        TooLargeError: the announced size is above 100 MiB.
        UnauthorizedError: the caller may not upload for the user.
        UnequalDigestsError: the content has another digest than announced. Nothing is stored.

    Source: blob-api 2 to 4, route 2; limits 1.
    """
    require_user_id(user_id)
    is_direct = parse_upload_mode(query)
    announced = announced_blob(headers, is_direct=is_direct)
    require(caller, user_id, UPLOADERS, grants)
    blob = Blob(
        Collection.BLOBS, new_id, user_id, announced.media_type, now_ms, announced.digest_md5, announced.size_bytes
    )
    if is_direct:
        return blob, blobs_storing.open_upload(blob, blobs=blobs, contents=contents, now_ms=now_ms)
    if content:
        return blobs_storing.store(blob, content, blobs=blobs, contents=contents, now_ms=now_ms), None
    if blob.digest_md5 is not None:
        with_digest(blob, content)
    blob = Blob(Collection.BLOBS, new_id, user_id, announced.media_type, now_ms)
    blobs.add(blob)
    return blob, None


def get(caller: Caller, blob_id: str, *, blobs: BlobStore, grants: GrantReader) -> Blob:
    """A blob.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id.
        UnauthorizedError: the caller may not view what is its user's.

    Source: blob-api, route 4.
    """
    return _found(caller, blob_id, READERS, blobs, grants)


def read(caller: Caller, blob_id: str, *, blobs: BlobStore, contents: ContentStore, grants: GrantReader) -> Content:
    """A blob's content.

    Raises:
        InvalidPathError: the id is of the wrong form.
        BlobNotFoundError: there is none with this id, or its content has not come.
        UnauthorizedError: the caller may not view what is its user's.

    Source: blob-api 7, route 5; limits 1.
    """
    return content_of(_found(caller, blob_id, READERS, blobs, grants), contents)


def delete(
    caller: Caller,
    blob_id: str,
    query: Mapping[str, Sequence[str]],
    *,
    blobs: BlobStore,
    contents: ContentStore,
    grants: GrantReader,
) -> None:
    """Deletes a blob and its content.

    Raises:
        InvalidPathError, InvalidFieldsError: id or revision is of the wrong form.
        BlobNotFoundError: there is none with this id, or not in this revision.
        UnauthorizedError: the caller may not delete what is its user's.

    Source: blob-api 8, route 6.
    """
    revision = parse_revision(query)
    blob = _found(caller, blob_id, CUSTODIANS, blobs, grants, revision)
    if revision is not None and blob.revision != revision:
        raise BlobNotFoundError(blob_id, revision)
    blobs_storing.remove(blob, blobs=blobs, contents=contents)


def delete_all(caller: Caller, user_id: str, *, blobs: BlobStore, contents: ContentStore, grants: GrantReader) -> None:
    """Deletes all blobs of a user, of any status, but not the device logs.

    Raises:
        InvalidPathError: the user id is of the wrong form.
        UnauthorizedError: the caller may not delete what is the user's.

    Source: blob-api 8, route 3.
    """
    require_user_id(user_id)
    require(caller, user_id, CUSTODIANS, grants)
    blobs_storing.remove_all(Collection.BLOBS, user_id, blobs=blobs, contents=contents)


def require_blob_id(blob_id: str) -> None:
    """Nothing, when the text has the form of an id of a blob or device log; else InvalidPathError. Source: errors 4."""
    if _BLOB_ID.fullmatch(blob_id) is None:
        raise InvalidPathError("id")


def content_of(blob: Blob, contents: ContentStore) -> Content:
    """The content of a blob, or the address of one that is too large for an answer.

    Raises:
        BlobNotFoundError: the content has not come.
    """
    if not blob.is_available or blob.size_bytes is None:
        raise BlobNotFoundError(blob.id)
    if blob.size_bytes > INLINE_BYTES:
        return Content(blob, url=contents.download_url(blob))
    content = contents.read(blob.content_key)
    if content is None:
        raise BlobNotFoundError(blob.id)
    return Content(blob, bytes_=content)


def _found(
    caller: Caller,
    blob_id: str,
    policy: Policy,
    blobs: BlobStore,
    grants: GrantReader,
    revision: int | None = None,
) -> Blob:
    require_blob_id(blob_id)
    blob = blobs.find(Collection.BLOBS, blob_id)
    if blob is None:
        raise BlobNotFoundError(blob_id, revision)
    require(caller, blob.user_id, policy, grants)
    return blob
