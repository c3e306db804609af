"""Tests that each line of the log names its run, and shows only the type and the place of an error."""

import io
import json
import platform
from dataclasses import dataclass
from typing import Any

import botocore
import pytest
from chalice.test import Client

from app import app
from chalicelib import services as wiring
from chalicelib.config import Settings
from chalicelib.events import tasks
from chalicelib.observability import FunctionFailedError, count, logger, observed
from tests.infra.conftest import of_type
from tools.packaging.application import LOCAL_STAGE, make_package


@dataclass(frozen=True, slots=True)
class Context:
    """The context of an invocation by Lambda."""

    function_name: str = "a-function"
    aws_request_id: str = "a-run"


@dataclass(frozen=True, slots=True)
class Event:
    """The event as Chalice wraps it."""

    context: Context


@pytest.mark.parametrize("arguments", [(Event(Context()),), ({"Records": []}, Context())])
def test_a_log_line_names_the_function_and_the_invocation(arguments: tuple[Any, ...], log: io.StringIO) -> None:
    observed(lambda *_: logger.info("done"))(*arguments)
    line = json.loads(log.getvalue())
    assert (line["message"], line["function_name"], line["function_request_id"]) == ("done", "a-function", "a-run")


def test_an_error_fails_the_function_without_its_message(log: io.StringIO) -> None:
    def handler(event: Event) -> None:
        raise ValueError("a-value-of-somebody")

    with pytest.raises(FunctionFailedError, match="ValueError") as raised:
        observed(handler)(Event(Context()))
    assert (str(raised.value), raised.value.__suppress_context__) == ("ValueError", True)
    line = json.loads(log.getvalue())
    assert (line["message"], line["level"], line["error"]) == ("defect", "ERROR", "ValueError")
    assert line["at"][-1].endswith("handler")
    assert "a-value-of-somebody" not in log.getvalue()


@pytest.mark.parametrize("function", ["on_object_created", "on_metrics", "run_task"])
def test_each_function_that_receives_records_is_observed(function: str, log: io.StringIO) -> None:
    with Client(app) as client, pytest.raises(FunctionFailedError):
        client.lambda_.invoke(function, {"Records": None})
    assert json.loads(log.getvalue())["function_name"]


def test_the_scheduled_function_is_observed(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setattr(tasks, "services", lambda: 1 / 0)
    with Client(app) as client, pytest.raises(FunctionFailedError, match="ZeroDivisionError"):
        client.lambda_.invoke("dispatch_tasks", client.events.generate_cw_event("aws.events", "", {}, [], ""))
    assert json.loads(log.getvalue())["function_name"]


def test_a_process_logs_its_versions_when_it_starts(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "_services", None)
    for _ in range(2):
        wiring.services()
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["message"], line["version"]) == ("start", Settings().version)
    assert (line["python"], line["botocore"]) == (platform.python_version(), botocore.__version__)


def test_the_package_has_no_other_functions() -> None:
    functions = of_type(make_package(LOCAL_STAGE).template, "AWS::Serverless::Function")
    handlers = {function["Handler"].rpartition(".")[2] for function in functions.values()}
    assert handlers == {"app", "on_object_created", "on_metrics", "run_task", "dispatch_tasks"}


def test_a_count_is_a_metric_in_the_embedded_metric_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRANDLINE_STAGE", "a-stage")
    count("SomethingCounted", 3)
    line = json.loads(capsys.readouterr().out)
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Strandline"
    assert metric["Metrics"] == [{"Name": "SomethingCounted", "Unit": "Count"}]
    assert metric["Dimensions"] == [["stage"]]
    assert (line["SomethingCounted"], line["stage"]) == ([3.0], "a-stage")
