"""Blobs over HTTP. Source: blob-api, routes 1 to 6."""

from typing import Any

from chalicelib.api.messages import Reply, Request, idempotency_key
from chalicelib.api.operations.blobs import (
    CREATE_BLOB,
    DELETE_BLOB,
    DELETE_BLOBS,
    GET_BLOB,
    LIST_BLOBS,
    READ_BLOB,
)
from chalicelib.api.rendering import ELSEWHERE, PLAIN_TEXT
from chalicelib.api.routing import ApiBlueprint
from chalicelib.blobs import manage as blobs
from chalicelib.blobs.blob import as_blob
from chalicelib.blobs.headers import UploadRequest
from chalicelib.blobs.manage import Download
from chalicelib.blobs.ports import Upload
from chalicelib.model.times import format_time

NOT_A_PAGE = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
"""Headers of a content: whatever it is, a browser must not treat it as a page of this origin."""

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_BLOBS)
def list_blobs(request: Request) -> Reply:
    """A page of the blobs of a user, newest first, as a bare array."""
    found = blobs.list_of_user(request.call, request.path["userId"], request.query, request.services.blobs)
    return Reply([as_blob(blob) for blob in found])


@blueprint.operation(CREATE_BLOB)
def create_blob(request: Request) -> Reply:
    """The new blob, with the request to upload its content when `upload=direct` asks for one."""
    blob, upload = blobs.create(request.call, request.path["userId"], upload_request(request), request.services.blobs)
    return Reply(as_blob(blob) | upload_member(upload))


@blueprint.operation(DELETE_BLOBS)
def delete_blobs(request: Request) -> Reply:
    """Delete all blobs of a user."""
    blobs.delete_all(request.call, request.path["userId"], request.services.blobs)
    return Reply()


@blueprint.operation(GET_BLOB)
def get_blob(request: Request) -> Reply:
    """One blob."""
    return Reply(as_blob(blobs.get(request.call, request.path["blobId"], request.services.blobs)))


@blueprint.operation(READ_BLOB)
def read_blob(request: Request) -> Reply:
    """The content of a blob, or a redirect to it."""
    return content_reply(blobs.read(request.call, request.path["blobId"], request.services.blobs))


@blueprint.operation(DELETE_BLOB)
def delete_blob(request: Request) -> Reply:
    """Delete a blob."""
    blobs.delete(request.call, request.path["blobId"], request.query, request.services.blobs)
    return Reply()


def upload_request(request: Request) -> UploadRequest:
    """The upload of a new blob or device log."""
    return UploadRequest(request.query, request.headers, request.body, idempotency_key(request))


def upload_member(upload: Upload | None) -> dict[str, Any]:
    """The member of a new blob or device log with the request that uploads its content. Source: limits 1."""
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


def content_reply(download: Download) -> Reply:
    """The content as it was uploaded, with type and digest; a redirect to a content that is too large for a reply.

    Source: blob-api 7.
    """
    headers = {"Content-Type": download.blob.media_type, "Digest": f"MD5={download.blob.digest_md5}"}
    if download.url is not None:
        # The address is signed for a few minutes: no cache may keep it.
        elsewhere = {"Location": download.url, "Cache-Control": "no-store", "Content-Type": PLAIN_TEXT}
        return Reply(ELSEWHERE, status=307, headers={**headers, **elsewhere})
    shown = {"Content-Disposition": download.blob.disposition, **NOT_A_PAGE}
    return Reply(download.content, headers={**headers, **shown}, is_binary=True)
