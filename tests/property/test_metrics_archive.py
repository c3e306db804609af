"""Tests that each event of a shard is archived once and counted once, however the shard is delivered.

The deliveries are those of a stream: in order, at least once, in batches of changing sizes, to a worker whose calls
fail before or after they take effect, and which may die at any of them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from unittest.mock import patch

import orjson
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import UnavailableError
from chalicelib.metrics import keep as metrics_archive
from chalicelib.metrics.ports import CountKey, MetricsPorts, StreamRecord
from tests.fakes.metrics import archived_lines, event_counts, rejected_records
from tests.fakes.services import FakeServices

SHARD = "shardId-000000000000"
HOURS = ("2026-02-11T22:59:59.999Z", "2026-02-11T23:30:00.000Z", "2026-02-12T00:00:00.000Z")
NAMES = ("a", "b", "c", "d", "")
COUNTED_AT_ONCE = 3


class DiedError(Exception):
    """The worker is gone, in the middle of a call."""


@dataclass
class Faults:
    """Lets some calls take effect, then goes wrong once: before or after the effect, by a refusal or by death."""

    calls_left: int
    takes_effect: bool
    error: type[Exception]

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with the fault in it."""

        def faulty(*arguments: Any) -> Any:
            self.calls_left -= 1
            if self.calls_left != 0:
                return call(*arguments)
            if self.takes_effect:
                call(*arguments)
            raise self.error

        return faulty


@dataclass(frozen=True)
class Delivery:
    """A batch: its start before the position, its length, and its fault."""

    back: int
    length: int
    calls: int
    takes_effect: bool
    dies: bool


deliveries = st.builds(Delivery, st.integers(0, 4), st.integers(1, 12), st.integers(1, 9), st.booleans(), st.booleans())
contents = st.one_of(st.tuples(st.sampled_from(HOURS), st.sampled_from(NAMES)), st.just(None))


def records_of(what: Sequence[tuple[str, str] | None]) -> list[StreamRecord]:
    """Records of a shard, with gaps in the sequence numbers; None is one that is not an event."""
    return [
        StreamRecord(SHARD, 10 + 3 * place, b"{" if content is None else event(place, *content))
        for place, content in enumerate(what)
    ]


def event(place: int, time: str, name: str) -> bytes:
    members = {"id": str(place), "time": time, "user": "u", "eventName": name, "event": {}, "params": {}}
    return orjson.dumps(members | {"url": "/", "method": "GET"})


def faulty(fakes: FakeServices, faults: Faults) -> MetricsPorts:
    """The ports of metrics, with a fault in one of their calls."""

    class Port:
        def __init__(self, inner: object, *names: str) -> None:
            for name in names:
                setattr(self, name, faults.around(getattr(inner, name)))

    archive, counts = Port(fakes.metrics.archive, "write"), Port(fakes.metrics.counts, "ledger", "add")
    ports: Any = MetricsPorts
    result: MetricsPorts = ports(lambda: "", fakes.metrics.stream, archive, counts, Port(fakes.metrics.rejected, "put"))
    return result


def deliver_all(records: Sequence[StreamRecord], script: Sequence[Delivery], fakes: FakeServices) -> None:
    """Deliver the batches of the script, then the rest without faults."""
    position = 0
    for step in script:
        start = max(0, position - step.back)
        batch = records[start : start + step.length]
        if not batch:
            break
        ports = faulty(fakes, Faults(step.calls, step.takes_effect, DiedError if step.dies else UnavailableError))
        try:
            not_kept = metrics_archive.keep(batch, ports)
        except DiedError:
            continue
        reached = start + next(
            (place for place, record in enumerate(batch) if record.sequence_number == not_kept), len(batch)
        )
        position = max(position, reached)
    if records[position:]:
        assert metrics_archive.keep(records[position:], fakes.metrics) is None


def check(records: Sequence[StreamRecord], fakes: FakeServices) -> None:
    """Fail unless each event is archived and counted once, in its partition, and other records are rejected."""
    events = [record for record in records if record.data != b"{"]
    archived = archived_lines(fakes.engine)
    lines = Counter(line for object_lines in archived.values() for line in object_lines)
    assert lines == Counter(record.data for record in events)
    for name, object_lines in archived.items():
        members = [orjson.loads(line) for line in object_lines]
        assert {f"dt={member['time'][:10]}/hour={member['time'][11:13]}" for member in members} == {
            name.rpartition("/")[0]
        }
        assert sorted(int(member["id"]) for member in members) == [int(member["id"]) for member in members]
    expected = Counter(
        CountKey(date.fromisoformat(event["time"][:10]), event["eventName"])
        for event in (orjson.loads(record.data) for record in events)
    )
    assert event_counts(fakes.engine) == expected
    rejected = {int(message["sequenceNumber"]) for message in rejected_records(fakes.engine)}
    assert rejected == {record.sequence_number for record in records if record.data == b"{"}


@given(st.lists(contents, min_size=1, max_size=40), st.lists(deliveries, max_size=25))
def test_every_event_is_kept_once(what: list[tuple[str, str] | None], script: list[Delivery]) -> None:
    records, fakes = records_of(what), FakeServices()
    with patch.object(metrics_archive, "MAX_COUNTS_AT_ONCE", COUNTED_AT_ONCE):
        deliver_all(records, script, fakes)
    check(records, fakes)


@given(st.data())
def test_batches_that_come_late_and_twice_are_kept_once(data: st.DataObject) -> None:
    records, fakes = records_of(data.draw(st.lists(contents, min_size=1, max_size=40))), FakeServices()
    length = data.draw(st.integers(2, 10))
    batches = [records[start : start + length] for start in range(0, len(records), length)]
    again = data.draw(st.lists(st.sampled_from(batches), max_size=5))
    for batch in data.draw(st.permutations([*batches, *again])):
        assert metrics_archive.keep(batch, fakes.metrics) is None
    check(records, fakes)
