"""The policy of each row of the operation table is what the application enforces, and nothing else is.

The requests of all use cases are sent under changed policies, one that admits no caller and one that admits any. If a
rule enforced a policy of its own, it would answer as before.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from chalice.app import Response

from chalicelib.access.policy import ANYONE, SERVERS, Policy
from chalicelib.accounts.account import Account
from chalicelib.api import routing
from chalicelib.api.credentials import RESTRICTED_TOKEN
from chalicelib.api.operations.accounts import UPDATE_USER
from chalicelib.api.operations.blobs import READ_DEVICE_LOG
from chalicelib.api.operations.confirm import RESEND_INVITE
from chalicelib.api.operations.metrics import RECORD_FOR_THIS_USER
from chalicelib.api.operations.nightscout import CREATE_CREDENTIAL, LIST_CREDENTIALS, REVOKE_CREDENTIAL
from chalicelib.api.operations.notes import EDIT_NOTE, REMOVE_NOTE, REPLY_TO_NOTE, SEND_NOTE
from chalicelib.api.operations.operation import ErrorFormat, Operation
from chalicelib.api.operations.table import OPERATIONS
from tests.api.conftest import ApiClient
from tests.api.people import BEN
from tests.fakes.services import FakeServices
from tests.infra.rights.recording import USE_CASES
from tests.infra.rights.stage import SUCCESSES, observed_stage

ADMITS_NOBODY = Policy()
CREDENTIALS = frozenset(
    {"api-secret", "authorization", "x-tidepool-server-secret", "x-tidepool-service-secret", "x-tidepool-session-token"}
)

Event = Mapping[str, Any]
Send = Callable[[Policy, Event], Response]
"""Sends an event to the operation under a policy."""
Respond = Callable[[Operation, Event, Send], Response]


@dataclass(slots=True)
class Statuses:
    """The statuses under the rows' own policies and under changed ones, by operation, for the requests that succeed
    under their own."""

    admits_nobody: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of the operations that do not admit anyone, under a policy that admits no caller."""
    admits_anyone: dict[str, set[bool]] = field(default_factory=lambda: defaultdict(set))
    """Success of those operations under a policy that admits anyone."""
    no_credentials: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of requests without credentials: under its own policy, or under one for servers where its own admits anyone."""


@pytest.fixture(scope="module")
def statuses() -> Statuses:
    found = Statuses()
    succeeded: list[bool] = []

    def respond(operation: Operation, event: Event, send: Send) -> Response:
        restricted = SERVERS if operation.policy.anyone else operation.policy
        unknown = send(restricted, _without_credentials(event))
        refused = None if operation.policy.anyone else send(ADMITS_NOBODY, event)
        response = send(operation.policy, event)
        succeeded.append(_is_success(operation, response))
        if succeeded[-1]:
            found.no_credentials[operation.name].add(unknown.status_code)
            if refused is not None:
                found.admits_nobody[operation.name].add(refused.status_code)
        return response

    def respond_to_anyone(operation: Operation, event: Event, send: Send) -> Response:
        # The same requests in the same order as above.
        if not succeeded.pop(0) or operation.policy.anyone:
            return send(operation.policy, event)
        response = send(ANYONE, event)
        found.admits_anyone[operation.name].add(_is_success(operation, response))
        return response if _is_success(operation, response) else send(operation.policy, event)

    _run_use_cases(respond)
    _run_use_cases(respond_to_anyone)
    assert not succeeded
    return found


def test_a_policy_that_admits_nobody_refuses_each_request_that_succeeds_under_its_own(statuses: Statuses) -> None:
    expected = {operation.name: {_refusal(operation)} for operation in OPERATIONS if not operation.policy.anyone}
    assert len(expected) > 50
    assert statuses.admits_nobody == expected


def test_a_policy_that_admits_anyone_admits_requests_of_nobody(statuses: Statuses) -> None:
    admitting = {name for name, succeeds in statuses.admits_anyone.items() if True in succeeds}
    # An event "of this user" is the caller's own, so nobody has one; the last test below has another policy for it.
    # In the same way, a note is its author's.
    # Nightscout credentials belong to the person who signed in and makes them; tests/api/nightscout has who may.
    without_own = set(OPERATIONS) - {
        RECORD_FOR_THIS_USER,
        SEND_NOTE,
        REPLY_TO_NOTE,
        EDIT_NOTE,
        REMOVE_NOTE,
        CREATE_CREDENTIAL,
        LIST_CREDENTIALS,
        REVOKE_CREDENTIAL,
    }
    assert admitting == {operation.name for operation in without_own if not operation.policy.anyone}


def test_a_policy_that_does_not_admit_anyone_refuses_requests_without_credentials(statuses: Statuses) -> None:
    assert statuses.no_credentials == {operation.name: {401} for operation in OPERATIONS}


def test_a_policy_with_another_permission_admits_its_holders_to_an_account(
    api: ApiClient, fakes: FakeServices, child: Account, ben: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.grant(child.user_id, BEN.user_id, ["note"])
    body = {"updates": {"username": "other@example.org"}}
    assert api.request("PUT", f"/auth/user/{child.user_id}", body, token=ben).status == 401
    _change_policy(monkeypatch, UPDATE_USER, Policy(permissions=frozenset({"note"})))
    assert api.request("PUT", f"/auth/user/{child.user_id}", body, token=ben).status == 200


def test_a_policy_for_servers_admits_them_to_the_events_of_a_user(
    api: ApiClient, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api.request("GET", "/metrics/thisuser/started", token=server).status == 401
    _change_policy(monkeypatch, RECORD_FOR_THIS_USER, SERVERS)
    assert api.request("GET", "/metrics/thisuser/started", token=server).status == 200


def _refusal(operation: Operation) -> int:
    """The status for a caller without permission. Source: errors 1, blob-api 2."""
    if operation is READ_DEVICE_LOG:  # does not tell such callers whether the log exists
        return 404
    if operation is RESEND_INVITE:  # does not tell such callers whether the invitation exists
        return 403
    formats = (ErrorFormat.AUTH, ErrorFormat.CONFIRM, ErrorFormat.NODE, ErrorFormat.NIGHTSCOUT)
    return 401 if operation.error_format in formats else 403


def _is_success(operation: Operation, response: Response) -> bool:
    return response.status_code in {operation.success_status, *SUCCESSES}


def _without_credentials(event: Event) -> Event:
    """The request without the headers and the parameter that say who sent it."""
    headers = {"headers": CREDENTIALS, "multiValueHeaders": CREDENTIALS}
    parameters = {"multiValueQueryStringParameters": {RESTRICTED_TOKEN}}
    left = dict(event)
    for name, credentials in (headers | parameters).items():
        if left.get(name):
            left[name] = {key: value for key, value in left[name].items() if key.lower() not in credentials}
    return left


def _run_use_cases(respond: Respond) -> None:
    """Run all use cases on an empty stage, with this in place of `routing.respond`."""
    send_as = routing.respond

    def respond_under(operation: Operation, view: routing.View, event: Event, *more: Any) -> Response:
        return respond(
            operation, event, lambda policy, sent: send_as(replace(operation, policy=policy), view, sent, *more)
        )

    with pytest.MonkeyPatch.context() as patch, observed_stage() as stage:
        patch.setattr(routing, "respond", respond_under)
        for use_case in USE_CASES:
            use_case(stage)


def _change_policy(monkeypatch: pytest.MonkeyPatch, changed: Operation, policy: Policy) -> None:
    send_as = routing.respond

    def respond(operation: Operation, *more: Any) -> Response:
        return send_as(replace(operation, policy=policy) if operation is changed else operation, *more)

    monkeypatch.setattr(routing, "respond", respond)
