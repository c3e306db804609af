"""The operation table: all routes, each with its method, paths, policy, error format and success status.

The routes, the tests of all routes and the published API description are built from it. Path parameters are in braces;
several paths are several spellings of one operation (clients 1.2).
"""

from chalicelib.access.policy import (
    ANYONE,
    CUSTODIANS,
    DATA_SET_DELETERS,
    DATA_SET_LISTERS,
    OWNER_AND_SERVERS,
    READERS,
    SERVERS,
    UPLOADERS,
)
from chalicelib.api.operations.account_pages import ACCOUNT_PAGE_OPERATIONS
from chalicelib.api.operations.accounts import ACCOUNT_OPERATIONS
from chalicelib.api.operations.blobs import BLOB_OPERATIONS
from chalicelib.api.operations.confirm import CONFIRM_OPERATIONS
from chalicelib.api.operations.data_sources import DATA_SOURCE_OPERATIONS
from chalicelib.api.operations.logins import LOGIN_OPERATIONS
from chalicelib.api.operations.metadata import METADATA_OPERATIONS
from chalicelib.api.operations.metrics import METRICS_OPERATIONS
from chalicelib.api.operations.nightscout import NIGHTSCOUT_OPERATIONS
from chalicelib.api.operations.nightscout_v3 import NIGHTSCOUT_V3_OPERATIONS
from chalicelib.api.operations.notes import NOTE_OPERATIONS
from chalicelib.api.operations.oidc import OIDC_OPERATIONS
from chalicelib.api.operations.operation import ErrorFormat, Operation, data_paths
from chalicelib.api.operations.other_services import OTHER_SERVICE_OPERATIONS
from chalicelib.api.operations.restricted_tokens import RESTRICTED_TOKEN_OPERATIONS
from chalicelib.api.operations.summaries import SUMMARY_OPERATIONS
from chalicelib.api.operations.tasks import TASK_OPERATIONS
from chalicelib.reading.read_ahead import HEAD, MANIFEST, OWNER

ENVELOPE = ErrorFormat.PLATFORM_ENVELOPE

GET_STATUS = Operation("status.get", "GET", ("/status",), ANYONE, summary="Whether the platform answers")
GET_VERSION = Operation("version.get", "GET", ("/version",), ANYONE, summary="Which version answers")
GET_INFO = Operation("info.get", "GET", ("/info",), ANYONE, summary="Versions that clients need, where to sign in")
GET_TIME = Operation("time.get", "GET", data_paths("/time"), ANYONE, ENVELOPE, summary="The platform's clock")
GET_STAGE = Operation(
    "stage.get",
    "GET",
    ("/v1/stage",),
    SERVERS,
    summary="The figures of the stage: users, last data, storage, tasks, refused uploads",
    has_resource=False,
)
GET_OPENAPI = Operation(
    "reference.openapi", "GET", ("/openapi.json",), ANYONE, summary="This description, in OpenAPI 3.1"
)
GET_DOCS = Operation("reference.docs", "GET", ("/docs",), ANYONE, summary="This description, as a page to read")
GET_ASSET = Operation(
    "page.asset",
    "GET",
    ("/assets/{digest}/{name}",),
    ANYONE,
    summary="A file of the page at the address of the stage, which browsers keep",
    has_resource=False,
)

