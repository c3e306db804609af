"""The operations on data sources, partners and legacy uploads, of the Data API.

Source: data-api 1, routes 14 to 21, 23 and 25.
"""

from chalicelib.access.policy import ANYONE, OWNER_AND_SERVERS, SERVERS, USERS_WHO_UPLOAD
from chalicelib.api.operations.operation import ErrorFormat, Operation, data_paths

LIMIT_BYTES = 64 * 1024
"""The limit of a data source, which is one item."""

LIST_DATA_SOURCES = Operation(
    "data_sources.list",
    "GET",
    data_paths("/users/{userId}/data_sources"),
    OWNER_AND_SERVERS,
    summary="The data sources of a user, newest first",
)
CREATE_DATA_SOURCE = Operation(
    "data_sources.create",
    "POST",
    data_paths("/users/{userId}/data_sources"),
    SERVERS,
    success_status=201,
    summary="Add a data source, not connected yet",
    limit_bytes=LIMIT_BYTES,
)
DELETE_DATA_SOURCES = Operation(
    "data_sources.delete_all",
    "DELETE",
    data_paths("/users/{userId}/data_sources"),
    SERVERS,
    success_status=204,
    summary="Remove all data sources of a user",
)
GET_DATA_SOURCE = Operation(
    "data_sources.get",
    "GET",
    data_paths("/data_sources/{id}"),
    OWNER_AND_SERVERS,
    summary="One data source",
)
UPDATE_DATA_SOURCE = Operation(
    "data_sources.update",
    "PUT",
    data_paths("/data_sources/{id}"),
    SERVERS,
    summary="Connect, disconnect or otherwise change a data source",
    limit_bytes=LIMIT_BYTES,
)
DELETE_DATA_SOURCE = Operation(
    "data_sources.delete",
    "DELETE",
    data_paths("/data_sources/{id}"),
    SERVERS,
    summary="Remove a data source",
)
GET_SESSION_DATA_SOURCE = Operation(
    "data_sources.get_of_session",
    "GET",
    data_paths("/provider_sessions/{id}/data_source"),
    SERVERS,
    summary="The data source that a session with a provider has connected",
)
ADD_TWIIST_DATA = Operation(
    "partners.add_twiist_data",
    "POST",
    data_paths("/partners/twiist/data/{tidepoolLinkId}"),
    SERVERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="Add data to the data set of a linked twiist account",
)
LIST_SECTORS = Operation(
    "partners.list_sectors",
    "GET",
    data_paths("/partners/{partner}/sector", "/partners/{partner}/sector/{environment}"),
    ANYONE,
    summary="The redirect addresses of a partner's sector",
)
UPLOAD_DATA = Operation(
    "data.upload",
    "POST",
    ("/data/{userId}",),
    USERS_WHO_UPLOAD,
    summary="The old way to upload: records and the description of their data set in one array",
)

DATA_SOURCE_OPERATIONS = (
    LIST_DATA_SOURCES,
    CREATE_DATA_SOURCE,
    DELETE_DATA_SOURCES,
    GET_DATA_SOURCE,
    UPDATE_DATA_SOURCE,
    DELETE_DATA_SOURCE,
    GET_SESSION_DATA_SOURCE,
    ADD_TWIIST_DATA,
    LIST_SECTORS,
    UPLOAD_DATA,
)
