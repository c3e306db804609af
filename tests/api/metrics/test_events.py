"""The consumer of the metrics stream, with batches as Kinesis delivers them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.errors import UnavailableError
from chalicelib.observability import FunctionFailedError
from tests.fakes.metrics import archived_lines, event_counts, rejected_records
from tests.fakes.services import FakeServices

EVENTS = Path(__file__).parents[2] / "data" / "events"
OBJECT = "dt=2026-02-11/hour={hour}/shardId-000000000000-{number}.json.gz"


def event(file: str) -> Any:
    """A batch, by its file under `tests/data/events`."""
    return json.loads((EVENTS / file).read_text())


def numbers(batch: Any) -> list[str]:
    """The sequence numbers of a batch."""
    return [record["kinesis"]["sequenceNumber"] for record in batch["Records"]]


def deliver(batch: Any) -> Any:
    """The reply of the function."""
    with Client(app) as client:
        return client.lambda_.invoke("on_metrics", batch).payload


def failing(calls: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """A call that fails from the given time."""
    left = [calls]

    def wrapped(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise UnavailableError
        return call(*arguments)

    return wrapped


def test_a_batch_is_archived_by_hour_and_counted_by_day(fakes: FakeServices) -> None:
    batch = event("kinesis_metrics.json")
    assert deliver(batch) == {"batchItemFailures": []}
    first, _, third = numbers(batch)
    objects = archived_lines(fakes.engine)
    assert {name: len(lines) for name, lines in objects.items()} == {
        OBJECT.format(hour="06", number=first): 2,
        OBJECT.format(hour="07", number=third): 1,
    }
    lines = [json.loads(line) for kept in objects.values() for line in kept]
    assert lines == [json.loads(base64.b64decode(record["kinesis"]["data"])) for record in batch["Records"]]
    assert {counted.event_name: count for counted, count in event_counts(fakes.engine).items()} == {
        "blip - Viewed Care Team List": 2,
        "uploader - Upload Attempted": 1,
    }


def test_a_batch_that_is_delivered_twice_is_archived_once(fakes: FakeServices) -> None:
    batch = event("kinesis_metrics.json")
    deliver(batch)
    before = archived_lines(fakes.engine), event_counts(fakes.engine)
    assert deliver(batch) == {"batchItemFailures": []}
    assert (archived_lines(fakes.engine), event_counts(fakes.engine)) == before


def test_a_bad_record_goes_to_the_failure_queue_and_does_not_block_others(fakes: FakeServices) -> None:
    batch = event("kinesis_metrics_with_poison.json")
    assert deliver(batch) == {"batchItemFailures": []}
    assert deliver(batch) == {"batchItemFailures": []}
    [rejected] = rejected_records(fakes.engine)
    assert (rejected["sequenceNumber"], rejected["reason"]) == (numbers(batch)[1], "not JSON")
    assert event_counts(fakes.engine).total() == 2


def test_a_batch_of_poison_records_is_done(fakes: FakeServices) -> None:
    batch = event("kinesis_metrics_with_poison.json")
    batch["Records"] = batch["Records"][1:2]
    assert deliver(batch) == {"batchItemFailures": []}
    assert len(rejected_records(fakes.engine)) == 1


def test_a_batch_fails_if_no_record_can_be_archived(fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = event("kinesis_metrics.json")
    monkeypatch.setattr(fakes.metrics.archive, "write", failing(0, fakes.metrics.archive.write))
    with pytest.raises(FunctionFailedError, match="BatchProcessingError"):
        deliver(batch)
    monkeypatch.undo()
    assert deliver(batch) == {"batchItemFailures": []}
    assert event_counts(fakes.engine).total() == 3


def test_records_stored_before_a_fault_are_not_delivered_again(
    fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = event("kinesis_metrics.json")
    monkeypatch.setattr("chalicelib.metrics.keep.MAX_COUNTS_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        patch.setattr(fakes.metrics.counts, "add", failing(1, fakes.metrics.counts.add))
        assert deliver(batch) == {"batchItemFailures": [{"itemIdentifier": numbers(batch)[2]}]}
    assert event_counts(fakes.engine).total() == 2
    batch["Records"] = batch["Records"][2:]
    assert deliver(batch) == {"batchItemFailures": []}
    assert event_counts(fakes.engine).total() == 3
    assert sum(map(len, archived_lines(fakes.engine).values())) == 3
