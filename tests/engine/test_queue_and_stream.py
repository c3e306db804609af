"""Queue and stream: what is sent arrives."""

import boto3
import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import kinesis
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.aws.kinesis import MAX_IDLE_S, KinesisStream
from chalicelib.errors import UnavailableError

LIMIT_S = 60


def test_a_message_arrives(settings: Settings) -> None:
    engine = aws_engine(settings)
    engine.task_queue.send('{"a":1}')
    engine.metrics_failures.send("other", delay_s=900)
    sqs = boto3.client("sqs", region_name=settings.region)
    bodies = []
    for queue in (settings.tasks_queue, settings.metrics_failure_queue):
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        bodies.append([message["Body"] for message in sqs.receive_message(QueueUrl=url).get("Messages", ())])
    assert bodies == [['{"a":1}'], []]


def test_a_record_arrives(settings: Settings) -> None:
    aws_engine(settings).metrics_stream.put("a key", b"\x00record", limit_s=LIMIT_S)
    client = boto3.client("kinesis", region_name=settings.region)
    (shard,) = client.list_shards(StreamName=settings.metrics_stream)["Shards"]
    iterator = client.get_shard_iterator(
        StreamName=settings.metrics_stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = client.get_records(ShardIterator=iterator)["Records"]
    assert (record["PartitionKey"], record["Data"]) == ("a key", b"\x00record")


def test_a_connection_that_idled_is_not_used_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    closed: list[float] = []
    monkeypatch.setattr(kinesis.client(settings.region, LIMIT_S), "close", lambda: closed.append(now_s[0]))
    stream = KinesisStream(settings.region, settings.metrics_stream, lambda: now_s[0])
    for now_s[0] in (MAX_IDLE_S, 2 * MAX_IDLE_S, 3 * MAX_IDLE_S + 1, 4 * MAX_IDLE_S):
        stream.put("a", b"b", limit_s=LIMIT_S)
    assert closed == [3 * MAX_IDLE_S + 1]


def test_a_stream_that_does_not_answer_in_time_is_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Event

    answers = Event()
    client = kinesis.client(settings.region, 0.01)
    monkeypatch.setattr(client, "put_record", lambda **_: answers.wait(LIMIT_S))
    with pytest.raises(UnavailableError):
        KinesisStream(settings.region, settings.metrics_stream).put("a", b"b", limit_s=0.01)
    answers.set()
