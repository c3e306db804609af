"""Tests that the names of resources fit into AWS's limits, and that no policy relies on a generated name.

CloudFormation cuts the names that it generates to the limit of the resource, so a policy cannot tell what they begin
with. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Template, strings
from tools.packaging.application import STAGE_NAME
from tools.project import ROOT

LONGEST_STAGE = "a" * 20
LONGEST_REGION = "ap-southeast-1"
LIMITS = {
    "TableName": 255,
    "BucketName": 63,
    "QueueName": 80,
    "LogGroupName": 512,
    "AlarmName": 255,
    "DashboardName": 255,
    "TopicName": 256,
    "MetricName": 255,
    "Name": 64,
}
"""The limit of each property that is a name. Rules, streams, secrets, firewalls and APIs have a `Name`; the lowest of
their limits is 64, of a rule of EventBridge.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
"""


@pytest.fixture(params=["stateful", "application"])
def template(request: pytest.FixtureRequest) -> Template:
    """Each of the two templates."""
    found: Template = request.getfixturevalue(request.param)
    return found


def named(value: Any) -> Iterator[tuple[str, str]]:
    """Each name in a part of a template, with its property."""
    if isinstance(value, dict):
        for key, element in value.items():
            if key in LIMITS:
                yield from ((key, text) for text in strings(element) if "${Stage}" in text)
            yield from named(element)
    elif isinstance(value, list):
        for element in value:
            yield from named(element)


def filled_in(text: str) -> str:
    """The longest text that the template can make of this one."""
    values = {"${Stage}": LONGEST_STAGE, "${AWS::Region}": LONGEST_REGION, "${AWS::AccountId}": "1" * 12}
    for variable, value in values.items():
        text = text.replace(variable, value)
    assert "${" not in text, text
    return text


def test_the_longest_name_of_a_stage_is_as_assumed() -> None:
    assert re.fullmatch(STAGE_NAME, LONGEST_STAGE)
    assert not re.fullmatch(STAGE_NAME, LONGEST_STAGE + "a")


def test_every_name_fits_for_the_longest_stage_and_region(template: Template) -> None:
    names = list(named(template["Resources"]))
    assert len(names) > 5
    assert [(key, name) for key, name in names if len(filled_in(name)) > LIMITS[key]] == []


def test_no_policy_relies_on_a_generated_name(template: Template) -> None:
    of_functions = [json.loads(path.read_text()) for path in (ROOT / ".chalice").glob("policy-*.json")]
    assert len(of_functions) == 5
    for document in (template["Resources"], *of_functions):
        assert not [text for text in strings(document) if "${AWS::StackName}" in text]


def test_nothing_names_a_partition_or_its_domain(template: Template) -> None:
    """In China and in the European Sovereign Cloud, both differ. Service principals are the same everywhere."""
    for text in strings(template["Resources"]):
        assert "arn:aws:" not in text, text
        if "amazonaws.com" in text:
            assert re.fullmatch(r"(apigateway|events|lambda|s3)\.amazonaws\.com", text), text
    for path in (ROOT / "tools").rglob("*.py"):
        assert "amazonaws.com" not in path.read_text(), path
