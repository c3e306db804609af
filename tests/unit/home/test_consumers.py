"""Tests what consumers do with messages and records whose function fails."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.observability import FunctionFailedError
from strandline.home.work import loops
from strandline.home.work.consumers import STREAM_RETRIES, QueueConsumer, StreamConsumer, TaskConsumer
from strandline.home.work.loops import repeat
from strandline.home.work.scheduler import Schedule
from strandline.home.work.task_process import TaskProcess


class Clock:
    """A clock that a test sets."""

    now_ms = 1_000_000

    def __call__(self) -> int:
        """Milliseconds since the epoch."""
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[EmbeddedEngine]:
    engine = embedded_engine(None, clock)
    yield engine
    engine.close()


def bodies(event: Mapping[str, Any]) -> list[str]:
    """The bodies of the messages of an event."""
    return [record["body"] for record in event["Records"]]


def test_messages_that_fail_come_again_and_others_do_not(engine: EmbeddedEngine, clock: Clock) -> None:
    seen: list[list[str]] = []

    def function(event: dict[str, Any], _context: None) -> Mapping[str, Any]:
        seen.append(bodies(event))
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    queue = engine.blob_events
    for body in ("good", "bad", "fine"):
        queue.send(body)
    consumer = QueueConsumer(queue, function, 10)
    for _ in range(7):
        consumer.step()
        clock.now_ms += queue.definition.visibility_s * 1000

    assert seen == [["good", "bad", "fine"], *[["bad"]] * 4]
    assert [message.body for message in engine.blob_event_failures.receive()] == ["bad"]


def test_all_messages_of_a_function_that_fails_come_again(engine: EmbeddedEngine, clock: Clock) -> None:
    seen: list[list[str]] = []

    def function(event: dict[str, Any], _context: None) -> None:
        seen.append(bodies(event))
        if len(seen) == 1:
            raise FunctionFailedError

    queue = engine.blob_events
    queue.send("a")
    consumer = QueueConsumer(queue, function, 10)
    consumer.step()
    clock.now_ms += queue.definition.visibility_s * 1000
    consumer.step()

    assert seen == [["a"], ["a"]]
    clock.now_ms += queue.definition.visibility_s * 1000
    assert queue.receive() == []


class FakeProcess(TaskProcess):
    """A process of tasks in which nothing runs."""

    def __init__(self, results: list[bool]) -> None:
        super().__init__(Path(), {})
        self.results = results
        self.ended = 0

    def run(self, body: str) -> bool:
        """The next result."""
        return self.results.pop(0)

    def end(self) -> None:
        """Count the end."""
        self.ended += 1


def test_a_task_whose_process_died_becomes_visible_again(engine: EmbeddedEngine, clock: Clock) -> None:
    queue = engine.task_queue
    queue.send("a")
    consumer = TaskConsumer(queue, FakeProcess([False, True]))
    consumer.step()
    assert queue.receive() == []

    clock.now_ms += queue.definition.visibility_s * 1000
    consumer.step()

    clock.now_ms += queue.definition.visibility_s * 1000
    assert queue.receive() == []


def test_an_idle_process_of_tasks_is_ended(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strandline.home.work.consumers.POLL_S", 0.0)
    process = FakeProcess([])
    consumer = TaskConsumer(engine.task_queue, process)
    consumer.step()
    assert process.ended == 0

    monkeypatch.setattr("strandline.home.work.consumers.IDLE_TASK_PROCESS_S", 0.0)
    consumer.step()

    assert process.ended == 1


class Receiver:
    """A function of the stream that fails for some records."""

    def __init__(self, *bad: bytes, is_partial: bool) -> None:
        self.bad = bad
        self.is_partial = is_partial
        self.taken: list[bytes] = []
        self.batches: list[int] = []

    def __call__(self, event: dict[str, Any], _context: None) -> Mapping[str, Any]:
        """Take the records up to the first bad one, if partial failures are told."""
        from base64 import b64decode

        records = [
            (b64decode(record["kinesis"]["data"]), record["kinesis"]["sequenceNumber"]) for record in event["Records"]
        ]
        self.batches.append(len(records))
        failed = [number for data, number in records if data in self.bad]
        if failed and not self.is_partial:
            raise FunctionFailedError
        first = int(failed[0]) if failed else int(records[-1][1]) + 1
        self.taken += [data for data, number in records if int(number) < first]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed[:1]]}


@pytest.mark.parametrize("is_partial", [True, False])
def test_a_record_that_never_succeeds_is_left_out_and_others_are_not(engine: EmbeddedEngine, is_partial: bool) -> None:
    receiver = Receiver(b"bad", is_partial=is_partial)
    for data in (b"1", b"2", b"bad", b"3", b"4"):
        engine.metrics_stream.put("key", data, limit_s=1)
    consumer = StreamConsumer(engine.metrics_stream, receiver, engine.metrics_failures, Event())
    for _ in range(STREAM_RETRIES + 10):
        consumer.consume()

    assert receiver.taken == [b"1", b"2", b"3", b"4"]
    (notice,) = engine.metrics_failures.receive()
    assert json.loads(notice.body)["KinesisBatchInfo"]["batchSize"] == 1
    assert engine.metrics_stream.read(10) == []


def test_a_record_that_fails_for_a_while_is_taken_in_its_turn(engine: EmbeddedEngine) -> None:
    receiver = Receiver(b"2", is_partial=True)
    for data in (b"1", b"2", b"3"):
        engine.metrics_stream.put("key", data, limit_s=1)
    consumer = StreamConsumer(engine.metrics_stream, receiver, engine.metrics_failures, Event())
    consumer.consume()
    assert receiver.taken == [b"1"]

    receiver.bad = ()
    consumer.consume()

    assert receiver.taken == [b"1", b"2", b"3"]


def test_no_error_ends_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "AFTER_ERROR_S", 0.0)
    stopping = Event()
    steps: list[int] = []

    def step() -> None:
        steps.append(1)
        if len(steps) == 3:
            stopping.set()
        raise RuntimeError

    thread = Thread(target=repeat, args=[step, stopping])
    thread.start()
    thread.join(10)

    assert len(steps) == 3


def test_tasks_are_dispatched_each_minute_and_the_sweep_comes_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strandline.home.work.scheduler.TICK_S", 0.0)
    done: list[str] = []

    def dispatch(_event: Mapping[str, Any], _context: None) -> None:
        done.append("dispatch")
        if len(done) == 1:
            raise FunctionFailedError

    schedule = Schedule(dispatch, lambda: done.append("sweep"), Event())
    for _ in range(18):
        schedule.step()

    assert done.count("dispatch") == 18
    assert [place for place, what in enumerate(done) if what == "sweep"] == [2, 18]
