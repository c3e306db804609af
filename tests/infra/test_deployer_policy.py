"""Tests that infra/deployer-policy.json grants what `make deploy` and `make destroy` need, and that IAM accepts it.

CloudFormation acts with the rights of its caller. Which rights it needs for each type of resource is written in the
schema of the type, which cfn-lint has. Source: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.session import get_session
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.infra.conftest import Template
from tools.project import ROOT

POLICY = ROOT / "infra" / "deployer-policy.json"
LARGEST_MANAGED_POLICY = 6144
"""Characters without white space. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
OF_SAM = {
    "AWS::Serverless::Api": ("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"),
    "AWS::Serverless::Function": (
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Events::Rule",
    ),
}
"""Types that the transform makes of its own types."""
NOT_USED = {
    "amplify:*": "a firewall of another service",
    "appsync:*": "the same",
    "apprunner:*": "the same",
    "bedrock-agentcore:*": "the same",
    "cognito-idp:*": "the same",
    "elasticloadbalancing:*": "the same",
    "payments:*": "of rule groups that are bought",
    "wafv2:*PermissionPolicy": "rule groups that are shared",
    "ec2:*": "nothing is in a VPC",
    "elasticfilesystem:*": "no function has a file system",
    "s3files:*": "the same",
    "kms:*": "all keys are those that AWS keeps",
    "firehose:*": "logs go to no other service",
    "logs:*LogDelivery": "the same",
    "logs:*ResourcePolic*": "the same",
    "s3:REST.PUT.OBJECT": "the same",
    "logs:*KmsKey": "log groups have no key of their own",
    "logs:PutDataProtectionPolicy": "log groups have no such policy",
    "logs:DeleteDataProtectionPolicy": "the same",
    "logs:*IndexPolicy": "log groups have no index",
    "logs:PutBearerTokenAuthentication": "log groups take no bearer tokens",
    "logs:PutLogGroupDeletionProtection": "log groups are not protected",
    "logs:CreateLogStream": "of an import into a table",
    "logs:DescribeLogStreams": "the same",
    "logs:PutLogEvents": "the same",
    "dynamodb:ImportTable": "tables begin empty",
    "dynamodb:*KinesisStreamingDestination": "tables stream to nowhere",
    "dynamodb:CreateTableReplica": "tables have no replicas",
    "dynamodb:AssociateTableReplica": "the same",
    "dynamodb:*Item": "the same",
    "dynamodb:Query": "the same",
    "dynamodb:Scan": "the same",
    "kinesis:PutRecords": "tables stream to nowhere",
    "s3tables:*": "the bucket has no tables",
    "s3:*MetadataTableConfiguration": "the same",
    "s3:UpdateBucketMetadata*": "the same",
    "s3:GetObjectMetadata": "not an action of IAM",
    "s3:PutObjectAcl": "the bucket has no lists of access",
    "secretsmanager:*Region*": "secrets have no replicas",
    "sns:PutDataProtectionPolicy": "topics have no such policy",
    "lambda:GetLayerVersion": "functions have no layers",
    "lambda:GetCodeSigningConfig": "code is not signed",
    "lambda:PassCapacityProvider": "functions run on Lambda's own machines",
    "lambda:AssociateRuntimeAlias": "functions use Lambda's own runtimes",
    "apigateway:UpdateRestApiPolicy": "the API has no resource policy",
}
"""Actions of the schemas for what no template uses, with the reason."""
OTHER_NAMES = {
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:HeadObject": {"s3:GetObject"},
    "s3:DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
}
"""Operations whose action has another name, or is several."""
TOOLS = ("deploy.py", "destroy.py", "stages/*.py")
SERVICES = ("cloudformation", "dynamodb", "s3", "secretsmanager", "sqs", "sts")


@pytest.fixture(scope="module")
def granted() -> list[str]:
    """The patterns of all granted actions."""
    return [action for statement in statements() for action in listed(statement["Action"])]


