"""Stacks: created, updated, left alone; what would change is shown first."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.backends import get_backend

from tools.project import ToolError
from tools.stages import stacks
from tools.stages.stacks import Change, Plan, Resource

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "strandline-test"


def _template(*queues: str) -> str:
    resources = {name: {"Type": "AWS::SQS::Queue"} for name in queues}
    outputs = {"First": {"Value": {"Fn::GetAtt": [queues[0], "QueueName"]}}}
    parameters = {"Stage": {"Type": "String", "Default": ""}}
    return json.dumps({"Parameters": parameters, "Resources": resources, "Outputs": outputs})


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> "Iterator[CloudFormationClient]":
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        get_backend("cloudformation").reset()  # another module of this process may hold the same mock open
        yield boto3.client("cloudformation", region_name="us-east-1")


def _apply(cloudformation: "CloudFormationClient", template: str, *, agree: bool = True) -> list[Change]:
    """Apply a template; the changes that were shown before."""
    shown: list[Change] = []

    def agreed(plan: Plan) -> bool:
        shown.extend(plan.changes)
        return agree

    stacks.apply(cloudformation, STACK, {"TemplateBody": template}, {"Stage": "test"}, agree=agreed, poll_s=0)
    return shown


def test_a_new_stack_is_shown_and_made(cloudformation: "CloudFormationClient") -> None:
    assert _apply(cloudformation, _template("One")) == [Change("Add", "One", "AWS::SQS::Queue")]
    assert stacks.status(cloudformation, STACK) == "CREATE_COMPLETE"


def test_the_outputs_of_a_stack(cloudformation: "CloudFormationClient") -> None:
    cloudformation.create_stack(StackName=STACK, TemplateBody=_template("One"))
    assert stacks.outputs(cloudformation, STACK)["First"].startswith(f"{STACK}-One-")


def test_a_stack_is_updated(cloudformation: "CloudFormationClient") -> None:
    _apply(cloudformation, _template("One"))
    assert Change("Add", "Two", "AWS::SQS::Queue") in _apply(cloudformation, _template("One", "Two"))
    assert stacks.status(cloudformation, STACK) == "UPDATE_COMPLETE"


def test_without_agreement_nothing_is_changed(cloudformation: "CloudFormationClient") -> None:
    with pytest.raises(ToolError, match="was left as it was"):
        _apply(cloudformation, _template("One"), agree=False)
    assert stacks.status(cloudformation, STACK) in (None, "DELETE_COMPLETE")


def test_a_stack_holds_its_template_and_parameters(cloudformation: "CloudFormationClient") -> None:
    template = _template("One")
    assert not stacks.holds(cloudformation, STACK, template, {"Stage": "test"})
    _apply(cloudformation, template)
    assert stacks.holds(cloudformation, STACK, template, {"Stage": "test"})
    assert not stacks.holds(cloudformation, STACK, template, {"Stage": "other"})
    assert not stacks.holds(cloudformation, STACK, _template("One", "Two"), {"Stage": "test"})


def test_the_parameters_that_change_are_shown(cloudformation: "CloudFormationClient") -> None:
    shown: list[Plan] = []

    def agree(plan: Plan) -> bool:
        shown.append(plan)
        return True

    template = {"TemplateBody": _template("One")}
    for stage in ("one", "two"):
        stacks.apply(cloudformation, STACK, template, {"Stage": stage}, agree=agree, poll_s=0)
    assert [plan.parameters for plan in shown] == [{"Stage": (None, "one")}, {"Stage": ("one", "two")}]


def test_what_a_stack_has_and_what_a_template_takes(cloudformation: "CloudFormationClient") -> None:
    assert stacks.resources(cloudformation, STACK) == []
    assert not stacks.is_there(cloudformation, STACK)
    _apply(cloudformation, _template("One"))
    (only,) = stacks.resources(cloudformation, STACK)
    assert (only.logical_id, only.kind) == ("One", "AWS::SQS::Queue")
    assert isinstance(only, Resource)
    assert only.physical_id
    assert stacks.is_there(cloudformation, STACK)
    assert stacks.declared_parameters(cloudformation, _template("One")) == {"Stage"}


def test_a_deleted_stack_is_gone(cloudformation: "CloudFormationClient") -> None:
    _apply(cloudformation, _template("One"))
    stacks.delete(cloudformation, STACK, poll_s=0)
    assert stacks.outputs(cloudformation, STACK) == {}
    assert stacks.deployed_parameters(cloudformation, STACK) == {}


def test_what_is_refused_is_one_sentence() -> None:
    client = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist")
        stubber.add_client_error("create_change_set", "ValidationError", "Template format error")
        with pytest.raises(ToolError, match=f"^stack {STACK}: Template format error$"):
            _apply(client, "{}")


def test_what_failed_first_is_said() -> None:
    client = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def stack(status: str) -> dict[str, object]:
        return {"Stacks": [{"StackName": STACK, "CreationTime": now, "StackStatus": status}]}

    def event(resource: str, status: str, reason: str) -> dict[str, object]:
        return {
            "StackId": STACK,
            "EventId": f"{resource}-{status}",
            "StackName": STACK,
            "Timestamp": now,
            "LogicalResourceId": resource,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }

    events = [
        event("Two", "CREATE_FAILED", "Resource creation cancelled"),
        event("One", "CREATE_FAILED", "no such key"),
        event(STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        event("Old", "CREATE_FAILED", "of a run before"),
    ]
    with Stubber(client) as stubber:
        stubber.add_response("delete_stack", {})
        stubber.add_response("describe_stacks", stack("DELETE_FAILED"))
        stubber.add_response("describe_stack_events", {"StackEvents": events})
        with pytest.raises(ToolError, match=f"^stack {STACK} ended as DELETE_FAILED: One: no such key$"):
            stacks.delete(client, STACK, poll_s=0)
