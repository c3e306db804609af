"""Use cases of blobs and device logs, and of the notices that their contents have come."""

import base64
import hashlib
import json
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ReadTimeoutError

from chalicelib.blobs.blob import BlobKind
from tests.infra.rights.stage import SETTINGS, Stage, User

CONTENT = b"hello world"
LARGE_CONTENT = CONTENT * 400_000
HEADERS = {
    "blobs": {"Content-Type": "text/plain"},
    "device_logs": {
        "Content-Type": "application/json; charset=utf-8",
        "X-Logs-Start-At-Time": "2026-01-01T00:00:00Z",
        "X-Logs-End-At-Time": "2026-01-01T01:00:00Z",
    },
}


def create(stage: Stage, user: User, kind: str, content: bytes = CONTENT) -> dict[str, Any]:
    """A blob whose content comes along."""
    reply = stage.request("POST", _of(user, kind), content, token=user.token, **_headers(kind, content))
    created: dict[str, Any] = reply.json()
    return created


def open_upload(stage: Stage, user: User, kind: str, content: bytes = CONTENT) -> dict[str, Any]:
    """A blob whose content is to come."""
    headers = _headers(kind, content) | {"X-Upload-Size": str(len(content))}
    reply = stage.request("POST", f"{_of(user, kind)}?upload=direct", b"", token=user.token, **headers)
    created: dict[str, Any] = reply.json()
    return created


def put_content(user: User, kind: str, blob_id: str, content: bytes = CONTENT) -> str:
    """The key under which the client of a direct upload has put a content."""
    key = f"{kind}/{user.id}/{blob_id}"
    boto3.client("s3", region_name=SETTINGS.region).put_object(Bucket=SETTINGS.bucket, Key=key, Body=content)
    return key


def notify(stage: Stage, *keys: str) -> None:
    """Lets the bucket say that contents have come."""
    records = [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}} for key in keys]
    answer = stage.invoke_with_messages(
        "on_object_created", SETTINGS.blob_events_queue, [json.dumps({"Records": records})]
    )
    assert answer == {"batchItemFailures": []}


def blobs(stage: Stage) -> None:
    """Blobs: created, listed, read, of which one is too large for an answer, and deleted."""
    user = stage.sign_up("blobs")
    for content in (CONTENT, LARGE_CONTENT):
        path = f"/v1/blobs/{create(stage, user, 'blobs', content)['id']}"
        stage.request("GET", path, token=user.token)
        stage.request("GET", f"{path}/content", token=user.token)
    stage.request("GET", _of(user, "blobs"), token=user.token)
    stage.request("DELETE", path, token=user.token)
    open_upload(stage, user, "blobs")
    stage.request("DELETE", _of(user, "blobs"), token=stage.server)


def device_logs(stage: Stage) -> None:
    """Device logs: created, listed and read, of which one is too large for an answer."""
    user = stage.sign_up("logs")
    for content in (CONTENT, LARGE_CONTENT):
        path = f"/v1/device_logs/{create(stage, user, 'device_logs', content)['id']}"
        stage.request("GET", path, token=user.token)
        stage.request("GET", f"{path}/content", token=user.token)
    stage.request("GET", _of(user, "device_logs"), token=user.token)
    open_upload(stage, user, "device_logs", b"a content that is to come")


def content_that_cannot_be_stored(stage: Stage) -> None:
    """Blobs that are removed again, and device logs that stay for a repetition, since S3 is not reached."""
    user = stage.sign_up("unreached")
    for kind in BlobKind:
        stage.recorder.interrupt("s3:PutObject", _fail)
        headers = _headers(kind, CONTENT)
        stage.request_for(503, "POST", _of(user, kind), CONTENT, token=user.token, **headers)


def _fail() -> None:
    raise ReadTimeoutError(endpoint_url="https://s3.example.org")


def notices(stage: Stage) -> None:
    """Notices of contents: the announced one, twice; another one; an absent one; and one of no blob."""
    user = stage.sign_up("notices")
    for kind in BlobKind:
        contents = (CONTENT, b"the announced content", b"a content that stays away")
        announced, other, absent = (open_upload(stage, user, kind, content)["id"] for content in contents)
        key = put_content(user, kind, announced)
        notify(stage, key, key)
        notify(stage, put_content(user, kind, other, b"another content"))
        notify(stage, f"{kind}/{user.id}/{absent}", f"{kind}/{user.id}/{'0' * 32}")


def blob_removed_while_its_content_comes(stage: Stage) -> None:
    """A notice whose blob is removed while it is handled."""
    user = stage.sign_up("meanwhile")
    for kind in BlobKind:
        blob_id = open_upload(stage, user, kind)["id"]
        key = put_content(user, kind, blob_id)
        stage.recorder.interrupt("s3:PutObjectTagging", partial(_remove, stage, kind, blob_id))
        notify(stage, key)


def _remove(stage: Stage, kind: BlobKind, blob_id: str) -> None:
    blob = stage.services.blobs.blobs.find(kind, blob_id)
    assert blob is not None
    stage.services.blobs.blobs.remove([blob])


USE_CASES = (blobs, device_logs, content_that_cannot_be_stored, notices, blob_removed_while_its_content_comes)


def _of(user: User, kind: str) -> str:
    return f"/v1/users/{user.id}/{kind}"


def _headers(kind: str, content: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return HEADERS[kind] | {"Digest": f"MD5={digest}"}
