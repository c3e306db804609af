"""Metrics over HTTP: events, which are recorded without a second attempt, and daily counts. Source: metrics-api."""

from typing import Any

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.metrics import (
    GET_METRICS_STATUS,
    READ_COUNTS,
    RECORD_FOR_SERVER,
    RECORD_FOR_THIS_USER,
    RECORD_FOR_USER,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.errors import UnavailableError
from chalicelib.metrics import event as metrics
from chalicelib.metrics.counts import read_counts
from chalicelib.metrics.event import Occurrence, SubjectKind
from chalicelib.metrics.ports import DailyCount
from chalicelib.observability import logger

LOST_EVENTS = "LostMetricsEvents"

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_METRICS_STATUS)
def get_status(_request: Request) -> Reply:
    """The status of metrics. Source: metrics-api 1."""
    return Reply({"status": "ok"})


@blueprint.operation(RECORD_FOR_USER)
def record_for_user(request: Request) -> Reply:
    """Record an event of the user in the path; the reply is empty. Source: metrics-api 1."""
    token, sessions = request.headers.get("x-tidepool-session-token"), request.services.accounts.sessions
    metrics.require_valid_token(request.call, token, sessions)
    return _record(request, SubjectKind.USER, request.path["userId"])


@blueprint.operation(RECORD_FOR_THIS_USER)
def record_for_this_user(request: Request) -> Reply:
    """Record an event of the caller; the reply is empty. Source: metrics-api 1."""
    return _record(request, SubjectKind.THIS_USER, metrics.this_user(request.call))


@blueprint.operation(RECORD_FOR_SERVER)
def record_for_server(request: Request) -> Reply:
    """Record an event of the server in the path; the reply is empty. Source: metrics-api 1."""
    metrics.require_recorder(request.call)
    return _record(request, SubjectKind.SERVER, request.path["serverName"])


@blueprint.operation(READ_COUNTS)
def get_counts(request: Request) -> Reply:
    """The daily counts, by date, then by name, as a bare array. Source: docs/metrics.md."""
    counts = read_counts(request.call, request.query, request.services.metrics)
    return Reply([_as_count(count) for count in counts])


def _as_count(count: DailyCount) -> dict[str, Any]:
    return {"date": count.day.isoformat(), "eventName": count.event_name, "count": count.count}


def _record(request: Request, kind: SubjectKind, subject: str) -> Reply:
    """An empty reply, whether or not the event reaches the stream. An event that does not is counted as lost."""
    path_as_sent = str(blueprint.current_request.context.get("path", ""))
    if "eventName" not in request.path and not path_as_sent.endswith("/"):
        path = request.operation.paths[1].format(**request.path).rstrip("/")
        return Reply({"code": "ResourceNotFound", "message": f"{path} does not exist"}, status=404)
    occurrence = Occurrence(kind, subject, request.path.get("eventName", ""), request.query)
    try:
        metrics.record(request.call, occurrence, request.services.metrics)
    except UnavailableError as error:
        _count_lost(request, error)
    return Reply()


def _count_lost(request: Request, error: UnavailableError) -> None:
    """Increase the metric that the alarm watches, and log the cause."""
    logger.warning("event lost", trace=request.trace.request, cause=type(error.__cause__ or error).__name__)
    request.services.count(LOST_EVENTS, 1)
