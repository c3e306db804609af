"""Small words on the wire that every reply of every operation has: methods, types, statuses of the description."""

import pytest

from chalicelib.api.application import NIGHTSCOUT_PREFIXES, methods_of
from chalicelib.api.openapi.document import document
from chalicelib.api.operations.operation import Operation
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.api.routing import ROUTER
from tests.api.conftest import ApiClient
from tests.fakes.services import SERVER_SECRET, FakeServices

USER = "aaaaaaaaaa"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
VALUES = {"realm": "tidepool", "userId": USER, "sharerId": USER, "granteeId": "bbbbbbbbbb", "collection": "profile"}
UNKNOWN = "0" * 32
BODIES = (None, b"{", b"[]", b"{}", b"null", b"\xff", b'{"a":1}', b"[[]]", b'"\\ud800"', b"9" * 400)
PATHS = sorted({path for operation in OPERATIONS for path in operation.paths})
REQUESTS = [(operation, path) for operation in OPERATIONS for path in operation.paths]


def filled(template: str, others: str = UNKNOWN) -> str:
    """A path with a value for each parameter."""
    parts = [VALUES.get(part[1:-1], others) if part.startswith("{") else part for part in template.split("/")]
    return "/".join(parts)


@pytest.mark.parametrize("template", PATHS)
def test_a_wrong_method_is_told_the_right_ones(api: ApiClient, fakes: FakeServices, template: str) -> None:
    path = filled(template)
    right = methods_of(path)
    is_of_nightscout = path.split("/")[1] in NIGHTSCOUT_PREFIXES
    of_template = {operation.method for operation in OPERATIONS if template in operation.paths}
    # Where nothing has a resource, the router looks at the method as well, so paths share their methods.
    assert of_template <= set(right) if is_of_nightscout else of_template == set(right)
    served = {*right, "HEAD"} if ROUTER.find("GET", path) is not None else set(right)
    for method in sorted(set(METHODS) - served):
        reply = api.request(method, path, token=fakes.sign_in(USER))
        if path.split("/")[1] == "data":  # the read service has no wrong methods, only unknown paths
            assert (reply.status, "allow" in reply.headers) == (404, False)
        elif is_of_nightscout:  # nor has Nightscout
            assert (reply.status, reply.headers["allow"]) == (404, ", ".join(right))
        else:
            assert (reply.status, reply.headers["allow"]) == (405, ", ".join(right))
        assert bool(reply.body) is ("content-type" in reply.headers)


@pytest.mark.parametrize("caller", ["nobody", "owner", "server", "secret"])
@pytest.mark.parametrize(("operation", "template"), REQUESTS, ids=[f"{row.method} {path}" for row, path in REQUESTS])
def test_each_reply_is_one_of_the_description(
    api: ApiClient, fakes: FakeServices, operation: Operation, template: str, caller: str
) -> None:
    """The client compares each reply with the description: status, type, body."""
    for body in BODIES if operation.method in ("POST", "PUT", "PATCH", "DELETE") else (None,):
        for others in (UNKNOWN, "x", "%20", "a" * 3000):
            token = {"owner": fakes.sign_in(USER), "server": fakes.sign_in("server", is_server=True)}.get(caller)
            secret = {"X-Tidepool-Service-Secret": SERVER_SECRET} if caller == "secret" else {}
            reply = api.request(operation.method, filled(template, others), body, token=token, **secret)
            assert reply.status < 500 or reply.status == 501, (body, others, reply.body)
            assert bool(reply.body) is ("content-type" in reply.headers)


def test_each_operation_is_in_the_description() -> None:
    described = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert {
        (operation.method, path.rstrip("/") or "/") for operation, path in REQUESTS if "dataservices" not in path
    } <= {(method, path.rstrip("/") or "/") for method, path in described}
