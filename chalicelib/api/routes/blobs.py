"""Blobs over HTTP. Source: blob-api, routes 1 to 6."""

from collections.abc import Callable
from typing import Any

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.blobs import (
    CREATE_BLOB,
    DELETE_BLOB,
    DELETE_BLOBS,
    GET_BLOB,
    LIST_BLOBS,
    READ_BLOB,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.blobs import manage as blobs
from chalicelib.blobs.blob import Blob, as_blob
from chalicelib.blobs.manage import Content
from chalicelib.blobs.ports import Upload
from chalicelib.model.times import format_time

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_BLOBS)
def list_blobs(request: Request) -> Reply:
    """A page of the blobs of a user, newest first, as a bare array."""
    ours = request.services
    found = blobs.list_of_user(
        request.caller, request.path["userId"], request.query, blobs=ours.blobs.blobs, grants=ours.accounts.grants
    )
    return Reply([as_blob(blob) for blob in found])


@blueprint.operation(CREATE_BLOB)
def create_blob(request: Request) -> Reply:
    """The new blob, with the request to upload its content when `upload=direct` asks for one."""
    blob, upload = created(blobs.create, request)
    return Reply(as_blob(blob) | upload_member(upload))


@blueprint.operation(DELETE_BLOBS)
def delete_blobs(request: Request) -> Reply:
    """Nothing, once all blobs of a user are deleted."""
    ours = request.services
    blobs.delete_all(
        request.caller,
        request.path["userId"],
        blobs=ours.blobs.blobs,
        contents=ours.blobs.contents,
        grants=ours.accounts.grants,
    )
    return Reply()


@blueprint.operation(GET_BLOB)
def get_blob(request: Request) -> Reply:
    """One blob."""
    ours = request.services
    return Reply(
        as_blob(blobs.get(request.caller, request.path["blobId"], blobs=ours.blobs.blobs, grants=ours.accounts.grants))
    )


@blueprint.operation(READ_BLOB)
def read_blob(request: Request) -> Reply:
    """The content of a blob, or the way to it."""
    ours = request.services
    content = blobs.read(
        request.caller,
        request.path["blobId"],
        blobs=ours.blobs.blobs,
        contents=ours.blobs.contents,
        grants=ours.accounts.grants,
    )
    return content_answer(content)


@blueprint.operation(DELETE_BLOB)
def delete_blob(request: Request) -> Reply:
    """Nothing, once the blob is deleted."""
    ours = request.services
    blobs.delete(
        request.caller,
        request.path["blobId"],
        request.query,
        blobs=ours.blobs.blobs,
        contents=ours.blobs.contents,
        grants=ours.accounts.grants,
    )
    return Reply()


def created(create: Callable[..., tuple[Blob, Upload | None]], request: Request) -> tuple[Blob, Upload | None]:
    """What `create` makes of the request: a blob or a device log, and how to bring its content."""
    ours = request.services
    return create(
        request.caller,
        request.path["userId"],
        request.query,
        request.headers,
        request.body,
        blobs=ours.blobs.blobs,
        contents=ours.blobs.contents,
        grants=ours.accounts.grants,
        now_ms=request.now_ms,
        new_id=ours.new_id(),
    )


def upload_member(upload: Upload | None) -> dict[str, Any]:
    """The member of a created blob or device log that says how to bring its content. Source: limits 1."""
    if upload is None:
        return {}
    return {
        "upload": {
            "method": upload.method,
            "url": upload.url,
            "headers": dict(upload.headers),
            "expiresTime": format_time(upload.expires_time_ms),
        }
    }


def content_answer(content: Content) -> Reply:
    """The bytes as they were sent, with type and digest; a redirect to where they are when they are too many.

    Source: blob-api 7.
    """
    headers = {"Content-Type": content.blob.media_type, "Digest": f"MD5={content.blob.digest_md5}"}
    if content.url is not None:
        # The address is signed for a few minutes: no cache may keep it.
        return Reply(status=307, headers={**headers, "Location": content.url, "Cache-Control": "no-store"})
    return Reply(content.bytes_, headers=headers, is_binary=True)
