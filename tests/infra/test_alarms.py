"""Tests that alarms notify somebody, are documented, and watch existing resources. Source: docs/operations.md."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib.api.routes.metrics import LOST_EVENTS
from chalicelib.observability import METRICS_NAMESPACE
from chalicelib.tiles.jobs import COMPACTIONS_FAILED, TILES_WRONG
from tests.infra.conftest import Template, of_type, strings
from tests.infra.test_failures import queues_by_name
from tools.project import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
FREE_METRICS = 10
USD_A_METRIC = 0.10
OF_CLIENTS_EVENTS = {"OnMetricsFailingAlarm", "MetricsLateAlarm", "MetricsFailuresAlarm", "LostMetricsAlarm"}
"""Alarms that only a stage with a stream needs."""


def alarms(application: Template) -> dict[str, Template]:
    """The properties of each alarm, by its name without the stage, in the order of the template."""
    return {
        next(strings(alarm["AlarmName"])).removeprefix("strandline-${Stage}-"): alarm
        for alarm in of_type(application, "AWS::CloudWatch::Alarm").values()
    }


def metrics_of(alarm: Template) -> Iterator[Mapping[str, Any]]:
    """The metrics of an alarm: namespace, name and dimensions; empty for a query."""
    if "MetricName" in alarm:
        yield alarm
    for metric in alarm.get("Metrics", ()):
        if "MetricStat" in metric:
            yield metric["MetricStat"]["Metric"]


def looked_at(application: Template) -> set[tuple[str, str, str]]:
    """Metric, name and value of its first dimension, for all metrics of all alarms."""
    return {
        (metric["MetricName"], dimension["Name"], next(strings(dimension["Value"])))
        for alarm in alarms(application).values()
        for metric in metrics_of(alarm)
        for dimension in metric["Dimensions"][:1]
    }


def test_each_alarm_has_its_section_and_each_section_its_alarm_in_the_same_order(application: Template) -> None:
    part = OPERATIONS.partition("\n## The alarms\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### `([a-z-]+)`$", part, flags=re.MULTILINE) == list(alarms(application))


def test_the_page_says_how_many_there_are_and_what_they_cost(application: Template) -> None:
    counted = sum(max(len(list(metrics_of(alarm))), 1) for alarm in alarms(application).values())
    beyond = counted - FREE_METRICS
    said = f"{len(alarms(application))} alarms look at {counted} metrics"
    page = " ".join(OPERATIONS.split())
    assert said in page
    assert f"${counted * USD_A_METRIC:.2f} a month" in page
    assert f"${beyond * USD_A_METRIC:.2f} a month" in page


def test_missing_data_raises_no_alarm_and_each_alarm_notifies_at_start_and_end(application: Template) -> None:
    for name, alarm in alarms(application).items():
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        told = {"Fn::If": ["HasAlarmEmail", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
        assert alarm["AlarmActions"] == alarm["OKActions"] == told, name
        assert alarm["AlarmDescription"], name


def test_alarms_exist_on_aws_only_and_their_topic_only_with_an_address(application: Template) -> None:
    conditions = application["Conditions"]
    assert conditions["OnAws"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]}
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]} in conditions["HasAlarmEmail"]["Fn::And"]
    assert application["Parameters"]["AlarmEmail"]["Default"] == ""
    topic = application["Resources"]["AlarmTopic"]
    assert topic["Condition"] == "HasAlarmEmail"
    assert topic["Properties"]["Subscription"] == [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}]
    for name, resource in application["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert resource["Condition"] == ("TakesMetricsOnAws" if name in OF_CLIENTS_EVENTS else "OnAws"), name


def test_each_function_has_an_alarm_for_errors_and_throttles(application: Template) -> None:
    functions = of_type(application, "AWS::Serverless::Function")
    for function in functions:
        for metric in ("Errors", "Throttles"):
            assert (metric, "FunctionName", function) in looked_at(application)
    for name, alarm in alarms(application).items():
        if "Metrics" in alarm and "MetricStat" in alarm["Metrics"][-1]:
            expression, *parts = alarm["Metrics"]
            assert expression["Expression"] == "FILL(errors, 0) + FILL(throttles, 0)", name
            assert [(part["Id"], part["ReturnData"]) for part in parts] == [("errors", False), ("throttles", False)]


def test_each_queue_of_failures_has_an_alarm_for_one_message(stateful: Template, application: Template) -> None:
    queues = {name for name in queues_by_name(stateful, application) if name.endswith("-failures")}
    watched = {
        _queue_name(alarm["Dimensions"][0]["Value"], application)
        for alarm in alarms(application).values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        and (alarm["Threshold"], alarm["Statistic"]) == (1, "Maximum")
    }
    assert watched == queues
    assert len(queues) == 4


def _queue_name(value: Any, application: Template) -> str:
    if "Fn::GetAtt" in value:
        value = of_type(application, "AWS::SQS::Queue")[value["Fn::GetAtt"][0]]["QueueName"]
    return next(strings(value))


@pytest.mark.parametrize("queue", ["blob-events", "tasks"])
def test_each_queue_of_work_has_an_alarm_for_its_oldest_message(queue: str, application: Template) -> None:
    assert ("ApproximateAgeOfOldestMessage", "QueueName", f"strandline-${{Stage}}-{queue}") in looked_at(application)


def test_the_alarm_of_the_task_queue_allows_for_the_longest_run(stateful: Template, application: Template) -> None:
    queue = of_type(stateful, "AWS::SQS::Queue")["TasksQueue"]
    assert queue["VisibilityTimeout"] < alarms(application)["tasks-late"]["Threshold"] < queue["MessageRetentionPeriod"]


def test_the_api_has_alarms_for_server_errors_latency_and_timeouts(application: Template) -> None:
    api = of_type(application, "AWS::Serverless::Api")["RestAPI"]
    for name, metric in (("api-failing", "5XXError"), ("api-slow", "Latency")):
        alarm = alarms(application)[name]
        assert alarm["MetricName"] == metric
        assert alarm["Dimensions"] == [
            {"Name": "ApiName", "Value": api["Name"]},
            {"Name": "Stage", "Value": api["StageName"]},
        ]
    timeout_s = of_type(application, "AWS::Serverless::Function")["APIHandler"]["Timeout"]
    assert alarms(application)["api-near-timeout"]["Threshold"] == pytest.approx(timeout_s * 1000 * 0.8)


def test_the_stream_has_an_alarm_for_the_age_of_its_oldest_record(application: Template) -> None:
    assert ("IteratorAge", "FunctionName", "OnMetrics") in looked_at(application)
    given_up_after_s = of_type(application, "AWS::Lambda::EventSourceMapping")["OnMetricsSource"]
    assert alarms(application)["metrics-late"]["Threshold"] < given_up_after_s["MaximumRecordAgeInSeconds"] * 1000


@pytest.mark.parametrize(
    ("alarm", "metric"), [("tables-throttled", "ThrottledRequests"), ("tables-failing", "SystemErrors")]
)
def test_the_tables_have_alarms_by_a_query_that_sees_all_of_them(
    alarm: str, metric: str, application: Template
) -> None:
    (query,) = alarms(application)[alarm]["Metrics"]
    assert query["Expression"].startswith(f"SELECT SUM({metric}) ")
    assert query["Expression"].endswith(' FROM SCHEMA("AWS/DynamoDB", Operation, TableName)')


@pytest.mark.parametrize("metric", [LOST_EVENTS, "FailedTaskRuns", COMPACTIONS_FAILED, TILES_WRONG])
def test_a_single_lost_event_or_failed_task_raises_an_alarm(metric: str, application: Template) -> None:
    (alarm,) = [alarm for alarm in alarms(application).values() if alarm.get("MetricName") == metric]
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == (METRICS_NAMESPACE, "Sum", 1)
    assert alarm["Dimensions"] == [{"Name": "stage", "Value": {"Ref": "Stage"}}]
