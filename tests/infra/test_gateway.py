"""Tests the settings of API Gateway: limits, error responses, access logs, the firewall. Source: docs/operations.md."""

import json
import re
from typing import Any

import pytest

from chalicelib.api.errors.platform import STATUS
from chalicelib.errors import TooLargeError
from tests.infra.conftest import Template, of_type, strings

REFUSALS = ("DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "REQUEST_TOO_LARGE", "WAF_FILTERED")
ORIGIN = "gatewayresponse.header.Access-Control-Allow-Origin"
MAX_RESOURCES = 250
MAX_TEMPLATE_BYTES = 700_000
RETRY = "gatewayresponse.header.Retry-After"


@pytest.fixture(scope="module")
def api(application: Template) -> Template:
    """The properties of the API."""
    return of_type(application, "AWS::Serverless::Api")["RestAPI"]


def test_the_api_is_named_after_its_stage(api: Template) -> None:
    # Metrics of API Gateway are identified by this name.
    assert api["Name"] == api["DefinitionBody"]["info"]["title"] == {"Fn::Sub": "strandline-${Stage}"}


def test_the_api_has_room_for_more_resources(api: Template, application: Template) -> None:
    """A REST API has at most 300 resources, and a template at most 1 MB: limits 5. What has no resource of its own is
    found by the router."""
    paths = api["DefinitionBody"]["paths"]
    assert {"/{proxy+}", "/v1/users/{userId}/nightscout_credentials"} <= paths.keys()
    assert not [path for path in paths if path.startswith(("/api", "/pebble", "/socket.io"))]
    assert len(paths) <= MAX_RESOURCES
    assert len(json.dumps(application, separators=(",", ":"))) <= MAX_TEMPLATE_BYTES


def test_the_apis_own_address_is_closed_if_there_is_a_domain(api: Template, application: Template) -> None:
    endpoint = api["DefinitionBody"]["x-amazon-apigateway-endpoint-configuration"]
    assert endpoint == {"disableExecuteApiEndpoint": {"Fn::If": ["HasDomain", True, False]}}
    assert application["Conditions"]["HasDomain"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "DomainName"}, ""]}]}
    # The change takes effect with a deployment of the API.
    assert api["AlwaysDeploy"] is True


def test_all_methods_of_all_paths_are_throttled_on_aws(api: Template, application: Template) -> None:
    settings = api["MethodSettings"][0]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    nothing = {"Ref": "AWS::NoValue"}
    assert settings["ThrottlingRateLimit"] == {"Fn::If": ["OnAws", {"Ref": "ThrottlingRate"}, nothing]}
    assert settings["ThrottlingBurstLimit"] == {"Fn::If": ["OnAws", {"Ref": "ThrottlingBurst"}, nothing]}
    parameters = application["Parameters"]
    assert 0 < parameters["ThrottlingRate"]["Default"] <= parameters["ThrottlingBurst"]["Default"]


def test_the_large_public_answers_have_a_limit_of_their_own(api: Template) -> None:
    nothing = {"Ref": "AWS::NoValue"}
    large = api["MethodSettings"][1:]
    assert {(settings["ResourcePath"], settings["HttpMethod"]) for settings in large} == {
        ("/~1openapi.json", "GET"),
        ("/~1docs", "GET"),
    }
    for settings in large:
        assert settings["ThrottlingRateLimit"] == {"Fn::If": ["OnAws", 2, nothing]}
        assert settings["ThrottlingBurstLimit"] == {"Fn::If": ["OnAws", 20, nothing]}


def test_the_gateways_own_logs_contain_nothing_of_a_request(api: Template) -> None:
    for settings in api["MethodSettings"]:
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    assert "TracingEnabled" not in api


def test_the_gateway_has_exactly_these_error_responses(api: Template) -> None:
    assert tuple(api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]) == REFUSALS


@pytest.mark.parametrize("kind", REFUSALS)
def test_an_error_response_of_the_gateway_is_json_that_a_page_may_read(kind: str, api: Template) -> None:
    refusal = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"][kind]
    ((media, template),) = refusal["responseTemplates"].items()
    assert media == "application/json"
    # API Gateway adds the quotes of this one itself.
    body = json.loads(template.replace("$context.error.messageString", '"a message"'))
    assert set(body) == {"code", "title", "detail", "meta"}
    assert body["meta"] == {"trace": {"request": "$context.requestId"}}
    assert refusal["responseParameters"][ORIGIN] == "'*'"
    # Any origin and credentials together would be refused by browsers.
    assert not any("Credentials" in name for name in refusal["responseParameters"])


