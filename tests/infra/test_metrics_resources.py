"""Tests the stream of events: its consumer, its failure queue, and its alarms. Source: docs/metrics.md."""

from typing import Any

import pytest

from chalicelib.api.routes.metrics import LOST_EVENTS
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.metrics.stores.archive import PREFIX
from chalicelib.metrics.stores.counts import StoredEventCounts
from chalicelib.observability import METRICS_NAMESPACE
from tests.infra.conftest import SETTINGS, Template, of_type, physical


def test_names_are_those_of_the_settings(stateful: Template) -> None:
    stream = of_type(stateful, "AWS::Kinesis::Stream")["MetricsStream"]
    queue = of_type(stateful, "AWS::SQS::Queue")["MetricsFailures"]
    salt = of_type(stateful, "AWS::SecretsManager::Secret")["MetricsSalt"]
    assert physical(stream["Name"]) == SETTINGS.metrics_stream
    assert physical(queue["QueueName"]) == SETTINGS.metrics_failure_queue
    assert physical(salt["Name"]) == SETTINGS.metrics_salt_name


def test_the_stream_exists_only_if_configured_and_is_encrypted(stateful: Template) -> None:
    stream = stateful["Resources"]["MetricsStream"]
    assert stream["Condition"] == "TakesMetrics"
    assert stateful["Conditions"]["TakesMetrics"] == {"Fn::Equals": [{"Ref": "MetricsEnabled"}, "true"]}
    assert stream["Properties"]["StreamEncryption"]["EncryptionType"] == "KMS"
    assert stream["Properties"]["RetentionPeriodHours"] >= 24


def test_archived_events_expire(stateful: Template) -> None:
    bucket = of_type(stateful, "AWS::S3::Bucket")["Bucket"]
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == PREFIX]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "MetricsRetentionDays"})


def test_failed_records_are_kept_for_the_longest_possible_time(stateful: Template) -> None:
    queue = of_type(stateful, "AWS::SQS::Queue")["MetricsFailures"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True


def test_the_mapping_never_gets_stuck_and_loses_nothing_silently(application: Template) -> None:
    mapping = application["Resources"]["OnMetricsSource"]
    assert mapping["Condition"] == "TakesMetrics"
    assert application["Conditions"]["TakesMetrics"] == {"Fn::Equals": [{"Ref": "MetricsEnabled"}, "true"]}
    properties = mapping["Properties"]
    assert properties["FunctionName"] == {"Ref": "OnMetrics"}
    assert physical(properties["EventSourceArn"]).endswith(f":stream/{SETTINGS.metrics_stream}")
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["BisectBatchOnFunctionError"] is True
    assert 0 < properties["MaximumRetryAttempts"] <= 100
    # The ledger of a shard has one writer.
    assert properties["ParallelizationFactor"] == 1
    failures = physical(properties["DestinationConfig"]["OnFailure"]["Destination"])
    assert failures.endswith(f":{SETTINGS.metrics_failure_queue}")


@pytest.mark.parametrize(
    ("alarm", "namespace", "metric", "dimension"),
    [
        ("LostMetricsAlarm", METRICS_NAMESPACE, LOST_EVENTS, ("stage", SETTINGS.stage)),
        (
            "MetricsFailuresAlarm",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", SETTINGS.metrics_failure_queue),
        ),
    ],
)
def test_losses_and_failures_raise_alarms(
    application: Template, alarm: str, namespace: str, metric: str, dimension: tuple[str, str]
) -> None:
    properties = of_type(application, "AWS::CloudWatch::Alarm")[alarm]
    assert (properties["Namespace"], properties["MetricName"]) == (namespace, metric)
    (only,) = properties["Dimensions"]
    value = SETTINGS.stage if only["Value"] == {"Ref": "Stage"} else physical(only["Value"])
    assert (only["Name"], value) == dimension
    assert (properties["Threshold"], properties["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def statements(application: Template, role: str) -> dict[str, Any]:
    (policy,) = application["Resources"][role]["Properties"]["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def test_the_consumer_may_write_events_and_counts_and_nothing_else(application: Template) -> None:
    of_consumer = statements(application, "OnMetricsRole")
    assert of_consumer["Archive"]["Action"] == "s3:PutObject"
    assert physical(of_consumer["Archive"]["Resource"]).endswith(f"{SETTINGS.bucket}/{PREFIX}*")
    condition = of_consumer["CountsAndLedgers"]["Condition"]
    assert condition == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["metrics#*"]}}
    store = StoredEventCounts(aws_engine(SETTINGS).data, SETTINGS.metrics_stream)
    assert store._ledger_key("shardId-000000000000")["pk"].startswith("metrics#")
    assert "sqs:SendMessage" in of_consumer["Failures"]["Action"]


def test_the_api_may_put_events_and_not_read_them(application: Template) -> None:
    of_api = statements(application, "ApiHandlerRole")
    actions = {
        action
        for statement in of_api.values()
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {action for action in actions if action.startswith("kinesis:")} == {"kinesis:PutRecord"}
    assert physical(of_api["Metrics"]["Resource"]).endswith(f":stream/{SETTINGS.metrics_stream}")
    assert SETTINGS.metrics_salt_name in physical(of_api["MetricsSalt"]["Resource"])
