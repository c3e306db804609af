"""Tests the packaged template: permissions of functions, and that every request reaches the application."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Template, of_type, strings
from tools.packaging.template import ANY, EVERYTHING_ELSE, METHODS, architecture_of, for_architecture
from tools.packaging.vendored import LAMBDA_PLATFORMS
from tools.project import ROOT

GATEWAY_ROLE = "AccessLogsRole"
"""The role with which API Gateway writes access logs; it has only a managed policy of AWS."""


def _statements(role: Template) -> list[dict[str, Any]]:
    return [statement for policy in role.get("Policies", []) for statement in policy["PolicyDocument"]["Statement"]]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_function_runs_on_the_architecture_of_the_package(application: Template) -> None:
    functions = of_type(application, "AWS::Serverless::Function").values()
    assert [function["Architectures"] for function in functions] == [[{"Ref": "Architecture"}]] * len(functions)
    for name in LAMBDA_PLATFORMS:
        template = for_architecture(dict(application), name)
        assert template["Parameters"]["Architecture"]["AllowedValues"] == [name]
        assert architecture_of(template) == name
    assert architecture_of({"Parameters": {}}) == "x86_64"


def test_each_function_has_a_role_and_a_policy_of_its_own(application: Template) -> None:
    functions = of_type(application, "AWS::Serverless::Function")
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions)
    assert set(roles) | {GATEWAY_ROLE} == set(of_type(application, "AWS::IAM::Role"))
    names = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    assert len(names) == len(functions)
    assert {name["iam_policy_file"] for name in names.values()} == {f"policy-{name}.json" for name in names}


def test_no_role_may_do_anything_to_everything(application: Template) -> None:
    for name, role in of_type(application, "AWS::IAM::Role").items():
        if name == GATEWAY_ROLE:
            (policy,) = role["ManagedPolicyArns"]
            assert next(strings(policy)).endswith(":policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            continue
        assert _statements(role), name
        for statement in _statements(role):
            assert statement["Effect"] == "Allow"
            for action in _listed(statement["Action"]):
                assert "*" not in action, (name, action)
            for resource in _listed(statement["Resource"]):
                (arn,) = strings(resource)
                is_sender = arn.endswith(("identity/${MailFrom}", "identity/${MailDomain}"))  # of the stage alone
                assert "${Stage}" in arn or is_sender, (name, arn)
                # The account and the region are the stage's own, never any.
                assert "*" not in ":".join(arn.split(":")[:5]), (name, arn)
                assert not arn.endswith(("table/*", "stream/*", ":*")) or ":log-group:" in arn, (name, arn)


def test_the_api_may_read_and_write_the_tables_and_not_manage_them(application: Template) -> None:
    role = of_type(application, "AWS::IAM::Role")["ApiHandlerRole"]
    actions = {action for statement in _statements(role) for action in _listed(statement["Action"])}
    assert {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"} <= actions
    assert {"dynamodb:ConditionCheckItem", "secretsmanager:GetSecretValue", "logs:PutLogEvents"} <= actions
    managing = ("dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "secretsmanager:DeleteSecret")
    assert not actions & set(managing)


def test_the_api_may_write_no_secret_except_its_signing_keys(application: Template) -> None:
    role = of_type(application, "AWS::IAM::Role")["ApiHandlerRole"]
    writing = [
        statement for statement in _statements(role) if "secretsmanager:PutSecretValue" in _listed(statement["Action"])
    ]
    (arn,) = [
        text for statement in writing for resource in _listed(statement["Resource"]) for text in strings(resource)
    ]
    assert arn.endswith(":secret:strandline/${Stage}/oidc-keys-??????")


def test_each_function_knows_its_stage_and_address(application: Template) -> None:
    variables = application["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["STRANDLINE_STAGE"] == {"Ref": "Stage"}
    assert variables["STRANDLINE_ACCOUNT_ID"] == {"Ref": "AWS::AccountId"}
    assert variables["STRANDLINE_BASE_URL"] == {"Ref": "BaseUrl"}
    assert variables["STRANDLINE_CORS_ORIGINS"] == {"Ref": "CorsOrigins"}
    assert {name for value in variables.values() for name in strings(value) if "::" not in name} <= set(
        application["Parameters"]
    )


def test_no_secret_is_in_an_environment(application: Template) -> None:
    for name in application["Globals"]["Function"]["Environment"]["Variables"]:
        assert not any(word in name for word in ("SECRET", "PASSWORD", "TOKEN", "KEY", "SALT", "CODE")), name


def test_the_log_of_each_function_expires(application: Template) -> None:
    groups = of_type(application, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    functions = of_type(application, "AWS::Serverless::Function")
    used = {name: function["LoggingConfig"]["LogGroup"]["Ref"] for name, function in functions.items()}
    assert sorted([*used.values(), "AccessLogGroup"]) == sorted(groups)


def test_the_api_passes_binary_bodies_and_compresses_large_ones(application: Template) -> None:
    api = of_type(application, "AWS::Serverless::Api")["RestAPI"]
    assert api["BinaryMediaTypes"] == ["*/*"]
    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert api["MinimumCompressionSize"] == 1400
    assert _listed(api["EndpointConfiguration"])[0] in ("REGIONAL", {"Type": "REGIONAL"})


def test_every_known_path_takes_every_method(application: Template) -> None:
    paths = of_type(application, "AWS::Serverless::Api")["RestAPI"]["DefinitionBody"]["paths"]
    assert len(paths) > 10
    for path, methods in paths.items():
        assert ANY in methods or set(methods) >= set(METHODS), path
    assert set(paths["/"]) >= set(METHODS)
    assert set(paths[EVERYTHING_ELSE]) >= set(METHODS)


def test_all_of_the_api_is_one_function(application: Template) -> None:
    paths = of_type(application, "AWS::Serverless::Api")["RestAPI"]["DefinitionBody"]["paths"]
    addresses = {
        json.dumps(method["x-amazon-apigateway-integration"]["uri"])
        for methods in paths.values()
        for method in methods.values()
    }
    assert len(addresses) == 1
    assert "${APIHandler.Arn}" in addresses.pop()


@pytest.mark.parametrize("limit", [500_000])
def test_the_template_is_well_below_the_size_limit_of_cloudformation(application: Template, limit: int) -> None:
    """1,000,000 bytes, of which some are added by the transform."""
    assert len(json.dumps(application, separators=(",", ":"))) < limit


def test_the_overlay_makes_no_resource_without_a_type(application: Template) -> None:
    """A wrong name in the overlay would make a new resource without a type, without an error."""
    for name, resource in application["Resources"].items():
        assert "Type" in resource, name
        assert not (isinstance(resource, dict) and {"Fn::Sub", "Fn::GetAtt"} <= set(resource)), name
