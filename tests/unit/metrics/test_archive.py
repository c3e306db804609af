"""Classification of records, names of objects, and the ledger that keeps counts exact. Source: docs/metrics.md."""

from typing import Any

import orjson
import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from chalicelib.metrics.keep import (
    MAX_ATTEMPTS,
    MAX_RANGES,
    ArchivedEvent,
    classify,
    is_stored,
    keep,
    object_name,
    with_range,
)
from chalicelib.metrics.ports import OTHER_EVENTS, Ledger, RejectedRecord, StreamRecord
from tests.fakes.metrics import archived_lines, event_counts, rejected_records
from tests.fakes.services import FakeServices

SHARD = "shardId-000000000003"
EVENT: dict[str, Any] = {
    "type": "metrics:create",
    "id": "1",
    "time": "2026-02-11T06:30:00.123Z",
    "user": "702f0e4953",
    "eventName": "blip - Viewed",
    "event": {},
    "params": {},
    "url": "/metrics/thisuser/blip%20-%20Viewed",
    "method": "GET",
}


def record(members: Any = EVENT, number: int = 7) -> StreamRecord:
    return StreamRecord(SHARD, number, members if isinstance(members, bytes) else orjson.dumps(members))


def test_an_object_is_named_by_hour_shard_and_first_number() -> None:
    classified = classify(record(EVENT | {"time": "2026-12-31T23:59:59.999Z"}))
    assert isinstance(classified, ArchivedEvent)
    assert object_name(classified) == f"dt=2026-12-31/hour=23/{SHARD}-7.json.gz"


def test_a_line_is_one_line_whatever_the_producer_sent() -> None:
    classified = classify(record(orjson.dumps(EVENT, option=orjson.OPT_INDENT_2)))
    assert isinstance(classified, ArchivedEvent)
    assert b"\n" not in classified.line
    assert orjson.loads(classified.line) == EVENT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"\x00\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        *(
            (orjson.dumps({name: value for name, value in EVENT.items() if name != missing}), missing)
            for missing in EVENT
            if missing != "type"
        ),
        (orjson.dumps(EVENT | {"eventName": 7}), "eventName"),
        (orjson.dumps(EVENT | {"event": []}), "event"),
        (orjson.dumps(EVENT | {"time": "yesterday"}), "time"),
        (orjson.dumps(EVENT | {"time": "2026-02-11T06:30:00"}), "UTC"),
        (orjson.dumps(EVENT | {"time": "2026-02-11T06:30:00+01:00"}), "UTC"),
    ],
)
def test_a_record_that_is_not_an_event_is_rejected_with_a_reason(data: bytes, reason: str) -> None:
    classified = classify(record(data))
    assert isinstance(classified, RejectedRecord)
    assert reason in classified.reason


def test_a_rejected_record_does_not_stop_the_others() -> None:
    fakes = FakeServices()
    batch = [record(number=1), record(b"{", number=2), record(number=3)]
    assert keep(batch, fakes.metrics) is None
    assert keep(batch, fakes.metrics) is None
    assert [message["sequenceNumber"] for message in rejected_records(fakes.engine)] == ["2"]
    assert [len(lines) for lines in archived_lines(fakes.engine).values()] == [2]
    assert list(event_counts(fakes.engine).values()) == [2]


def test_events_with_too_long_a_name_are_counted_together_and_archived_as_they_are() -> None:
    fakes = FakeServices()
    names = ["é" * 100, "é" * 101, "x" * 3000]
    assert (
        keep([record(EVENT | {"eventName": name}, number) for number, name in enumerate(names)], fakes.metrics) is None
    )
    counted = {key.event_name: count for key, count in event_counts(fakes.engine).items()}
    assert counted == {"é" * 100: 1, OTHER_EVENTS: 2}
    (lines,) = archived_lines(fakes.engine).values()
    assert [orjson.loads(line)["eventName"] for line in lines] == names


def test_a_hundred_names_are_counted_in_two_steps() -> None:
    fakes = FakeServices()
    batch = [record(EVENT | {"eventName": str(number)}, number) for number in range(100)]
    assert keep(batch, fakes.metrics) is None
    assert fakes.metrics.counts.ledger(SHARD).version == 2
    assert len(event_counts(fakes.engine)) == 100


def test_records_that_another_worker_stored_in_the_meantime_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = FakeServices()
    fakes.metrics.counts.add({}, SHARD, Ledger(), Ledger(1, ((1, 5),)))
    stale, ledger = iter([Ledger()]), fakes.metrics.counts.ledger
    monkeypatch.setattr(fakes.metrics.counts, "ledger", lambda shard: next(stale, None) or ledger(shard))

    assert keep([record(number=5), record(number=6)], fakes.metrics) is None
    assert list(event_counts(fakes.engine).values()) == [1]
    assert fakes.metrics.counts.ledger(SHARD).ranges == ((1, 5), (6, 6))


def test_after_repeated_conflicts_the_batch_is_delivered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes, tries = FakeServices(), list[int]()

    def add(*_: Any) -> None:
        tries.append(1)
        raise WriteConflictError

    monkeypatch.setattr(fakes.metrics.counts, "add", add)
    assert keep([record(number=5), record(number=6)], fakes.metrics) == 5
    assert len(tries) == MAX_ATTEMPTS


def test_an_unreadable_ledger_leaves_the_whole_batch_to_be_delivered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def ledger(_: str) -> Ledger:
        raise UnavailableError

    fakes = FakeServices()
    monkeypatch.setattr(fakes.metrics.counts, "ledger", ledger)
    assert keep([record(number=5)], fakes.metrics) == 5
    assert archived_lines(fakes.engine) == {}


def test_ranges_of_a_ledger_are_joined_where_they_meet() -> None:
    ledger = Ledger()
    for first, last in [(10, 20), (40, 50), (30, 35)]:
        ledger = with_range(ledger, first, last)
    assert ledger == Ledger(3, ((10, 20), (30, 35), (40, 50)))
    assert with_range(ledger, 15, 45) == Ledger(4, ((10, 50),))
    assert [number for number in range(60) if is_stored(ledger, number)] == [
        *range(10, 21),
        *range(30, 36),
        *range(40, 51),
    ]


def test_a_ledger_forgets_the_oldest_gap() -> None:
    ledger = Ledger()
    for first in range(0, (MAX_RANGES + 1) * 10, 10):
        ledger = with_range(ledger, first, first + 5)
    assert len(ledger.ranges) == MAX_RANGES
    assert is_stored(ledger, 7)
    assert not is_stored(ledger, 17)
