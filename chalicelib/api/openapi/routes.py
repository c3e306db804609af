"""The description of the API over HTTP: as JSON for programs, as a page for people. The first request builds it."""

import hashlib
from collections.abc import Mapping

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.table import GET_DOCS, GET_OPENAPI
from chalicelib.api.routing import ApiBlueprint
from chalicelib.reading.etag import NotModifiedError, parse_known_etags, require_modified

CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=604800"

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_OPENAPI)
def get_openapi(request: Request) -> Reply:
    """The description in OpenAPI 3.1."""
    # Imported here, since few requests need it and cold starts must stay short.
    from chalicelib.api.openapi.document import document_bytes

    return _cacheable_reply(request, document_bytes(), {})


@blueprint.operation(GET_DOCS)
def get_docs(request: Request) -> Reply:
    """The description as a page."""
    # As above.
    from chalicelib.api.openapi.page import PAGE_HEADERS, page_bytes

    return _cacheable_reply(request, page_bytes(), PAGE_HEADERS)


def _cacheable_reply(request: Request, body: bytes, headers: Mapping[str, str]) -> Reply:
    """A reply that all caches may store, or 304 if the client has it. The tag is weak, since gzip and plain replies
    share it."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    caching = {"Cache-Control": CACHE_CONTROL, "ETag": tag}
    try:
        require_modified(tag, parse_known_etags(request.headers.get("if-none-match", "")))
    except NotModifiedError:
        return Reply(status=304, headers=caching)
    return Reply(body, headers={**headers, **caching})
