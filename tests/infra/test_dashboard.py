"""Tests that the dashboard shows every function, table, queue and count of a stage."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api.routes.metrics import LOST_EVENTS
from chalicelib.blobs.jobs import METRICS as TASK_METRICS
from chalicelib.events.blobs import METRICS as BLOB_METRICS
from tests.infra.conftest import Template, of_type, strings
from tests.infra.test_alarms import alarms, metrics_of
from tests.infra.test_failures import queues_by_name
from tools.project import ROOT

COUNTS = {LOST_EVENTS, *BLOB_METRICS.values(), *TASK_METRICS.values()}


@pytest.fixture(scope="module")
def body(application: Template) -> Any:
    """The body of the dashboard, before names are substituted."""
    dashboard = application["Resources"]["OperationDashboard"]
    assert dashboard["Condition"] == "HasDashboard"
    return json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])


def rows(body: Any) -> Iterator[tuple[str, ...]]:
    """Each line that is drawn: namespace, metric, and names and values of its dimensions."""
    for widget in body["widgets"]:
        for row in widget["properties"]["metrics"]:
            yield tuple(part for part in row if isinstance(part, str))


def shown(body: Any, metric: str) -> set[str]:
    """The values of the first dimension with which a metric is shown."""
    return {row[3] for row in rows(body) if row[1] == metric}


def test_the_dashboard_can_be_switched_off(application: Template) -> None:
    assert application["Parameters"]["Dashboard"]["Default"] == "true"
    assert {"Fn::Equals": [{"Ref": "Dashboard"}, "true"]} in application["Conditions"]["HasDashboard"]["Fn::And"]


def test_every_widget_is_drawn_and_named(body: Any) -> None:
    for widget in body["widgets"]:
        properties = widget["properties"]
        assert (widget["type"], properties["region"], properties["view"]) == ("metric", "${AWS::Region}", "timeSeries")
        assert properties["title"]
        assert "stat" in properties or all("stat" in row[-1] for row in properties["metrics"]), properties["title"]
    # 24 columns are a row.
    assert 24 % body["widgets"][0]["width"] == 0


def test_the_names_in_the_dashboard_are_in_the_template(body: Any, application: Template) -> None:
    names = set(re.findall(r"\$\{([^}]+)\}", json.dumps(body)))
    assert names <= {"Stage", "AWS::Region", *of_type(application, "AWS::Serverless::Function")}


def test_requests_and_latency_of_the_api_are_shown(body: Any) -> None:
    for metric in ("Count", "4XXError", "5XXError", "Latency"):
        assert shown(body, metric) == {"strandline-${Stage}"}, metric


def test_every_function_is_shown(body: Any, application: Template) -> None:
    functions = {f"${{{name}}}" for name in of_type(application, "AWS::Serverless::Function")}
    for metric in ("Duration", "Errors", "Throttles"):
        assert shown(body, metric) == functions
    assert shown(body, "IteratorAge") == {"${OnMetrics}"}


def test_every_table_is_shown(body: Any, stateful: Template) -> None:
    tables = {next(strings(table["TableName"])) for table in of_type(stateful, "AWS::DynamoDB::Table").values()}
    for metric in (
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    ):
        assert shown(body, metric) == tables


def test_every_queue_is_shown(body: Any, stateful: Template, application: Template) -> None:
    assert shown(body, "ApproximateNumberOfMessagesVisible") == set(queues_by_name(stateful, application))


def test_every_count_is_shown(body: Any, application: Template) -> None:
    counted = {row[1] for row in rows(body) if row[0] == "Strandline"}
    watched = {
        metric["MetricName"]
        for alarm in alarms(application).values()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == "Strandline"
    }
    written_out = {
        name
        for path in (ROOT / "chalicelib").rglob("*.py")
        for name in re.findall(r'\bcount\("([A-Z]\w+)"', path.read_text())
    }
    assert {"RecoveredTasks", "FailedTaskRuns"} <= written_out
    assert counted >= COUNTS | watched | written_out