def statements() -> list[dict[str, Any]]:
    """The statements of the policy."""
    found: list[dict[str, Any]] = json.loads(POLICY.read_text())["Statement"]
    return found


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def matches(action: str, patterns: list[str]) -> bool:
    """Whether IAM matches an action with one of the patterns, which it does without regard to case."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def kinds(*templates: Template) -> set[str]:
    """The types of resources that CloudFormation makes of the templates."""
    declared = {resource["Type"] for template in templates for resource in template["Resources"].values()}
    return {kind for name in declared for kind in OF_SAM.get(name, (name,))}


def handled(kind: str) -> set[str]:
    """The actions that CloudFormation needs to create, read, change and delete a type of resource."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    return {
        action
        for name in ("create", "read", "update", "delete")
        for action in handlers.get(name, {}).get("permissions", [])
    }


def calls() -> Iterator[str]:
    """The actions of the calls that the tools make themselves."""
    session: Any = get_session()
    operations = {
        method: f"{service}:{operation}"
        for service in SERVICES
        for method, operation in session.create_client(service, "us-east-1").meta.method_to_api_mapping.items()
    }
    for path in (path for pattern in TOOLS for path in (ROOT / "tools").glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name: Any = node.func.attr
                if name in ("get_paginator", "get_waiter") and isinstance(node.args[0], ast.Constant):
                    name = node.args[0].value
                if name in operations:
                    yield operations[name]


def test_all_that_cloudformation_does_for_the_templates_is_granted(
    stateful: Template, application: Template, granted: list[str]
) -> None:
    missing = {
        (kind, action)
        for kind in kinds(stateful, application)
        for action in handled(kind)
        if not matches(action, granted) and not matches(action, list(NOT_USED))
    }
    assert missing == set()


def test_all_that_the_tools_do_themselves_is_granted(granted: list[str]) -> None:
    needed = {action for call in calls() for action in OTHER_NAMES.get(call, {call})}
    assert {"cloudformation:CreateChangeSet", "s3:PutObject", "sts:GetCallerIdentity"} <= needed
    assert len(needed) > 15
    assert sorted(action for action in needed if not matches(action, granted)) == []


def test_each_granted_action_is_needed(stateful: Template, application: Template, granted: list[str]) -> None:
    needed = {action for kind in kinds(stateful, application) for action in handled(kind)}
    needed |= {action for call in calls() for action in OTHER_NAMES.get(call, {call})}
    by_hand = {"cloudformation:ContinueUpdateRollback", "cloudformation:ValidateTemplate"}  # what messages tell to do
    unneeded = [
        pattern
        for pattern in granted
        if pattern not in by_hand and not any(matches(action, [pattern]) for action in needed)
    ]
    assert unneeded == []


def test_each_reason_for_leaving_out_is_about_an_action(stateful: Template, application: Template) -> None:
    handlers = {action for kind in kinds(stateful, application) for action in handled(kind)}
    assert [pattern for pattern in NOT_USED if not any(matches(action, [pattern]) for action in handlers)] == []


def test_the_data_of_people_is_not_granted(granted: list[str]) -> None:
    for action in ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "kinesis:GetRecords"):
        assert not matches(action, granted), action


def test_rights_are_limited_to_what_is_named_strandline() -> None:
    """All but what has no name of its own, or whose name is the user's or AWS's."""
    anything = {statement["Sid"] for statement in statements() if statement["Resource"] == "*"}
    assert anything == {"Account", "WithoutNames", "Zones"}
    for statement in statements():
        assert not any(action.endswith(":*") for action in listed(statement["Action"])), statement["Sid"]
        for resource in listed(statement["Resource"]):
            named = re.search(r"[:/]strandline[-/]", resource)
            assert (
                named
                or resource == "*"
                or re.search(r":apigateway:|:route53:|transform/Serverless|aws-service-role|managedruleset", resource)
            ), resource


def test_iam_accepts_its_size() -> None:
    assert len(re.sub(r"\s", "", POLICY.read_text())) <= LARGEST_MANAGED_POLICY