CREATE_DATA_SET = Operation(
    "data_sets.create",
    "POST",
    data_paths("/users/{userId}/data_sets", "/users/{userId}/datasets"),
    UPLOADERS,
    ENVELOPE,
    201,
    summary="Open a data set",
)
LIST_DATA_SETS = Operation(
    "data_sets.list",
    "GET",
    data_paths("/users/{userId}/data_sets"),
    DATA_SET_LISTERS,
    summary="The data sets of a user, newest first, as a bare array",
)
LIST_DATASETS = Operation(
    "datasets.list",
    "GET",
    data_paths("/users/{userId}/datasets"),
    READERS,
    ENVELOPE,
    summary="The data sets of a user, newest first, in an envelope",
)
GET_DATA_SET = Operation(
    "data_sets.get", "GET", data_paths("/data_sets/{dataSetId}"), OWNER_AND_SERVERS, summary="One data set"
)
UPDATE_DATA_SET = Operation(
    "data_sets.update",
    "PUT",
    data_paths("/data_sets/{dataSetId}", "/datasets/{dataSetId}"),
    UPLOADERS,
    ENVELOPE,
    summary="Close a data set; servers may change some fields of a continuous one",
)
DELETE_DATA_SET = Operation(
    "data_sets.delete",
    "DELETE",
    data_paths("/data_sets/{dataSetId}", "/datasets/{dataSetId}"),
    DATA_SET_DELETERS,
    ENVELOPE,
    summary="Delete a data set and its data",
)
ADD_DATA = Operation(
    "data.add",
    "POST",
    data_paths("/data_sets/{dataSetId}/data", "/datasets/{dataSetId}/data"),
    UPLOADERS,
    ENVELOPE,
    summary="Add data to a data set, all or nothing",
    reads_ahead=(HEAD,),
)
DELETE_DATA = Operation(
    "data.delete",
    "DELETE",
    data_paths("/data_sets/{dataSetId}/data"),
    UPLOADERS,
    ENVELOPE,
    summary="Delete selected data of a data set",
    reads_ahead=(HEAD,),
)
DELETE_USER_DATA = Operation(
    "data.erase",
    "DELETE",
    data_paths("/users/{userId}/data"),
    OWNER_AND_SERVERS,
    ENVELOPE,
    summary="Erase all data of a user",
)
LIST_REJECTIONS = Operation(
    "refusals.list",
    "GET",
    data_paths("/users/{userId}/refusals"),
    CUSTODIANS,
    summary="The last refused uploads of a user, newest first, without values",
)
GET_FRESHNESS = Operation(
    "freshness.get",
    "GET",
    data_paths("/users/{userId}/freshness"),
    READERS,
    summary="The newest times of a user's data, by client and type",
)
READ_DATA = Operation(
    "data.read",
    "GET",
    ("/data/{userId}",),
    READERS,
    ErrorFormat.READ,
    summary="The data of a user, filtered",
    reads_ahead=(OWNER, MANIFEST),
)
EXPORT_DATA = Operation(
    "data.export",
    "GET",
    ("/export/{userId}",),
    READERS,
    ErrorFormat.READ,
    summary="The data of a user as a file, for Excel or in JSON",
    reads_ahead=(OWNER, MANIFEST),
)
GET_DATA_STATUS = Operation(
    "data_status.get", "GET", ("/data/status",), ANYONE, ErrorFormat.READ, summary="Whether data can be read"
)

OPERATIONS: tuple[Operation, ...] = (
    GET_STATUS,
    GET_VERSION,
    GET_INFO,
    GET_TIME,
    GET_STAGE,
    CREATE_DATA_SET,
    LIST_DATA_SETS,
    LIST_DATASETS,
    GET_DATA_SET,
    UPDATE_DATA_SET,
    DELETE_DATA_SET,
    ADD_DATA,
    DELETE_DATA,
    DELETE_USER_DATA,
    LIST_REJECTIONS,
    GET_FRESHNESS,
    READ_DATA,
    EXPORT_DATA,
    GET_DATA_STATUS,
    *DATA_SOURCE_OPERATIONS,
    *SUMMARY_OPERATIONS,
    *ACCOUNT_OPERATIONS,
    *METADATA_OPERATIONS,
    *RESTRICTED_TOKEN_OPERATIONS,
    *LOGIN_OPERATIONS,
    *CONFIRM_OPERATIONS,
    *OIDC_OPERATIONS,
    *ACCOUNT_PAGE_OPERATIONS,
    *BLOB_OPERATIONS,
    *NOTE_OPERATIONS,
    *METRICS_OPERATIONS,
    *TASK_OPERATIONS,
    *OTHER_SERVICE_OPERATIONS,
    *NIGHTSCOUT_OPERATIONS,
    *NIGHTSCOUT_V3_OPERATIONS,
    GET_OPENAPI,
    GET_DOCS,
    GET_ASSET,
)
