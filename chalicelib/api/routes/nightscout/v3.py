"""Nightscout's v3 over HTTP. Source: nightscout-api 9."""

from collections.abc import Mapping

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations import nightscout_v3 as operations
from chalicelib.api.operations.operation import Operation
from chalicelib.api.routing import ApiBlueprint, View

VIEWS: Mapping[Operation, str] = {
    operations.GET_VERSION: "get_version",
    operations.GET_STATUS: "get_status",
    operations.GET_LAST_MODIFIED: "get_last_modified",
    operations.SEARCH: "search",
    operations.READ: "read",
    operations.GET_HISTORY: "get_history",
    operations.GET_HISTORY_SINCE_HEADER: "get_history_since_header",
    operations.CREATE: "create",
    operations.REPLACE: "replace",
    operations.CHANGE: "change",
    operations.DELETE: "delete",
}
"""The name of each operation's view."""

blueprint = ApiBlueprint(__name__)


def _imported_later(name: str) -> View:
    """A view that the first request to v3 imports: most users have no app that speaks it, and cold starts must stay
    short."""

    def view(request: Request) -> Reply:
        from chalicelib.api import nightscout_v3_views

        reply: Reply = getattr(nightscout_v3_views, name)(request)
        return reply

    return view


for operation, view_name in VIEWS.items():
    blueprint.operation(operation)(_imported_later(view_name))
