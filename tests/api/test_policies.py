"""The policy of each row of the operation table is what the application enforces, and nothing else is.

Each request of all use cases is sent twice: first under a policy that admits no caller, then as it is. If a rule
enforced a policy of its own, the first request would come through.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from chalice.app import Response

from chalicelib.access.policy import Policy
from chalicelib.api import routing
from chalicelib.api.operations.blobs import READ_DEVICE_LOG
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.api.operations.table import OPERATIONS
from tests.infra.rights.recording import USE_CASES
from tests.infra.rights.stage import SUCCESSES, observed_stage

ADMITS_NOBODY = Policy()


def test_a_policy_that_admits_nobody_refuses_each_request_that_succeeds_under_its_own() -> None:
    statuses = _statuses_without_permission()
    expected = {operation.name: {_refusal(operation)} for operation in OPERATIONS if not operation.policy.anyone}
    assert len(expected) > 50
    assert statuses == expected


def _refusal(operation: Operation) -> int:
    """The status for a caller without permission. Source: errors 1, blob-api 2."""
    if operation is READ_DEVICE_LOG:  # does not tell such callers whether the log exists
        return 404
    return 401 if operation.error_format in (ErrorFormat.AUTH, ErrorFormat.NODE) else 403


def _statuses_without_permission() -> Mapping[str, set[int]]:
    """The statuses of each operation under a policy that admits no caller, for requests that succeed under its own."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    respond = routing.respond

    def respond_twice(operation: Operation, view: routing.View, event: Mapping[str, Any], *more: Any) -> Response:
        if operation.policy.anyone:
            return respond(operation, view, event, *more)
        refused = respond(replace(operation, policy=ADMITS_NOBODY), view, event, *more)
        response = respond(operation, view, event, *more)
        if response.status_code in {operation.success_status, *SUCCESSES}:
            found[operation.name].add(refused.status_code)
        return response

    with pytest.MonkeyPatch.context() as patch, observed_stage() as stage:
        patch.setattr(routing, "respond", respond_twice)
        for use_case in USE_CASES:
            use_case(stage)
    return found
