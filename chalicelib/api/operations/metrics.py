"""The operations of the metrics API. Source: metrics-api 1; docs/metrics.md.

An event's name may be empty, and then the path ends in a slash.
"""

from chalicelib.access.policy import ANYONE, SERVERS, Policy
from chalicelib.api.operations.operation import ErrorFormat, Operation

NODE = ErrorFormat.NODE
THEMSELVES = Policy(owner=True)

GET_METRICS_STATUS = Operation(
    "metrics.status", "GET", ("/metrics/status",), ANYONE, NODE, summary="Whether metrics answer"
)
RECORD_FOR_USER = Operation(
    "metrics.record_for_user",
    "GET",
    ("/metrics/user/{userId}/{eventName}", "/metrics/user/{userId}/"),
    ANYONE,
    NODE,
    summary="Record an event of the user in the path; a token is not needed, and must be valid when it is sent",
)
RECORD_FOR_THIS_USER = Operation(
    "metrics.record_for_this_user",
    "GET",
    ("/metrics/thisuser/{eventName}", "/metrics/thisuser/"),
    THEMSELVES,
    NODE,
    summary="Record an event of the user who sends it",
)
RECORD_FOR_SERVER = Operation(
    "metrics.record_for_server",
    "GET",
    ("/metrics/server/{serverName}/{eventName}", "/metrics/server/{serverName}/"),
    SERVERS,
    NODE,
    summary="Record an event of the server in the path",
)
READ_COUNTS = Operation(
    "metrics.read_counts",
    "GET",
    ("/v1/metrics/events",),
    SERVERS,
    summary="How often each event was recorded on each day, by date, then by name",
)

METRICS_OPERATIONS = (
    GET_METRICS_STATUS,
    RECORD_FOR_USER,
    RECORD_FOR_THIS_USER,
    RECORD_FOR_SERVER,
    READ_COUNTS,
)
