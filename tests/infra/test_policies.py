"""Tests that each policy grants exactly the declared rights of its function. See docs/security.md, Rights.

That the declared rights are those that the functions need is proved in tests/infra/test_rights.py.
"""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from app import app
from tests.infra.conftest import Template, of_type
from tests.infra.rights.declared import API, FUNCTIONS, PARTITIONS, declared, declared_on
from tests.infra.rights.granted import Policy, findings, for_events_and_log, granted, granted_by, listed, policy
from tests.infra.rights.right import Right

ANOTHER = {
    "dynamodb": "dynamodb:Scan",
    "kinesis": "kinesis:PutRecords",
    "logs": "logs:DeleteLogStream",
    "s3": "s3:DeleteObjectVersion",
    "ses": "ses:SendBounce",
    "secretsmanager": "secretsmanager:DeleteSecret",
    "sqs": "sqs:PurgeQueue",
}
"""An action of each service that no function needs."""


@pytest.fixture(scope="session")
def rights(application: Template) -> Mapping[str, Mapping[Right, str]]:
    """The rights that each function needs, and their purpose."""
    return {
        function: dict.fromkeys(declared(function), "its use cases") | for_events_and_log(application, function)
        for function in FUNCTIONS
    }


def found(function: str, rights: Mapping[str, Mapping[Right, str]], policy: Policy) -> list[str]:
    """The differences between a policy and the needed rights, as sentences."""
    return [str(finding) for finding in findings(function, rights[function], policy)]


def test_the_declared_functions_are_those_of_the_application(application: Template) -> None:
    assert len(of_type(application, "AWS::Serverless::Function")) == len(FUNCTIONS)
    functions: list[Any] = [*app.pure_lambda_functions, *app.event_sources]
    assert sorted([API, *(function.name for function in functions)]) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_grants_what_is_declared_and_nothing_else(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    assert found(function, rights, policy(function)) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_packaged_role_has_just_that_policy(function: str, application: Template) -> None:
    role = of_type(application, "AWS::IAM::Role")[f"{function.title().replace('_', '')}Role"]
    assert [inline["PolicyDocument"] for inline in role["Policies"]] == [policy(function)]
    assert not role.get("ManagedPolicyArns")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_granted_twice(function: str) -> None:
    pairs = [right for statement in policy(function)["Statement"] for right in granted_by(statement)]
    assert len(pairs) == len(set(pairs))
    names = [statement["Sid"] for statement in policy(function)["Statement"]]
    assert len(names) == len(set(names))


# Both directions, on every policy: a removed right is missed, an added right is reported.


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_statement_that_is_taken_away_is_missed(function: str, rights: Mapping[str, Mapping[Right, str]]) -> None:
    whole = policy(function)
    assert whole["Statement"]
    for statement in whole["Statement"]:
        rest = {**whole, "Statement": [kept for kept in whole["Statement"] if kept is not statement]}
        said = found(function, rights, rest)
        taken = list(granted_by(statement))
        assert len(said) == len(taken)
        for right in taken:
            assert any(f"lacks {right.action} on {right.resource}, which is needed for " in line for line in said), (
                right
            )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_action_that_is_taken_away_is_missed_by_name(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    for index, statement in enumerate(policy(function)["Statement"]):
        for action in listed(statement["Action"]):
            changed: Any = copy.deepcopy(policy(function))
            kept = [other for other in listed(statement["Action"]) if other != action]
            changed["Statement"][index]["Action"] = kept
            said = found(function, rights, changed)
            assert len(said) == len(listed(statement["Resource"])), action
            assert all(line.startswith(f"policy-{function}.json lacks {action} on ") for line in said), said


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_action_that_is_added_is_reported_with_its_statement(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    everything = {right.action for needs in rights.values() for right in needs}
    for index, statement in enumerate(policy(function)["Statement"]):
        has = listed(statement["Action"])
        service = has[0].partition(":")[0]
        of_others = {action for action in everything if action.startswith(f"{service}:")}
        resources = [right.resource for right in granted_by(statement)]
        for action in sorted((of_others | {ANOTHER[service], f"{service}:*"}) - set(has)):
            changed: Any = copy.deepcopy(policy(function))
            changed["Statement"][index]["Action"] = [*has, action]
            already = {right for right in granted(policy(function)) if right.action == action}
            added = {Right(action, resource) for resource in resources} - already
            said = found(function, rights, changed)
            assert said == [
                f"policy-{function}.json grants {right.action} on {right.resource} "
                f"in its statement {statement['Sid']}, and it is not needed"
                for right in sorted(added)
            ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_wider_resource_is_reported(function: str, rights: Mapping[str, Mapping[Right, str]]) -> None:
    for index, statement in enumerate(policy(function)["Statement"]):
        for wider in ("*", "arn:${AWS::Partition}:s3:::strandline-${Stage}-${AWS::AccountId}-${AWS::Region}/*"):
            changed: Any = copy.deepcopy(policy(function))
            changed["Statement"][index]["Resource"] = {"Fn::Sub": wider}
            said = found(function, rights, changed)
            for action in listed(statement["Action"]):
                assert any(f"grants {action} on {wider} in its statement {statement['Sid']}" in line for line in said)


# Rules beyond actions and resources.


def test_statements_are_limited_to_the_declared_partitions() -> None:
    limited = {
        (function, statement["Sid"]): statement["Condition"]
        for function in FUNCTIONS
        for statement in policy(function)["Statement"]
        if "Condition" in statement
    }
    assert limited == {
        (function, granted(policy(function))[right]): {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}
        }
        for (function, resource), patterns in PARTITIONS.items()
        for right in declared_on(function, resource)
    }


def test_every_resource_is_of_the_stage() -> None:
    """Names of another stage begin differently: a bucket's with its own name, a log group's with its own path."""
    for function in FUNCTIONS:
        for right in granted(policy(function)):
            if right.action != "ses:SendEmail":  # its senders are parameters of the stage
                assert "${Stage}" in right.resource
            name = right.resource.split(":", 5)[5]
            assert "*" not in name.removesuffix("/*").removesuffix(":*"), right
            assert "*" not in right.action
