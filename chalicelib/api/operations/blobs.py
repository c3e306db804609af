"""The operations of the blob API: blobs and device logs. Source: blob-api 1."""

from chalicelib.access.policy import CUSTODIANS, DEVICE_LOG_READERS, DEVICE_LOG_UPLOADERS, READERS, UPLOADERS
from chalicelib.api.operations.operation import Operation

_USE_DIRECT_UPLOAD = (
    "content above 4.5 MB is uploaded directly to the store: send the same request without content to {path}"
    "?upload=direct, with the header X-Upload-Size, and then the content as the answer says"
)

LIST_BLOBS = Operation(
    "blobs.list", "GET", ("/v1/users/{userId}/blobs",), READERS, summary="The blobs of a user, newest first"
)
CREATE_BLOB = Operation(
    "blobs.create",
    "POST",
    ("/v1/users/{userId}/blobs",),
    UPLOADERS,
    success_status=201,
    summary="Store a blob, or open a direct upload of one",
    beyond_limit=_USE_DIRECT_UPLOAD.format(path="/v1/users/{userId}/blobs"),
)
DELETE_BLOBS = Operation(
    "blobs.delete_all",
    "DELETE",
    ("/v1/users/{userId}/blobs",),
    CUSTODIANS,
    success_status=204,
    summary="Delete all blobs of a user",
)
GET_BLOB = Operation("blobs.get", "GET", ("/v1/blobs/{blobId}",), READERS, summary="One blob, without its content")
READ_BLOB = Operation("blobs.read", "GET", ("/v1/blobs/{blobId}/content",), READERS, summary="The content of a blob")
DELETE_BLOB = Operation(
    "blobs.delete", "DELETE", ("/v1/blobs/{blobId}",), CUSTODIANS, success_status=204, summary="Delete a blob"
)
CREATE_DEVICE_LOG = Operation(
    "device_logs.create",
    "POST",
    ("/v1/users/{userId}/device_logs",),
    DEVICE_LOG_UPLOADERS,
    success_status=201,
    summary="Store a device log, or open a direct upload of one",
    beyond_limit=_USE_DIRECT_UPLOAD.format(path="/v1/users/{userId}/device_logs"),
)
LIST_DEVICE_LOGS = Operation(
    "device_logs.list",
    "GET",
    ("/v1/users/{userId}/device_logs",),
    DEVICE_LOG_READERS,
    summary="The device logs of a user, those created last first",
)
GET_DEVICE_LOG = Operation(
    "device_logs.get",
    "GET",
    ("/v1/device_logs/{logId}",),
    DEVICE_LOG_READERS,
    summary="One device log, without its content",
)
READ_DEVICE_LOG = Operation(
    "device_logs.read",
    "GET",
    ("/v1/device_logs/{logId}/content",),
    DEVICE_LOG_READERS,
    summary="The content of a device log",
)

BLOB_OPERATIONS = (
    LIST_BLOBS,
    CREATE_BLOB,
    DELETE_BLOBS,
    GET_BLOB,
    READ_BLOB,
    DELETE_BLOB,
    CREATE_DEVICE_LOG,
    LIST_DEVICE_LOGS,
    GET_DEVICE_LOG,
    READ_DEVICE_LOG,
)
