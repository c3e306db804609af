"""Consumers: threads that give messages and records to the functions of the platform, as Lambda's event sources do.

A message is deleted when its function has done with it. Otherwise it comes again after the visibility time of its
queue, and after some deliveries goes to the dead letters. Records of the stream come in order, again from the first
that failed, in halves if the whole batch fails. `infra/overlay.json` has the same for AWS.
"""

import json
import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from chalicelib.engine.embedded.sqlite_queue import SqliteQueue
from chalicelib.engine.embedded.sqlite_stream import SHARD_ID, SqliteStream, StreamRecord
from chalicelib.engine.queue import Queue
from chalicelib.observability import FunctionFailedError
from strandline.home.work.records import failed_ids, kinesis_event, sqs_event
from strandline.home.work.task_process import TaskProcess

POLL_S = 1.0
"""Interval at which a consumer looks again: a message of another process, or one that falls due, wakes none."""
STREAM_BATCH_RECORDS = 1000
STREAM_WINDOW_S = 2.0
"""For how long records are gathered."""
STREAM_RETRIES = 30
STREAM_RETRY_S = 1.0
IDLE_TASK_PROCESS_S = 2.0
"""The process of tasks ends after this time without a task: its memory costs more than starting it again."""

Function = Callable[[dict[str, Any], None], Mapping[str, Any] | None]


def consume(queue: SqliteQueue, function: Function, batch_size: int) -> bool:
    """Give a batch of a queue's messages to a function, and return whether there were any.

    Those that the function fails for stay in the queue, which delivers them again after its visibility time.
    """
    messages = queue.receive(batch_size)
    if not messages:
        return False
    try:
        failed = failed_ids(function(sqs_event(messages), None))
    except FunctionFailedError:  # it is in the log
        return True
    queue.delete(message for message in messages if str(message.id) not in failed)
    return True


class QueueConsumer:
    """Gives the messages of a queue to a function that returns those that failed."""

    def __init__(self, queue: SqliteQueue, function: Function, batch_size: int) -> None:
        self._queue = queue
        self._function = function
        self._batch_size = batch_size

    def step(self) -> None:
        """Give one batch to the function, or wait for a message."""
        if not consume(self._queue, self._function, self._batch_size):
            self._queue.wait(POLL_S)


class TaskConsumer:
    """Runs the tasks of a queue's messages in a process, one after another."""

    def __init__(self, queue: SqliteQueue, process: TaskProcess) -> None:
        self._queue = queue
        self._process = process
        self._idle_since_s = time.monotonic()

    def step(self) -> None:
        """Run one task, or wait for a message."""
        messages = self._queue.receive(1)
        for message in messages:
            if self._process.run(message.body):
                self._queue.delete([message])
        if messages:
            self._idle_since_s = time.monotonic()
            return
        if time.monotonic() - self._idle_since_s >= IDLE_TASK_PROCESS_S:
            self._process.end()
        self._queue.wait(POLL_S)


class StreamConsumer:
    """Gives the records of the stream to a function."""

    def __init__(self, stream: SqliteStream, function: Function, rejected: Queue, stopping: Event) -> None:
        """
        Args:
            rejected: takes the notice of a record that the function could never take.
            stopping: is set when the process is to end.
        """
        self._stream = stream
        self._function = function
        self._rejected = rejected
        self._stopping = stopping
        self._batch_records = STREAM_BATCH_RECORDS
        self._tries = 0

    def step(self) -> None:
        """Give one batch to the function, after a wait in which it may grow."""
        if self._tries:
            self._stopping.wait(STREAM_RETRY_S)
        else:
            self._stream.wait(STREAM_WINDOW_S)
            self._stopping.wait(STREAM_WINDOW_S)
        self.consume()

    def consume(self) -> None:
        """Give what is there to the function, until a batch fails."""
        while records := self._stream.read(self._batch_records):
            first_failed = self._give(records)
            if first_failed > records[0].sequence_number:
                self._stream.done(before=first_failed)
                self._batch_records, self._tries = STREAM_BATCH_RECORDS, 0
            if first_failed <= records[-1].sequence_number:
                self._give_up_or_halve(records)
                return

    def _give(self, records: list[StreamRecord]) -> int:
        """The sequence number of the first record that failed; one more than the last if none did."""
        try:
            failed = failed_ids(self._function(kinesis_event(records), None))
        except FunctionFailedError:  # it is in the log
            return records[0].sequence_number
        return min(map(int, failed), default=records[-1].sequence_number + 1)

    def _give_up_or_halve(self, records: list[StreamRecord]) -> None:
        """Try fewer records next, or leave out one that failed too often."""
        self._tries += 1
        if len(records) > 1:
            self._batch_records = max(len(records) // 2, 1)
        elif self._tries > STREAM_RETRIES:
            (record,) = records
            self._rejected.send(_notice(record))
            self._stream.done(before=record.sequence_number + 1)
            self._batch_records, self._tries = STREAM_BATCH_RECORDS, 0


def _notice(record: StreamRecord) -> str:
    """The notice of a record that was left out, as Lambda writes it for a stream: where it was, without its content."""
    number = str(record.sequence_number)
    batch = {"shardId": SHARD_ID, "startSequenceNumber": number, "endSequenceNumber": number, "batchSize": 1}
    return json.dumps({"KinesisBatchInfo": batch})
