"""The site that a Nightscout app sees. Source: nightscout-api 7 and 8."""

import orjson

from chalicelib.api.accepted import preferred_format
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.nightscout import GET_SITE_STATUS, GET_VERSIONS, LIST_NOTICES
from chalicelib.api.router import EXTENSION
from chalicelib.api.routing import ApiBlueprint
from chalicelib.nightscout.authorization import authorize
from chalicelib.nightscout.status import NO_NOTICES, VERSIONS, site_status

IN_QUERY = ("token", "secret")
"""The parameters whose credential `status.json` answers with a JWT."""
TEXT = "STATUS OK"
FORMATS = {"html": "text/html", "js": "application/javascript", "txt": "text/plain", "json": "application/json"}
"""The media types of the status, the preferred one first."""

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_VERSIONS)
def get_versions(_request: Request) -> Reply:
    """The versions of the API and their addresses."""
    return Reply([*VERSIONS])


@blueprint.operation(GET_SITE_STATUS)
def get_site_status(request: Request) -> Reply:
    """The status as JSON, a script, text or HTML, as the path ends or the client accepts."""
    request.call.require(request.caller.user_id)
    accepted = preferred_format(request.headers.get("accept", ""), FORMATS)
    return _status_reply(request, request.path[EXTENSION] or accepted or "html")


@blueprint.operation(LIST_NOTICES)
def list_notices(_request: Request) -> Reply:
    """No notices."""
    return Reply(NO_NOTICES)


def _status_reply(request: Request, extension: str) -> Reply:
    if extension == "json":
        return Reply(_site_status(request))
    if extension == "js":
        script = b"this.serverSettings = " + orjson.dumps(_site_status(request)) + b" ;"
        return Reply(script, headers={"Content-Type": "application/javascript; charset=utf-8"})
    if extension == "txt":
        return Reply(TEXT.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    return Reply(f"<h1>{TEXT}</h1>".encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def _site_status(request: Request) -> object:
    credential = request.caller.nightscout_credential
    is_in_query = any(request.query.get(name) for name in IN_QUERY)
    authorized = None if credential is None or not is_in_query else authorize(request.call, credential).body
    return site_status(request.now_ms, authorized)
