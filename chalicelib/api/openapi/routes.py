"""The description of the API over HTTP, for programs and for people. It is made when it is first asked for."""

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.openapi import GET_DOCS, GET_OPENAPI
from chalicelib.api.routing import ApiBlueprint

KEPT_FOR_A_WHILE = {"Cache-Control": "public, max-age=300"}

blueprint = ApiBlueprint(__name__)


@blueprint.operation(GET_OPENAPI)
def get_openapi(_request: Request) -> Reply:
    """The description in OpenAPI 3.1."""
    # Few ask, and all would pay for the import.
    from chalicelib.api.openapi.document import document_bytes

    return Reply(document_bytes(), headers=KEPT_FOR_A_WHILE)


@blueprint.operation(GET_DOCS)
def get_docs(_request: Request) -> Reply:
    """The description as a page."""
    # The same.
    from chalicelib.api.openapi.page import PAGE_HEADERS, page_bytes

    return Reply(page_bytes(), headers=PAGE_HEADERS | KEPT_FOR_A_WHILE)
