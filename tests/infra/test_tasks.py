"""Tests the deployed dispatcher, queue and workers of tasks."""

from typing import Any

from chalicelib.config import Settings
from chalicelib.events.tasks import MAX_CONCURRENCY
from chalicelib.jobs import TASK_TYPES
from chalicelib.tasks.stores.keys import CREATED_INDEX, DUE_INDEX
from chalicelib.tasks.types import MAX_RUN_S
from tests.infra.conftest import Template, of_type, strings

STAGE = "a-stage"
SETTINGS = Settings(stage=STAGE)


def name_of(value: Any) -> str:
    """The physical name, or the last part of the address, in the stage of these tests."""
    (text,) = strings(value)
    return text.replace("${Stage}", STAGE).rpartition(":")[2]


def test_physical_names_are_those_of_the_settings(stateful: Template, application: Template) -> None:
    assert name_of(of_type(stateful, "AWS::DynamoDB::Table")["TasksTable"]["TableName"]) == SETTINGS.tasks_table
    assert name_of(of_type(stateful, "AWS::SQS::Queue")["TasksQueue"]["QueueName"]) == SETTINGS.tasks_queue
    source = of_type(application, "AWS::Serverless::Function")["RunTask"]["Events"]["RunTaskSqsEventSource"]
    assert name_of(source["Properties"]["Queue"]) == SETTINGS.tasks_queue


def test_the_indexes_are_those_of_the_store_and_hold_keys_only_but_for_filters(stateful: Template) -> None:
    table = of_type(stateful, "AWS::DynamoDB::Table")["TasksTable"]
    projections = {index["IndexName"]: index["Projection"] for index in table["GlobalSecondaryIndexes"]}
    assert projections == {
        DUE_INDEX: {"ProjectionType": "KEYS_ONLY"},
        CREATED_INDEX: {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["type", "state"]},
    }


def test_the_dispatcher_starts_each_minute_and_is_not_retried(application: Template) -> None:
    dispatcher = of_type(application, "AWS::Serverless::Function")["DispatchTasks"]
    [event] = dispatcher["Events"].values()
    assert (event["Type"], event["Properties"]["Schedule"]) == ("Schedule", "rate(1 minute)")
    assert dispatcher["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_a_worker_runs_one_task_and_there_are_as_many_as_slots(application: Template) -> None:
    worker = of_type(application, "AWS::Serverless::Function")["RunTask"]
    source = worker["Events"]["RunTaskSqsEventSource"]["Properties"]
    assert source["BatchSize"] == 1
    assert source["ScalingConfig"] == {"MaximumConcurrency": MAX_CONCURRENCY}


def test_a_worker_has_time_for_any_task_and_its_run_message_stays_hidden_meanwhile(
    application: Template, stateful: Template
) -> None:
    worker = of_type(application, "AWS::Serverless::Function")["RunTask"]
    queue = of_type(stateful, "AWS::SQS::Queue")["TasksQueue"]
    assert max(task_type.hard_limit_s for task_type in TASK_TYPES.values()) <= worker["Timeout"] == MAX_RUN_S
    assert queue["VisibilityTimeout"] >= worker["Timeout"]
    assert queue["MessageRetentionPeriod"] > queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]


def test_run_messages_that_no_worker_can_handle_are_kept_and_raise_an_alarm(
    stateful: Template, application: Template
) -> None:
    queues = of_type(stateful, "AWS::SQS::Queue")
    target = queues["TasksQueue"]["RedrivePolicy"]["deadLetterTargetArn"]
    assert target == {"Fn::GetAtt": ["TasksDeadLetters", "Arn"]}
    alarm = of_type(application, "AWS::CloudWatch::Alarm")["TasksFailuresAlarm"]
    assert name_of(alarm["Dimensions"][0]["Value"]) == name_of(queues["TasksDeadLetters"]["QueueName"])


def test_the_api_lists_tasks_and_wakes_workers_but_cannot_see_what_is_due(application: Template) -> None:
    role = of_type(application, "AWS::IAM::Role")["ApiHandlerRole"]
    arns = list(strings([policy["PolicyDocument"] for policy in role["Policies"]]))
    assert any(arn.endswith("-tasks/index/created") for arn in arns)
    assert any(":sqs:" in arn and arn.endswith("-tasks") for arn in arns)
    assert not any(arn.endswith("-tasks/index/due") for arn in arns)