def test_throttled_and_failed_requests_get_a_retry_after(api: Template) -> None:
    refusals = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert {kind for kind in REFUSALS if RETRY in refusals[kind]["responseParameters"]} == {"THROTTLED", "DEFAULT_5XX"}
    assert refusals["THROTTLED"]["statusCode"] == 429
    assert refusals["REQUEST_TOO_LARGE"]["statusCode"] == STATUS[TooLargeError]
    assert refusals["WAF_FILTERED"]["statusCode"] == 403


def test_access_logs_exist_only_if_configured(api: Template, application: Template) -> None:
    assert application["Parameters"]["AccessLogs"]["Default"] == "false"
    condition, settings, otherwise = api["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("HasAccessLogs", {"Ref": "AWS::NoValue"})
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}
    for name in ("AccessLogGroup", "AccessLogsAccount", "AccessLogsRole"):
        assert application["Resources"][name]["Condition"] == "HasAccessLogs"


def test_access_logs_contain_no_path_query_header_or_body(api: Template) -> None:
    line = json.loads(api["AccessLogSetting"]["Fn::If"][1]["Format"])
    assert line["lambda"] == "$context.integration.requestId"
    assert {re.sub(r"^\$context\.", "", value) for value in line.values()} == {
        "requestTime",
        "requestId",
        "integration.requestId",
        "identity.sourceIp",
        "httpMethod",
        "resourcePath",
        "status",
        "error.responseType",
        "wafResponseCode",
        "responseLength",
        "responseLatency",
        "integration.latency",
    }


def test_the_setting_that_all_stages_share_is_retained(application: Template) -> None:
    for name in ("AccessLogsAccount", "AccessLogsRole"):
        resource = application["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert application["Resources"]["AccessLogGroup"]["DependsOn"] == "AccessLogsAccount"


def rules(application: Template) -> dict[str, Any]:
    """The rules of the firewall, by name."""
    return {rule["Name"]: rule for rule in of_type(application, "AWS::WAFv2::WebACL")["Firewall"]["Rules"]}


def test_the_firewall_exists_only_if_configured_and_protects_this_stage(application: Template, api: Template) -> None:
    assert application["Parameters"]["Waf"]["Default"] == "false"
    for name in ("Firewall", "FirewallOfApi"):
        assert application["Resources"][name]["Condition"] == "HasWaf"
    association = application["Resources"]["FirewallOfApi"]["Properties"]
    assert association["WebACLArn"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
    address, names = association["ResourceArn"]["Fn::Sub"]
    assert address.endswith("::/restapis/${RestAPI}/stages/${StageName}")
    assert names == {"StageName": {"Ref": "RestAPI.Stage"}}
    firewall = application["Resources"]["Firewall"]["Properties"]
    assert (firewall["Scope"], firewall["DefaultAction"]) == ("REGIONAL", {"Allow": {}})


def test_an_address_that_sends_too_much_is_blocked(application: Template) -> None:
    rule = rules(application)["requests-per-address"]
    rate = rule["Statement"]["RateBasedStatement"]
    assert (rule["Action"], rate["AggregateKeyType"]) == ({"Block": {}}, "IP")
    assert rate["Limit"] == {"Ref": "WafRequestsPerAddress"}


def test_no_rule_of_aws_refuses_a_body_for_its_size_or_text(application: Template) -> None:
    group = rules(application)["common"]["Statement"]["ManagedRuleGroupStatement"]
    counting = {rule["Name"] for rule in group["RuleActionOverrides"] if rule["ActionToUse"] == {"Count": {}}}
    of_bodies = {"SizeRestrictions", "CrossSiteScripting", "GenericLFI", "GenericRFI", "EC2MetaDataSSRF"}
    assert {name.removesuffix("_BODY") for name in counting if name.endswith("_BODY")} == of_bodies


def test_the_firewall_shows_no_request_to_anybody(application: Template) -> None:
    firewall = application["Resources"]["Firewall"]["Properties"]
    for part in (firewall, *firewall["Rules"]):
        assert part["VisibilityConfig"]["SampledRequestsEnabled"] is False
    priorities = [rule["Priority"] for rule in firewall["Rules"]]
    assert priorities == sorted(set(priorities))
    assert len(set(strings([rule["VisibilityConfig"]["MetricName"] for rule in firewall["Rules"]]))) == len(priorities)
