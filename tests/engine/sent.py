"""Watches the requests to DynamoDB as they leave the engine; a test may reply in the place of DynamoDB."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.engine.aws.json_transport import JsonTransport

Hook = Callable[[str, dict[str, Any]], Mapping[str, Any] | None]
"""Called with operation and request before a request is sent. It may raise a refusal, or return a response in the place
of DynamoDB's."""


@contextmanager
def hooked(hook: Hook, answered: Callable[[str, Mapping[str, Any]], None] | None = None) -> Iterator[None]:
    """Call a hook before each request, and `answered` with the operation and each response."""
    send = JsonTransport.send

    def send_hooked(self: JsonTransport, operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        response = hook(operation, request)
        if response is None:
            response = send(self, operation, request)
        if answered is not None:
            answered(operation, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JsonTransport, "send", send_hooked)
        yield


def refusal(code: str, *reasons: str) -> ClientError:
    """DynamoDB's reply to a refused request; `reasons` are those of a transaction, one for each of its writes."""
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "an operation")
