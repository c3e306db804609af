"""Tests that each asynchronous function is retried up to an age, and then leaves its event in a failure queue.

Source: docs/operations.md, "When something is left over".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.infra.conftest import Template, of_type, strings
from tools.project import ROOT

FUNCTIONS = ("DispatchTasks", "OnMetrics", "OnObjectCreated", "RunTask")
QUEUES = {"OnObjectCreated": "BlobEvents", "RunTask": "TasksQueue"}
A_DAY_S = 24 * 3600


def name_of(value: Any) -> str:
    """The name of a queue, with `${Stage}` in it, from a name or an address."""
    (text,) = strings(value)
    return text.rpartition(":")[2]


def queues_by_name(*templates: Template) -> dict[str, Template]:
    """All queues of a stage."""
    return {
        name_of(queue["QueueName"]): queue
        for template in templates
        for queue in of_type(template, "AWS::SQS::Queue").values()
    }


def sources(application: Template) -> Iterator[tuple[str, str]]:
    """Each function that does not reply to a request, with the source that starts it."""
    for name, function in of_type(application, "AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            yield name, event["Type"]
    for mapping in of_type(application, "AWS::Lambda::EventSourceMapping").values():
        yield mapping["FunctionName"]["Ref"], "Kinesis"


def test_the_table_lists_all_asynchronous_functions(application: Template) -> None:
    assert dict(sources(application)) == {
        "DispatchTasks": "Schedule",
        "OnMetrics": "Kinesis",
        "OnObjectCreated": "SQS",
        "RunTask": "SQS",
    }
    assert set(of_type(application, "AWS::Serverless::Function")) == {"APIHandler", *FUNCTIONS}


@pytest.mark.parametrize("function", QUEUES)
def test_a_failing_message_is_retried_and_then_goes_to_the_failure_queue(
    function: str, stateful: Template, application: Template
) -> None:
    queue = of_type(stateful, "AWS::SQS::Queue")[QUEUES[function]]
    properties = of_type(application, "AWS::Serverless::Function")[function]
    (event,) = properties["Events"].values()
    assert name_of(event["Properties"]["Queue"]) == name_of(queue["QueueName"])
    assert event["Properties"]["ScalingConfig"]["MaximumConcurrency"] >= 2
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    assert tries >= 3
    assert queue["VisibilityTimeout"] >= properties["Timeout"]
    # A message reaches the failure queue before it expires, because all tries fit into its retention period.
    assert queue["VisibilityTimeout"] * tries < queue["MessageRetentionPeriod"] <= 14 * A_DAY_S
    failures = of_type(stateful, "AWS::SQS::Queue")[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    assert failures["MessageRetentionPeriod"] == 14 * A_DAY_S
    assert "RedrivePolicy" not in failures


def test_records_of_the_stream_are_retried_until_they_expire(stateful: Template, application: Template) -> None:
    mapping = of_type(application, "AWS::Lambda::EventSourceMapping")["OnMetricsSource"]
    kept_for_s = of_type(stateful, "AWS::Kinesis::Stream")["MetricsStream"]["RetentionPeriodHours"] * 3600
    # Half of the day is for retries, half for the owner to fetch records that were given up.
    assert mapping["MaximumRecordAgeInSeconds"] == kept_for_s / 2
    assert mapping["MaximumRetryAttempts"] == 30
    assert mapping["BisectBatchOnFunctionError"] is True
    failures = queues_by_name(stateful)[name_of(mapping["DestinationConfig"]["OnFailure"]["Destination"])]
    assert failures["MessageRetentionPeriod"] == 14 * A_DAY_S


def test_a_start_of_the_dispatcher_is_not_retried_once_the_next_one_is_due(application: Template) -> None:
    dispatcher = of_type(application, "AWS::Serverless::Function")["DispatchTasks"]
    (event,) = dispatcher["Events"].values()
    assert event["Properties"]["RetryPolicy"] == {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}
    asynchronous = dispatcher["EventInvokeConfig"]
    assert (asynchronous["MaximumRetryAttempts"], asynchronous["MaximumEventAgeInSeconds"]) == (0, 60)
    queue = {"Fn::GetAtt": ["DispatchFailures", "Arn"]}
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": queue}
    assert asynchronous["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": queue}
    # An old start need not be kept: it would only prevent the alarm from going off again.
    assert of_type(application, "AWS::SQS::Queue")["DispatchFailures"]["MessageRetentionPeriod"] == A_DAY_S


def test_only_the_rule_of_this_stage_may_send_to_the_failure_queue(application: Template) -> None:
    (policy,) = of_type(application, "AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    (event,) = of_type(application, "AWS::Serverless::Function")["DispatchTasks"]["Events"].values()
    (name,) = strings(event["Properties"]["Name"])
    (source,) = strings(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert source.endswith(f":${{AWS::AccountId}}:rule/{name}")


def test_only_the_worker_may_run_in_a_loop(application: Template) -> None:
    """The worker sends messages to the queue that feeds it: Lambda takes this for a runaway function and stops it after
    16 rounds, unless the function allows it. No other function may write to what starts it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    functions = of_type(application, "AWS::Serverless::Function")
    roles = of_type(application, "AWS::IAM::Role")
    looping = set()
    for name, function in functions.items():
        read = {
            text
            for event in function.get("Events", {}).values()
            for text in strings(event["Properties"].get("Queue", ""))
            if text
        }
        for policy in roles[function["Role"]["Fn::GetAtt"][0]]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "sqs:SendMessage" in statement["Action"] and read & set(strings(statement["Resource"])):
                    looping.add(name)
    assert looping == {"RunTask"}
    assert {name: function.get("RecursiveLoop") for name, function in functions.items()} == {
        name: "Allow" if name in looping else None for name in functions
    }


def test_every_queue_is_encrypted(stateful: Template, application: Template) -> None:
    queues = queues_by_name(stateful, application)
    assert len(queues) == 6
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True, name


def test_every_failure_queue_belongs_to_a_source(stateful: Template, application: Template) -> None:
    targets = {name_of(queue["QueueName"]) for queue in _targets(stateful, application)}
    names = {name for name in queues_by_name(stateful, application) if name.endswith("-failures")}
    assert targets == names


def _targets(stateful: Template, application: Template) -> Iterator[Mapping[str, Any]]:
    queues = of_type(stateful, "AWS::SQS::Queue")
    for queue in queues.values():
        if "RedrivePolicy" in queue:
            yield queues[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
    for mapping in of_type(application, "AWS::Lambda::EventSourceMapping").values():
        destination = name_of(mapping["DestinationConfig"]["OnFailure"]["Destination"])
        yield queues_by_name(stateful)[destination]
    for function in of_type(application, "AWS::Serverless::Function").values():
        if "EventInvokeConfig" in function:
            logical_name = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][
                0
            ]
            yield of_type(application, "AWS::SQS::Queue")[logical_name]


def test_the_operations_page_covers_each_failure_queue(stateful: Template, application: Template) -> None:
    part = (ROOT / "docs" / "operations.md").read_text().partition("\n## When something is left over\n")[2]
    headings = re.findall(r"^### `([a-z-]+)`: ", part.partition("\n## ")[0], flags=re.MULTILINE)
    names = queues_by_name(stateful, application)
    failures = {name.removeprefix("strandline-${Stage}-") for name in names if name.endswith("-failures")}
    assert set(headings) == failures
    for heading in failures:
        assert f"$(queue_url {heading})" in part or f"$(queue_arn {heading})" in part, heading
