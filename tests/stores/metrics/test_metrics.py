"""The stores of metrics: of counts on each engine, of all else on AWS."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.config import Settings
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine import backoff
from chalicelib.engine.aws import kinesis, s3, secrets_manager, sqs
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.engine.secrets import MAX_AGE_S
from chalicelib.errors import UnavailableError
from chalicelib.metrics.ports import (
    MAX_COUNTS_AT_ONCE,
    OTHER_EVENTS,
    CountKey,
    DailyCount,
    EventCounts,
    Ledger,
    RejectedRecord,
    StreamRecord,
)
from chalicelib.metrics.stores import counts as counts_store
from chalicelib.metrics.stores import stream as metrics_stream
from chalicelib.metrics.stores.archive import MAX_DATA_BYTES, QueuedRejectedRecords, StoredEventArchive
from chalicelib.metrics.stores.counts import KEPT_FOR, StoredEventCounts
from chalicelib.metrics.stores.stream import StreamedEvents, cached_salt
from tests.engine.sent import hooked, refusal

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_sqs import SQSClient

SHARD = "shardId-000000000000"
NUMBER = 49_665_311_540_129_384_723_958_472_039_485_720_394_857
DAY = date(2026, 2, 11)
NOW_MS = 1_770_791_400_000


@pytest.fixture(autouse=True)
def _fresh_and_patient_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(metrics_stream, "LIMIT_S", 60)
    for module in (kinesis, s3, secrets_manager, sqs):
        module.forget_clients()
    yield
    for module in (kinesis, s3, secrets_manager, sqs):
        module.forget_clients()


@pytest.fixture
def stream_client(stage: Settings) -> "KinesisClient":
    """Kinesis, with the stage's stream of one shard."""
    import boto3

    client = boto3.client("kinesis", region_name=stage.region)
    client.create_stream(StreamName=stage.metrics_stream, ShardCount=1)
    return client


@pytest.fixture
def failure_queue(stage: Settings) -> "SQSClient":
    """SQS, with the stage's failure queue."""
    import boto3

    client = boto3.client("sqs", region_name=stage.region)
    client.create_queue(QueueName=stage.metrics_failure_queue)
    return client


def in_stream(stream_client: "KinesisClient", settings: Settings) -> list[tuple[str, bytes]]:
    """Partition key and data of every record in the stream."""
    iterator = stream_client.get_shard_iterator(
        StreamName=settings.metrics_stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )
    records = stream_client.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [(record["PartitionKey"], record["Data"]) for record in records]


@pytest.fixture
def counts(engine: Engine) -> EventCounts:
    """An empty store."""
    return StoredEventCounts(engine.data, "metrics")


def stored_counts(settings: Settings) -> StoredEventCounts:
    """The store on the data table."""
    return StoredEventCounts(aws_engine(settings).data, settings.metrics_stream)


def test_an_unknown_shard_has_an_empty_ledger(counts: EventCounts) -> None:
    assert counts.ledger(SHARD) == Ledger()


def test_counts_and_ledger_change_together(counts: EventCounts) -> None:
    first, second = Ledger(1, ((NUMBER, NUMBER + 10),)), Ledger(2, ((1, 2), (NUMBER, NUMBER + 20)))
    counts.add({CountKey(DAY, "a"): 2, CountKey(DAY, ""): 1}, SHARD, Ledger(), first)
    assert counts.ledger(SHARD) == first
    counts.add({CountKey(DAY, "a"): 3}, SHARD, first, second)
    counts.add({}, "another shard", Ledger(), Ledger(1, ((5, 5),)))
    assert counts.ledger(SHARD) == second
    found = counts.between(DAY, DAY, "", NOW_MS)
    assert {(count.event_name, count.count) for count in found} == {("a", 5), ("", 1)}


@pytest.mark.parametrize("before", [Ledger(), Ledger(2, ((1, 9),))])
def test_nothing_is_added_when_the_ledger_has_changed(counts: EventCounts, before: Ledger) -> None:
    kept = Ledger(1, ((1, 9),))
    counts.add({CountKey(DAY, "a"): 1}, SHARD, Ledger(), kept)
    with pytest.raises(WriteConflictError):
        counts.add({CountKey(DAY, "a"): 1}, SHARD, before, Ledger(before.version + 1, ((1, 20),)))
    assert counts.ledger(SHARD) == kept
    assert counts.between(DAY, DAY, "", NOW_MS) == [DailyCount(DAY, "a", 1)]


