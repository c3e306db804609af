"""Tests that both templates are within the limits of CloudFormation, and that the tools know all their resources."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Template
from tools.packaging.application import LOCAL_STAGE, Package
from tools.project import STATEFUL_TEMPLATE
from tools.stages.deployment import KEEPING, SHARED, template_for
from tools.stages.idle_cost import idle_costs
from tools.stages.options import OPTIONS, Stack

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
IN_A_REQUEST_BYTES, FROM_S3_BYTES = 51_200, 1_000_000
RESOURCES, PARAMETERS, OUTPUTS, DESCRIPTION_BYTES = 500, 200, 200, 1024
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, and of IAM for the policies of one role
ENVIRONMENT_BYTES, POLICY_BYTES = 4096, 10_240


def test_the_stateful_template_fits_into_a_request() -> None:
    assert STATEFUL_TEMPLATE.stat().st_size <= IN_A_REQUEST_BYTES


def test_the_application_fits_as_it_is_uploaded(application: Template) -> None:
    package = Package(LOCAL_STAGE, "0" * 32, b"", dict(application))
    assert len(template_for(package, "a" * 63).encode()) <= FROM_S3_BYTES


@pytest.mark.parametrize("name", ["stateful", "application"])
def test_neither_template_exceeds_the_limits_of_cloudformation(name: str, request: pytest.FixtureRequest) -> None:
    template = request.getfixturevalue(name)
    assert sum(_expanded(resource) for resource in template["Resources"].values()) <= RESOURCES
    assert len(template["Parameters"]) <= PARAMETERS
    assert len(template["Outputs"]) <= OUTPUTS
    assert len(template["Description"].encode()) <= DESCRIPTION_BYTES


def _expanded(resource: Template) -> int:
    """The maximum of resources that the transform makes of one: a source and a permission for each event."""
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Serverless::Function":
            return 2 + 2 * len(properties.get("Events", {})) + len(properties.get("EventInvokeConfig", {}))
        case "AWS::Serverless::Api":
            return 3  # with its deployment and its stage
    return 1


def test_the_environment_of_a_function_has_room(application: Template) -> None:
    """Half of it is for names, the rest for the settings of a stage."""
    variables = application["Globals"]["Function"]["Environment"]["Variables"]
    assert len(json.dumps(variables).encode()) <= ENVIRONMENT_BYTES / 2


def test_the_policies_of_a_role_fit(application: Template) -> None:
    roles = [
        resource["Properties"] for resource in application["Resources"].values() if resource["Type"] == "AWS::IAM::Role"
    ]
    for role in roles:
        assert sum(len(json.dumps(policy["PolicyDocument"])) for policy in role.get("Policies", [])) <= POLICY_BYTES


def test_every_parameter_of_both_stacks_can_be_chosen(stateful: Template, application: Template) -> None:
    of_application = {option.parameter for option in OPTIONS if option.stack is Stack.APPLICATION}
    of_stateful = {option.parameter for option in OPTIONS if option.stack is Stack.STATEFUL}
    # Parameters derived from others, and those of the local cloud.
    assert set(application["Parameters"]) - of_application == {"Stage", "MailDomain", "MailFolder"}
    assert set(stateful["Parameters"]) - of_stateful == {"Stage", "RequireTls", "Versioning", *SHARED.values()}


def test_all_that_is_retained_counts_as_a_loss_and_can_be_erased(stateful: Template) -> None:
    kinds = {resource["Type"] for resource in stateful["Resources"].values() if resource["DeletionPolicy"] != "Delete"}
    policies = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}  # they are deleted with the resource they belong to
    assert kinds == {*KEEPING, *policies}


def test_the_idle_cost_is_computed_from_the_templates(stateful: Template, application: Template) -> None:
    kept = Counter(resource["Type"] for resource in stateful["Resources"].values())
    costs = idle_costs(dict(application), set(application["Resources"]), kept, 1)
    told = [cost.what.split(": ")[1] for cost in costs]
    assert {"shards of the stream of events", "secrets", "alarms", "polls of queues", "starts by the clock"} <= set(
        told
    )
    schedules = [event for event in _events(application) if event["Type"] == "Schedule"]
    assert all(schedule["Properties"]["Schedule"].startswith(("rate(", "cron(")) for schedule in schedules)


def _events(application: Template) -> Iterator[dict[str, Any]]:
    for resource in application["Resources"].values():
        yield from resource.get("Properties", {}).get("Events", {}).values()
