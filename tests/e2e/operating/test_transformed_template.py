"""Tests the application's template after the SAM transform, as CloudFormation sees it.

The translator is the one that AWS runs. It comes with the local cloud's environment.
"""

import json
import subprocess
from typing import Any

import pytest

from tools.environments import CLOUD
from tools.packaging.application import LOCAL_STAGE, make_package
from tools.stages.deployment import template_for

TRANSFORM = """
import json, sys
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

json.dump(transform(json.load(sys.stdin), {}, NoManagedPolicies()), sys.stdout)
"""

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def resources() -> Resources:
    """The resources that CloudFormation makes of the application's template."""
    done = subprocess.run(
        [CLOUD.python, "-c", TRANSFORM],
        input=template_for(make_package(LOCAL_STAGE), "a-bucket"),
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Resources = json.loads(done.stdout)["Resources"]
    return found


def of_type(resources: Resources, kind: str) -> dict[str, Any]:
    """The properties of the resources of a type, by logical name."""
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def test_the_api_has_one_stage_and_its_deployment_makes_none(resources: Resources) -> None:
    """SAM makes a second stage named `Stage` unless the template says which OpenAPI version it has. Requests to that
    stage would bypass firewall, throttling, access log and alarms.

    Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html
    """
    (stage,) = of_type(resources, "AWS::ApiGateway::Stage").values()
    (deployment,) = of_type(resources, "AWS::ApiGateway::Deployment").values()
    assert stage["StageName"] == "api"
    assert stage["MethodSettings"]
    assert stage["AccessLogSetting"]
    assert not {"StageName", "StageDescription"} & set(deployment)


def test_firewall_domain_and_alarms_belong_to_that_stage(resources: Resources) -> None:
    (logical_name,) = of_type(resources, "AWS::ApiGateway::Stage")
    (association,) = of_type(resources, "AWS::WAFv2::WebACLAssociation").values()
    assert association["ResourceArn"]["Fn::Sub"][1] == {"StageName": {"Ref": logical_name}}
    (mapping,) = of_type(resources, "AWS::ApiGateway::BasePathMapping").values()
    assert mapping["Stage"] == {"Ref": logical_name}
    watched = [
        {"Name": "Stage", "Value": "api"} in alarm["Dimensions"]
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/ApiGateway"
    ]
    assert watched
    assert all(watched)


def test_the_body_of_the_api_stays_as_it_was_written(resources: Resources) -> None:
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()
    assert api["Body"]["swagger"] == "2.0"
    closed = {"disableExecuteApiEndpoint": {"Fn::If": ["HasDomain", True, False]}}
    assert api["Body"]["x-amazon-apigateway-endpoint-configuration"] == closed


def test_rules_have_the_names_that_their_policies_rely_on(resources: Resources) -> None:
    (rule,) = of_type(resources, "AWS::Events::Rule").values()
    assert rule["Name"] == {"Fn::Sub": "strandline-${Stage}-dispatch-tasks"}


def test_only_the_worker_may_run_in_a_loop(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    assert len(functions) == 5
    assert [name for name, function in functions.items() if "RecursiveLoop" in function] == ["RunTask"]