def test_as_many_counts_as_a_transaction_holds_are_added(counts: EventCounts) -> None:
    names = [CountKey(DAY, str(number)) for number in range(MAX_COUNTS_AT_ONCE)]
    counts.add(dict.fromkeys(names, 1), SHARD, Ledger(), Ledger(1, ((1, 99),)))
    assert len(counts.between(DAY, DAY, "", NOW_MS)) == MAX_COUNTS_AT_ONCE


def test_a_day_has_a_limited_number_of_names(counts: EventCounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts_store, "MAX_NAMES_A_DAY", 3)
    tomorrow = DAY + timedelta(days=1)
    for version, names in enumerate(["ab", "abcd", "e", "aef"]):
        before = counts.ledger(SHARD)
        added = {CountKey(DAY, name): 1 for name in names} | {CountKey(tomorrow, names[0]): 1}
        counts.add(added, SHARD, before, Ledger(version + 1, ((0, version),)))
    found = counts.between(DAY, tomorrow, "", NOW_MS)
    assert {(count.day, count.event_name): count.count for count in found} == {
        (DAY, "a"): 3,
        (DAY, "b"): 2,
        (DAY, "c"): 1,
        (DAY, OTHER_EVENTS): 4,
        (tomorrow, "a"): 3,
        (tomorrow, "e"): 1,
    }


def test_counts_are_found_by_days_and_prefix(counts: EventCounts) -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28)]
    names = ["blip - a", "blip - b", "Blip", "é" * 2000]
    for number, day in enumerate(days):
        before = counts.ledger(SHARD)
        after = Ledger(before.version + 1, ((0, number),))
        counts.add({CountKey(day, name): number + 1 for name in names}, SHARD, before, after)
    found = counts.between(date(2026, 1, 1), date(2026, 2, 1), "blip", NOW_MS)
    assert sorted((count.day, count.event_name, count.count) for count in found) == [
        (day, name, count) for count, day in enumerate(days[1:4], 2) for name in ["blip - a", "blip - b"]
    ]
    assert {count.event_name for count in counts.between(days[0], days[0], "", NOW_MS)} == set(names)
    assert len(counts.between(days[0], days[-1], "é" * 2000, NOW_MS)) == len(days)
    assert counts.between(days[0], days[-1], "é" * 2001, NOW_MS) == []


def test_expired_counts_are_not_found(stage: Settings) -> None:
    counts = stored_counts(stage)
    counts.add({CountKey(DAY, "a"): 1}, SHARD, Ledger(), Ledger(1, ((1, 1),)))
    day_ms = 24 * 3600 * 1000
    expires_ms = NOW_MS // day_ms * day_ms + KEPT_FOR.days * day_ms
    assert len(counts.between(DAY, DAY, "", expires_ms - 1000)) == 1
    assert counts.between(DAY, DAY, "", expires_ms) == []


