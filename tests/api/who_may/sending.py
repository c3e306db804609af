"""The requests of the table's rows, sent with a credential."""

from collections.abc import Callable, Mapping

from chalicelib.api.operations.operation import Operation
from chalicelib.api.operations.table import OPERATIONS
from tests.api.conftest import Reply
from tests.api.who_may.callers import Sent
from tests.api.who_may.expectations import WHO_MAY, operation_of, path_of
from tests.api.who_may.requests import Asked, request_of
from tests.api.who_may.scene import Scene

BY_NAME = {operation.name: operation for operation in OPERATIONS}
PREPARATIONS: Mapping[str, Callable[[Scene], None]] = {
    "sign_up_confirmations.send": Scene.forget_sign_up,
    "sign_up_confirmations.create": Scene.forget_sign_up,
    "invitations.list_received": Scene.prove_address,
}
"""Steps that let a row's request succeed."""


def operation_of_row(row: str) -> Operation:
    """The operation of a row."""
    return BY_NAME[operation_of(row)]


def asked_of_row(row: str) -> Asked:
    """The request of a row."""
    return request_of(row, operation_of_row(row))


def paths_of(row: str) -> list[str]:
    """The paths that a row is about, as the operation table spells them."""
    if path_of(row):
        return [path_of(row)]
    special = {path_of(other) for other in WHO_MAY if operation_of(other) == operation_of(row)}
    return [path for path in operation_of_row(row).paths if path not in special]


def send(scene: Scene, row: str, path: str, sent: Sent, asked: Asked, things: Mapping[str, str]) -> Reply:
    """The reply to a request with a credential."""
    headers = asked.sent_headers(things)
    if "Cookie" in sent.headers and "Cookie" in headers:
        headers["Cookie"] += f"; {sent.headers['Cookie']}"
    target = asked.target(path, things, sent.query)
    return scene.api.request(
        operation_of_row(row).method, target, asked.sent_body(things), **{**sent.headers, **headers}
    )
