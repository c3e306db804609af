"""The operations that describe all operations."""

from chalicelib.access.policy import ANYONE
from chalicelib.api.operations.operation import Operation

GET_OPENAPI = Operation(
    "reference.openapi", "GET", ("/openapi.json",), ANYONE, summary="This description, in OpenAPI 3.1"
)
GET_DOCS = Operation("reference.docs", "GET", ("/docs",), ANYONE, summary="This description, as a page to read")

REFERENCE_OPERATIONS = (GET_OPENAPI, GET_DOCS)