def test_conflicting_transactions_of_two_shards_are_repeated(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[int] = []
    counts = stored_counts(stage)
    monkeypatch.setattr(backoff, "pause_after", pauses.append)
    failures = [backoff.MAX_ATTEMPTS - 1]

    def conflicting(operation: str, _request: Any) -> None:
        if operation == "TransactWriteItems" and failures[0]:
            failures[0] -= 1
            raise refusal("TransactionCanceledException", "None", "TransactionConflict")

    with hooked(conflicting):
        counts.add({CountKey(DAY, "a"): 1}, SHARD, Ledger(), Ledger(1, ((1, 1),)))
        assert len(pauses) == backoff.MAX_ATTEMPTS - 1
        failures[0] = backoff.MAX_ATTEMPTS
        with pytest.raises(UnavailableError):
            counts.add({CountKey(DAY, "a"): 1}, SHARD, counts.ledger(SHARD), Ledger(2, ((1, 2),)))


def test_an_object_holds_one_value_a_line_and_is_written_over(stage: Settings) -> None:
    archive = StoredEventArchive(aws_engine(stage).objects)
    name = f"dt=2026-02-11/hour=06/{SHARD}-{NUMBER}.json.gz"
    archive.write(name, [b'{"a":1}', b'{"a":2}', b'{"a":3}'])
    archive.write(name, [b'{"a":1}', b'{"a":2}'])
    found = s3.client(stage).list_objects_v2(Bucket=stage.bucket)["Contents"]
    assert [item["Key"] for item in found] == [f"metrics/{name}"]
    body = s3.client(stage).get_object(Bucket=stage.bucket, Key=f"metrics/{name}")["Body"].read()
    assert [json.loads(line) for line in gzip.decompress(body).splitlines()] == [{"a": 1}, {"a": 2}]


def test_the_same_lines_make_the_same_object(stage: Settings) -> None:
    archive = StoredEventArchive(aws_engine(stage).objects)
    for name in ("a", "b"):
        archive.write(name, [b'{"a":1}'])
    tags = {item["ETag"] for item in s3.client(stage).list_objects_v2(Bucket=stage.bucket)["Contents"]}
    assert len(tags) == 1


def test_a_rejected_record_says_where_it_is_and_why(stage: Settings, failure_queue: "SQSClient") -> None:
    rejected = QueuedRejectedRecords(aws_engine(stage).metrics_failures)
    rejected.put(RejectedRecord(StreamRecord(SHARD, NUMBER, b"\x00"), "not JSON"))
    rejected.put(RejectedRecord(StreamRecord(SHARD, NUMBER + 1, b"x" * 1_000_000), "not JSON"))
    url = failure_queue.get_queue_url(QueueName=stage.metrics_failure_queue)["QueueUrl"]
    messages = failure_queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    bodies = sorted(
        (json.loads(message["Body"]) for message in messages), key=lambda message: str(message["sequenceNumber"])
    )
    assert bodies[0] == {
        "reason": "not JSON",
        "shardId": SHARD,
        "sequenceNumber": str(NUMBER),
        "sizeBytes": 1,
        "dataBase64": "AA==",
    }
    assert bodies[1]["sizeBytes"] == 1_000_000
    assert len(bodies[1]["dataBase64"]) == MAX_DATA_BYTES * 4 // 3


def stored_salt(settings: Settings, clock_s: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """The stage's salt in Secrets Manager."""
    return cached_salt(aws_engine(settings).secrets, settings.metrics_salt_name, clock_s)


def test_events_are_put_into_the_stream(stage: Settings, stream_client: "KinesisClient") -> None:
    stream = StreamedEvents(aws_engine(stage).metrics_stream)
    stream.put("702f0e4953", b"{}")
    stream.put("702f0e4953", b"[]")
    assert in_stream(stream_client, stage) == [("702f0e4953", b"{}"), ("702f0e4953", b"[]")]


def test_an_absent_stream_loses_events(stage: Settings) -> None:
    with pytest.raises(UnavailableError):
        StreamedEvents(aws_engine(stage).metrics_stream).put("702f0e4953", b"{}")


def test_the_salt_is_read_at_most_once_in_five_minutes(stage: Settings) -> None:
    import boto3

    secrets = boto3.client("secretsmanager", region_name=stage.region)
    secrets.create_secret(Name=stage.metrics_salt_name, SecretString="first")
    now_s = [0.0]
    salt = stored_salt(stage, lambda: now_s[0])
    assert salt() == "first"
    secrets.put_secret_value(SecretId=stage.metrics_salt_name, SecretString="second")
    now_s[0] = MAX_AGE_S - 1
    assert salt() == "first"
    now_s[0] = MAX_AGE_S
    assert salt() == "second"
    secrets.delete_secret(SecretId=stage.metrics_salt_name, ForceDeleteWithoutRecovery=True)
    now_s[0] = 2 * MAX_AGE_S
    assert salt() == "second"


def test_without_a_salt_events_are_lost(stage: Settings) -> None:
    with pytest.raises(UnavailableError):
        stored_salt(stage)()
