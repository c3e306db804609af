"""Summaries and profiles of glucose over HTTP. Source: summary-api 1 and 9.

Their rules are imported late: no other route needs them.
"""

from chalicelib.api.messages import Reply, Request, revalidation_headers
from chalicelib.api.operations.summaries import (
    COMPUTE_SUMMARY,
    GET_PROFILE_OF_GLUCOSE,
    GET_SUMMARY,
    LIST_MIGRATABLE_SUMMARIES,
    LIST_OUTDATED_SUMMARIES,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.model.query import PAGING, check_query
from chalicelib.model.times import format_time
from chalicelib.reading.etag import NotModifiedError, parse_known_etags

blueprint = ApiBlueprint(__name__)

_YEAR_1_MS = -62_135_596_800_000
"""0001-01-01T00:00:00Z, which the reference shows where there is no time."""


@blueprint.operation(GET_SUMMARY)
def get_summary(request: Request) -> Reply:
    """The summary of a type; 404 without data."""
    try:
        reply = _summary(request, parse_known_etags(request.headers.get("if-none-match", "")))
    except NotModifiedError as not_modified:
        return Reply(status=304, headers=revalidation_headers(not_modified.etag))
    return Reply({}, status=404) if reply.body is None else reply


@blueprint.operation(COMPUTE_SUMMARY)
def compute_summary(request: Request) -> Reply:
    """The summary of a type; `null` without data."""
    reply = _summary(request, frozenset())
    return Reply(b"null", headers=reply.headers) if reply.body is None else reply


def _summary(request: Request, known_etags: frozenset[str]) -> Reply:
    from chalicelib.summaries.read import read_summary
    from chalicelib.summaries.summary import SUMMARY_TYPES, SummaryKey

    key = SummaryKey(request.path["userId"], request.path["summaryType"])
    if key.type not in SUMMARY_TYPES:
        return _UNKNOWN_TYPE
    found = read_summary(request.call, key, request.services.summaries, known_etags)
    if found is None:
        return Reply(headers=revalidation_headers(None))
    return Reply(found.body, headers=revalidation_headers(found.etag))


@blueprint.operation(LIST_OUTDATED_SUMMARIES)
def list_outdated_summaries(request: Request) -> Reply:
    """An empty page: every summary is computed when it is asked for."""
    year_1 = format_time(_YEAR_1_MS)
    return _page(request, {"userIds": [], "start": year_1, "end": year_1})


@blueprint.operation(LIST_MIGRATABLE_SUMMARIES)
def list_migratable_summaries(request: Request) -> Reply:
    """An empty page."""
    return _page(request, [])


def _page(request: Request, body: object) -> Reply:
    from chalicelib.summaries.summary import SUMMARY_TYPES

    request.call.require()
    if request.path["summaryType"] not in SUMMARY_TYPES:
        return _UNKNOWN_TYPE
    check_query({name: request.query[name] for name in PAGING if name in request.query}, PAGING)
    return Reply(body)


@blueprint.operation(GET_PROFILE_OF_GLUCOSE)
def get_profile_of_glucose(request: Request) -> Reply:
    """The ambulatory glucose profile; 404 without a reading in its window."""
    from chalicelib.summaries.profile_query import parse_profile_query
    from chalicelib.summaries.read import read_profile

    query = parse_profile_query(request.query)
    body = read_profile(request.call, request.path["userId"], query, request.services.summaries)
    return Reply({}, status=404) if body is None else Reply(body, headers=revalidation_headers(None))


_UNKNOWN_TYPE = Reply({"Error": "Resource not found"}, status=404)
"""The reply to an unknown type, which the reference treats as an unknown path."""
