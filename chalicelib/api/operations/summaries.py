"""The operations on summaries and profiles of glucose. Source: summary-api 1 and 9."""

from chalicelib.access.policy import READERS, SERVERS
from chalicelib.api.operations.operation import ErrorFormat, Operation, data_paths
from chalicelib.reading.read_ahead import MANIFEST, OWNER

GET_SUMMARY = Operation(
    "summaries.get",
    "GET",
    data_paths("/summaries/{summaryType}/{userId}"),
    READERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="Statistics of a user's glucose in the last 1, 7, 14 and 30 days",
    reads_ahead=(OWNER, MANIFEST),
)
COMPUTE_SUMMARY = Operation(
    "summaries.compute",
    "POST",
    data_paths("/summaries/{summaryType}/{userId}"),
    READERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="The same; every summary is computed when it is asked for",
    reads_ahead=(OWNER, MANIFEST),
)
LIST_OUTDATED_SUMMARIES = Operation(
    "summaries.list_outdated",
    "GET",
    data_paths("/summaries/outdated/{summaryType}"),
    SERVERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="Users whose summaries wait to be computed: none",
)
LIST_MIGRATABLE_SUMMARIES = Operation(
    "summaries.list_migratable",
    "GET",
    data_paths("/summaries/migratable/{summaryType}"),
    SERVERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="Users whose summaries have an old schema: none",
)
GET_PROFILE_OF_GLUCOSE = Operation(
    "agp.get",
    "GET",
    data_paths("/users/{userId}/agp"),
    READERS,
    ErrorFormat.PLATFORM_ENVELOPE,
    summary="The ambulatory glucose profile of a user",
    reads_ahead=(OWNER, MANIFEST),
)

SUMMARY_OPERATIONS: tuple[Operation, ...] = (
    GET_SUMMARY,
    COMPUTE_SUMMARY,
    LIST_OUTDATED_SUMMARIES,
    LIST_MIGRATABLE_SUMMARIES,
    GET_PROFILE_OF_GLUCOSE,
)
