"""The operations of the Nightscout API's v3. Source: nightscout-api 9."""

from chalicelib.access.policy import ANYONE, NIGHTSCOUT_READERS, NIGHTSCOUT_UPLOADERS, Policy
from chalicelib.api.operations.operation import ErrorFormat, Operation

COLLECTION_PATHS = ("/api/v3/{collection}",)
DOCUMENT_PATHS = ("/api/v3/{collection}/{identifier}",)
LIMIT_BYTES = 16 * 1024


def _read(name: str, paths: tuple[str, ...], summary: str, policy: Policy = NIGHTSCOUT_READERS) -> Operation:
    return Operation(
        f"nightscout.v3.{name}",
        "GET",
        paths,
        policy,
        ErrorFormat.NIGHTSCOUT_V3,
        summary=summary,
        limit_bytes=LIMIT_BYTES,
        has_resource=False,
    )


def _write(name: str, method: str, paths: tuple[str, ...], summary: str, success_status: int = 200) -> Operation:
    return Operation(
        f"nightscout.v3.{name}",
        method,
        paths,
        NIGHTSCOUT_UPLOADERS,
        ErrorFormat.NIGHTSCOUT_V3,
        success_status=success_status,
        summary=summary,
        has_resource=False,
    )


GET_VERSION = _read("version", ("/api/v3/version",), "The versions of the Nightscout API and of the site", ANYONE)
GET_STATUS = _read("status", ("/api/v3/status",), "The versions, and what the credential may do")
GET_LAST_MODIFIED = _read("last_modified", ("/api/v3/lastModified",), "When each collection last changed")
SEARCH = _read("search", COLLECTION_PATHS, "Documents, filtered and ordered")
READ = _read("read", DOCUMENT_PATHS, "A document")
GET_HISTORY_SINCE_HEADER = _read(
    "history_since_header", ("/api/v3/{collection}/history",), "The documents that changed since a time in a header"
)
GET_HISTORY = _read(
    "history", ("/api/v3/{collection}/history/{since}",), "The documents that changed since a time, deleted ones too"
)
CREATE = _write("create", "POST", COLLECTION_PATHS, "Store a document", 201)
REPLACE = _write("replace", "PUT", DOCUMENT_PATHS, "Replace a document, or store it")
CHANGE = _write("change", "PATCH", DOCUMENT_PATHS, "Set members of a document")
DELETE = _write("delete", "DELETE", DOCUMENT_PATHS, "Delete a document")

NIGHTSCOUT_V3_OPERATIONS: tuple[Operation, ...] = (
    GET_VERSION,
    GET_STATUS,
    GET_LAST_MODIFIED,
    SEARCH,
    CREATE,
    READ,
    REPLACE,
    CHANGE,
    DELETE,
    GET_HISTORY_SINCE_HEADER,
    GET_HISTORY,
)
