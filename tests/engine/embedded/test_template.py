"""Queues, notices and lifecycle of the embedded engine are those that the template creates."""

from collections.abc import Mapping
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

from chalicelib.engine.embedded.files import LIFECYCLE, NOTICE_PREFIXES, LifecycleRule
from chalicelib.engine.embedded.sqlite_queue import QUEUES, QueueDefinition
from chalicelib.engine.embedded.sqlite_stream import RETENTION_MS
from tools.project import STATEFUL_TEMPLATE

SQS_VISIBILITY_S = 30
"""Default of SQS where the template says nothing."""


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    """The template."""
    return load(str(STATEFUL_TEMPLATE))  # type: ignore[no-any-return]


def test_queues_deliver_as_those_of_the_template(template: Mapping[str, Any]) -> None:
    resources = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    names = {
        name: properties["QueueName"]["Fn::Sub"].removeprefix("strandline-${Stage}-")
        for name, properties in resources.items()
    }
    created = set()
    for name, properties in resources.items():
        redrive = properties.get("RedrivePolicy")
        if redrive is not None:
            (dead_letters,) = {redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]}
            assert names[dead_letters] == f"{names[name]}-failures"
        created.add(
            QueueDefinition(
                names[name],
                properties.get("VisibilityTimeout", SQS_VISIBILITY_S),
                None if redrive is None else redrive["maxReceiveCount"],
                properties["MessageRetentionPeriod"],
            )
        )
    assert created == set(QUEUES)


def test_the_same_objects_give_notice(template: Mapping[str, Any]) -> None:
    notices = template["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    prefixes = [rule["Value"] for notice in notices for rule in notice["Filter"]["S3Key"]["Rules"]]
    assert sorted(prefixes) == sorted(NOTICE_PREFIXES)


def test_the_same_objects_have_lifetimes(template: Mapping[str, Any]) -> None:
    default_days = template["Parameters"]["MetricsRetentionDays"]["Default"]
    rules = template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expirations = set()
    for rule in rules:
        days = rule.get("ExpirationInDays")
        if days is not None:
            (tag,) = [filter_["Value"] for filter_ in rule.get("TagFilters", ())] or [None]
            expirations.add(LifecycleRule(days if isinstance(days, int) else default_days, rule.get("Prefix", ""), tag))
    assert expirations == set(LIFECYCLE)


def test_the_stream_keeps_records_as_long(template: Mapping[str, Any]) -> None:
    hours = template["Resources"]["MetricsStream"]["Properties"]["RetentionPeriodHours"]
    assert hours * 3600 * 1000 == RETENTION_MS
