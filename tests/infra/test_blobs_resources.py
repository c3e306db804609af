"""Tests the resources of blobs: table, notices, worker, expiry. Source: docs/access-patterns-blobs.md."""

import json
from pathlib import Path

from chalicelib.blobs.blob import BlobKind
from chalicelib.blobs.stores.keys import AWAITING_INDEX
from chalicelib.engine.aws.s3 import KEPT_TAG, PENDING_TAG
from chalicelib.events.blobs import BATCH_SIZE, MAX_CONCURRENCY
from tests.infra.conftest import SETTINGS, Template, of_type, physical, strings

POLICIES = Path(__file__).parent.parent.parent / ".chalice"


def test_the_table_has_the_keys_and_the_index_that_the_store_uses(stateful: Template) -> None:
    table = of_type(stateful, "AWS::DynamoDB::Table")["BlobsTable"]
    assert physical(table["TableName"]) == SETTINGS.blobs_table
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == AWAITING_INDEX
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["awaiting", "created_time_ms"]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    kinds = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    assert kinds == {"pk": "S", "sk": "S", "awaiting": "S", "created_time_ms": "N"}


def test_the_bucket_notifies_the_queue_of_every_content(stateful: Template) -> None:
    bucket = stateful["Resources"]["Bucket"]
    notices = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    prefixes = set()
    for notice in notices:
        assert (notice["Event"], notice["Queue"]) == ("s3:ObjectCreated:*", {"Fn::GetAtt": ["BlobEvents", "Arn"]})
        (rule,) = notice["Filter"]["S3Key"]["Rules"]
        assert rule["Name"] == "prefix"
        prefixes.add(rule["Value"])
    assert prefixes == {f"{kind}/" for kind in BlobKind}
    # S3 sends a test message when the notification is configured, so the queue must accept it before.
    assert bucket["DependsOn"] == "BlobEventsPolicy"


def test_only_this_bucket_may_write_to_the_queue(stateful: Template) -> None:
    (policy,) = of_type(stateful, "AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    source = physical(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert source.endswith(f":s3:::{SETTINGS.bucket}")
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_a_notice_that_keeps_failing_goes_to_the_failure_queue_and_raises_an_alarm(
    stateful: Template, application: Template
) -> None:
    queues = of_type(stateful, "AWS::SQS::Queue")
    queue, failures = queues["BlobEvents"], queues["BlobEventsFailures"]
    assert physical(queue["QueueName"]) == SETTINGS.blob_events_queue
    redrive = queue["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["BlobEventsFailures", "Arn"]}
    assert redrive["maxReceiveCount"] >= 5
    assert failures["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is failures["SqsManagedSseEnabled"] is True
    alarm = application["Resources"]["BlobEventsFailuresAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 1)
    assert physical(alarm["Dimensions"][0]["Value"]) == physical(failures["QueueName"])


def test_the_worker_runs_at_most_four_times_at_once_and_reports_failed_notices(
    stateful: Template, application: Template
) -> None:
    function = application["Resources"]["OnObjectCreated"]["Properties"]
    (source,) = function["Events"].values()
    properties = source["Properties"]
    assert source["Type"] == "SQS"
    assert physical(properties["Queue"]).endswith(f":{SETTINGS.blob_events_queue}")
    assert properties["ScalingConfig"] == {"MaximumConcurrency": MAX_CONCURRENCY}
    assert MAX_CONCURRENCY == 4
    assert properties["BatchSize"] == BATCH_SIZE
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    visible_after_s = of_type(stateful, "AWS::SQS::Queue")["BlobEvents"]["VisibilityTimeout"]
    assert visible_after_s >= 6 * function["Timeout"]


def test_unconfirmed_uploads_expire_after_a_day(stateful: Template) -> None:
    bucket = of_type(stateful, "AWS::S3::Bucket")["Bucket"]
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "TagFilters" in rule]
    (tag,) = rule["TagFilters"]
    assert (rule["Status"], rule["ExpirationInDays"], "Prefix" in rule) == ("Enabled", 1, False)
    assert f"{tag['Key']}={tag['Value']}" == PENDING_TAG
    assert tag["Key"] == KEPT_TAG["Key"]
    assert tag["Value"] != KEPT_TAG["Value"]


def test_no_lifecycle_rule_deletes_a_stored_content(stateful: Template) -> None:
    bucket = of_type(stateful, "AWS::S3::Bucket")["Bucket"]
    for rule in bucket["LifecycleConfiguration"]["Rules"]:
        expires = any(name.startswith(("Expiration", "Transition")) for name in rule)
        reaches = "TagFilters" not in rule and any(str(kind).startswith(rule.get("Prefix", "")) for kind in BlobKind)
        assert not (expires and reaches), rule


def test_only_pages_of_the_stage_and_of_the_configured_origins_may_upload(stateful: Template) -> None:
    assert stateful["Parameters"]["BlobOrigins"]["Default"] == ""
    condition, rules, otherwise = of_type(stateful, "AWS::S3::Bucket")["Bucket"]["CorsConfiguration"]["Fn::If"]
    assert (condition, otherwise) == ("HasPages", {"Ref": "AWS::NoValue"})
    assert stateful["Conditions"]["HasPages"] == {"Fn::Or": [{"Condition": "HasDomain"}, {"Condition": "HasOrigins"}]}
    origins = {method: rule["AllowedOrigins"] for rule in rules["CorsRules"] for method in rule["AllowedMethods"]}
    own, configured = {"Fn::Sub": "https://${DomainName}"}, {"Ref": "BlobOrigins"}
    both = {"Fn::Split": [",", {"Fn::Join": [",", [own, {"Fn::Join": [",", configured]}]]}]}
    put = {"Fn::If": ["HasDomain", {"Fn::If": ["HasOrigins", both, [own]]}, configured]}
    assert origins == {"PUT": put, "GET": ["*"], "HEAD": ["*"]}
    assert all(rule["AllowedHeaders"] == ["*"] for rule in rules["CorsRules"])


def test_the_worker_has_only_the_permissions_that_it_uses() -> None:
    policy = json.loads((POLICIES / "policy-on_object_created.json").read_text())
    actions = [statement["Action"] for statement in policy["Statement"]]
    assert {action for action in actions for action in ([action] if isinstance(action, str) else action)} == {
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObjectTagging",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert "*" not in {text for statement in policy["Statement"] for text in strings(statement["Resource"])}
