"""Reading summaries and profiles of a user's glucose. They are computed when they are asked for.

Source: summary-api 1 and 9.
"""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.errors import UnauthorizedError
from chalicelib.frozen import frozen
from chalicelib.glucose.reading import CBG
from chalicelib.summaries.etag import etag_until, require_changed
from chalicelib.summaries.ports import SummaryPorts
from chalicelib.summaries.profile import profile_of
from chalicelib.summaries.profile_query import ProfileQuery
from chalicelib.summaries.summary import SUMMARY_TYPES, SummaryKey, summary_body
from chalicelib.summaries.view import GlucoseView
from chalicelib.summaries.window import read_window
from chalicelib.tiles.missing import retry_on_missing_tile


@frozen
class SummaryReply:
    """A summary, and the ETag by which a client can ask whether it changed; None while a change is being written."""

    body: dict[str, Any]
    etag: str | None


def read_summary(
    call: Call, key: SummaryKey, ports: SummaryPorts, known_etags: frozenset[str] = frozenset()
) -> SummaryReply | None:
    """The summary of this key, of the newest state; None if no record counts.

    Raises:
        UnauthorizedError: the caller may not read all data of this user.
        NotModifiedError: the ETag of the reply is a known one; only the owner was read.
    """
    require_whole_view(call, key.user_id)
    if known_etags:
        require_changed(ports.data_sets.owner(key.user_id), key.type, call.now_ms, known_etags)

    def attempt() -> SummaryReply | None:
        view = GlucoseView(key.user_id, SUMMARY_TYPES[key.type], ports)
        window = read_window(view, SUMMARY_TYPES[key.type], call.now_ms)
        body = None if window is None else summary_body(key, window, call.now_ms)
        if window is None or body is None:
            return None
        return SummaryReply(body, etag_until(view, key.type, window.valid_until_ms, call.now_ms))

    return retry_on_missing_tile(attempt)


def read_profile(call: Call, owner_id: str, query: ProfileQuery, ports: SummaryPorts) -> dict[str, Any] | None:
    """The ambulatory glucose profile that the query asks for; None if no reading of a sensor lies in its window.

    Raises:
        UnauthorizedError: the caller may not read all data of this user.
    """
    require_whole_view(call, owner_id)
    return retry_on_missing_tile(lambda: profile_of(GlucoseView(owner_id, (CBG,), ports), query, call.now_ms))


def require_whole_view(call: Call, owner_id: str) -> None:
    """Raise unless the caller may read all data of this user: a view of the last hours is not enough.

    Raises:
        UnauthenticatedError, UnauthorizedError: as `Call.require`.
    """
    if call.require_view(owner_id) is not None:
        raise UnauthorizedError
