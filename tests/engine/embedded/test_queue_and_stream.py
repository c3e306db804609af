"""Queues and the stream as tables, and the secrets as files: what is their own."""

import threading
from pathlib import Path

import pytest

from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.embedded.sqlite_queue import Message
from chalicelib.engine.embedded.sqlite_stream import MAX_BATCH_RECORDS, MAX_WAITING_BYTES
from chalicelib.errors import UnavailableError
from tests.engine.embedded.conftest import Clock

KB = 1024


def bodies(messages: list[Message]) -> list[str]:
    """The bodies of messages."""
    return [message.body for message in messages]


class TestQueues:
    """Messages come again until they are deleted, and too often to the dead letters."""

    def test_messages_come_in_batches_in_the_order_in_which_they_are_due(
        self, embedded: EmbeddedEngine, clock: Clock
    ) -> None:
        queue = embedded.task_queue
        queue.send("later", delay_s=2)
        for number in range(12):
            queue.send(str(number))
        assert bodies(queue.receive()) == [str(number) for number in range(10)]
        assert bodies(queue.receive(1)) == ["10"]
        clock.advance(seconds=2)
        assert bodies(queue.receive()) == ["11", "later"]
        assert queue.receive() == []

    def test_queues_are_apart(self, embedded: EmbeddedEngine) -> None:
        embedded.task_queue.send("x")
        assert embedded.blob_events.receive() == []

    def test_a_deleted_message_is_gone_and_another_of_its_batch_comes_again(
        self, embedded: EmbeddedEngine, clock: Clock
    ) -> None:
        queue = embedded.task_queue
        queue.send("done")
        queue.send("failed")
        done, failed = queue.receive()
        queue.delete([done])
        clock.advance(seconds=899)
        assert queue.receive() == []
        clock.advance(seconds=1)
        (again,) = queue.receive()
        assert (again.body, again.id, again.receive_count) == ("failed", failed.id, 2)

    def test_what_a_dead_consumer_received_can_come_again_at_once(self, embedded: EmbeddedEngine) -> None:
        queue = embedded.task_queue
        for body in ("done", "received", "sent"):
            queue.send(body)
        queue.send("delayed", delay_s=2)
        done, received = queue.receive(2)
        queue.delete([done])
        queue.release_all()
        again = {message.body: message.receive_count for message in queue.receive()}
        assert again == {"received": 2, "sent": 1}
        queue.delete([received])  # with the receipt of the one that died
        queue.release_all()
        assert sorted(bodies(queue.receive())) == ["received", "sent"]

    def test_a_clock_that_is_set_back_delays_no_message(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        queue = embedded.task_queue
        queue.send("sent")
        queue.send("delayed", delay_s=600)
        queue.send("received")
        (first, received) = queue.receive()
        queue.release([first])
        clock.advance(seconds=-3600)
        assert sorted(bodies(queue.receive())) == ["delayed", "received", "sent"]
        assert queue.receive() == []
        queue.delete([received])  # by the consumer that had it before: it is that of another one by now
        queue.sweep()
        clock.advance(seconds=899)
        assert queue.receive() == []
        clock.advance(seconds=1)
        assert sorted(bodies(queue.receive())) == ["delayed", "received", "sent"]

    def test_a_clock_that_is_set_back_a_little_keeps_delay_and_visibility(
        self, embedded: EmbeddedEngine, clock: Clock
    ) -> None:
        queue = embedded.blob_events
        queue.send("received")
        queue.send("delayed", delay_s=60)
        assert bodies(queue.receive()) == ["received"]
        clock.advance(seconds=-300)
        assert queue.receive() == []
        clock.advance(seconds=300 + 60)
        assert bodies(queue.receive()) == ["delayed"]

    def test_dead_letters_are_buried_though_the_clock_is_set_back(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        queue = embedded.task_queue
        queue.send("fails")
        for _ in range(3):
            assert bodies(queue.receive()) == ["fails"]
            clock.advance(seconds=-3600)
        assert queue.receive() == []
        assert bodies(embedded.task_failures.receive()) == ["fails"]

    def test_who_received_a_message_before_another_cannot_delete_it(
        self, embedded: EmbeddedEngine, clock: Clock
    ) -> None:
        queue = embedded.task_queue
        queue.send("x")
        (late,) = queue.receive()
        clock.advance(seconds=900)
        (current,) = queue.receive()
        queue.delete([late])
        queue.release([late])
        assert queue.receive() == []
        queue.release([current])
        assert bodies(queue.receive()) == ["x"]

    def test_a_message_that_was_received_too_often_goes_to_the_dead_letters(self, embedded: EmbeddedEngine) -> None:
        queue = embedded.blob_events
        queue.send("x")
        for _ in range(5):
            (message,) = queue.receive()
            queue.release([message])
        assert embedded.blob_event_failures.receive() == []
        assert queue.receive() == []
        (dead,) = embedded.blob_event_failures.receive()
        assert (dead.body, dead.receive_count) == ("x", 1)

    def test_a_queue_without_a_limit_delivers_for_ever(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        embedded.metrics_failures.send("x")
        for count in range(1, 8):
            assert embedded.metrics_failures.receive()[0].receive_count == count
            clock.advance(seconds=30)

    def test_messages_are_removed_when_their_time_is_over(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        embedded.task_queue.send("old")
        clock.advance(seconds=3600)
        embedded.task_queue.send("new")
        assert embedded.task_queue.sweep() == 0
        clock.advance(seconds=1)
        assert embedded.task_queue.sweep() == 1
        assert bodies(embedded.task_queue.receive()) == ["new"]

    def test_limits_of_sqs_hold(self, embedded: EmbeddedEngine) -> None:
        embedded.task_queue.send("x" * 256 * KB, delay_s=900)
        for body, delay_s in (("", 0), ("é" * 129 * KB, 0), ("x", 901), ("x", -1)):
            with pytest.raises(RuntimeError, match="a message"):
                embedded.task_queue.send(body, delay_s=delay_s)

    def test_each_message_goes_to_one_of_several_consumers(self, embedded: EmbeddedEngine) -> None:
        for number in range(40):
            embedded.task_queue.send(str(number))
        received: list[str] = []

        def consume() -> None:
            while messages := embedded.task_queue.receive(3):
                received.extend(bodies(messages))

        threads = [threading.Thread(target=consume) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(received, key=int) == [str(number) for number in range(40)]

    def test_a_waiting_consumer_is_woken_by_a_message(self, embedded: EmbeddedEngine) -> None:
        woken = threading.Event()

        def wait() -> None:
            embedded.blob_events.wait(60)
            woken.set()

        thread = threading.Thread(target=wait)
        thread.start()
        embedded.objects.put("blobs/1", b"", "text/plain")
        assert woken.wait(30)
        thread.join()
        embedded.blob_events.wait(0)  # nothing came since


class TestStream:
    """Records come in order, from the first that is not done with."""

    def test_records_come_in_order_with_ascending_numbers(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        for number in range(5):
            embedded.metrics_stream.put(f"key {number % 2}", bytes([number]), limit_s=1)
            clock.advance(seconds=1)
        records = embedded.metrics_stream.read(3)
        assert [record.data for record in records] == [b"\x00", b"\x01", b"\x02"]
        assert [record.partition_key for record in records] == ["key 0", "key 1", "key 0"]
        assert [record.arrived_ms for record in records] == [clock.ms - 5000, clock.ms - 4000, clock.ms - 3000]
        numbers = [record.sequence_number for record in records]
        assert numbers == sorted(set(numbers))

    def test_records_come_again_from_the_first_that_failed(self, embedded: EmbeddedEngine) -> None:
        stream = embedded.metrics_stream
        for number in range(4):
            stream.put("a", bytes([number]), limit_s=1)
        records = stream.read(10)
        assert stream.read(10) == records
        stream.done(before=records[2].sequence_number)
        assert stream.read(10) == records[2:]
        stream.done(before=records[-1].sequence_number + 1)
        assert stream.read(10) == []

    def test_a_number_is_never_given_again(self, on_disk: EmbeddedEngine, clock: Clock, data_folder: Path) -> None:
        on_disk.metrics_stream.put("a", b"1", limit_s=1)
        (first,) = on_disk.metrics_stream.read(1)
        on_disk.metrics_stream.done(before=first.sequence_number + 1)
        on_disk.close()
        again = embedded_engine(data_folder, clock)
        again.metrics_stream.put("a", b"2", limit_s=1)
        assert again.metrics_stream.read(1)[0].sequence_number > first.sequence_number
        again.close()

    def test_events_are_written_in_batches(self, embedded: EmbeddedEngine) -> None:
        def written() -> int:
            with embedded.database.reading() as connection:
                return int(connection.execute("SELECT count(*) FROM stream_records").fetchone()[0])

        for _ in range(MAX_BATCH_RECORDS - 1):
            embedded.metrics_stream.put("a", b"x", limit_s=1)
        assert written() == 0
        embedded.metrics_stream.put("a", b"x", limit_s=1)
        assert written() == MAX_BATCH_RECORDS

    def test_records_wait_while_the_disk_fails_but_not_without_limit(
        self, embedded: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        largest = b"x" * (KB * KB - 1)
        with monkeypatch.context() as failing:
            failing.setattr(embedded.database, "writing", lambda: (_ for _ in ()).throw(UnavailableError))
            for _ in range(MAX_WAITING_BYTES // len(largest)):
                embedded.metrics_stream.put("a", largest, limit_s=1)
            with pytest.raises(UnavailableError):
                embedded.metrics_stream.put("a", largest, limit_s=1)
            with pytest.raises(UnavailableError):
                embedded.metrics_stream.read(1)
        assert len(embedded.metrics_stream.read(100)) == MAX_WAITING_BYTES // len(largest)

    def test_limits_of_kinesis_hold(self, embedded: EmbeddedEngine) -> None:
        for partition_key, record in (("", b"x"), ("a", b"x" * KB * KB)):
            with pytest.raises(RuntimeError, match="a record"):
                embedded.metrics_stream.put(partition_key, record, limit_s=1)

    def test_a_waiting_consumer_is_woken_by_a_record(self, embedded: EmbeddedEngine) -> None:
        waiting = threading.Thread(target=embedded.metrics_stream.wait, args=[600], daemon=True)
        waiting.start()
        embedded.metrics_stream.put("a", b"x", limit_s=1)
        waiting.join(30)
        assert not waiting.is_alive()


class TestSecrets:
    """Secrets are created once and replaced by version."""

    def test_a_secret_is_created_once(self, embedded: EmbeddedEngine) -> None:
        first = embedded.secrets.create("strandline/home/a", "mine")
        assert embedded.secrets.create("strandline/home/a", "another's") == first
        assert embedded.secrets.get("strandline/home/a") == first
        assert first.text == "mine"

    def test_a_secret_stays_with_its_version(self, on_disk: EmbeddedEngine, clock: Clock, data_folder: Path) -> None:
        first = on_disk.secrets.create("a", "ü\n")
        beside = embedded_engine(data_folder, clock)
        assert beside.secrets.get("a") == first
        beside.secrets.replace("a", first.id, "second")
        on_disk.secrets.replace("a", first.id, "too late")
        assert on_disk.secrets.get("a").text == "second"
        beside.close()

    def test_of_several_that_replace_a_version_at_once_one_does(self, embedded: EmbeddedEngine) -> None:
        first = embedded.secrets.create("a", "first")
        threads = [
            threading.Thread(target=embedded.secrets.replace, args=("a", first.id, str(number))) for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        second = embedded.secrets.get("a")
        assert second.text in {str(number) for number in range(8)}
        assert second.id != first.id

    def test_a_name_is_no_path(self, on_disk: EmbeddedEngine, data_folder: Path) -> None:
        on_disk.secrets.create("../outside", "x")
        assert on_disk.secrets.get("../outside").text == "x"
        assert {path.name for path in data_folder.parent.iterdir()} == {"data"}

    @pytest.mark.parametrize("content", [b"", b"{", b'{"text":"x"}', b"[]", b"\xff"])
    def test_a_damaged_file_is_named(self, on_disk: EmbeddedEngine, data_folder: Path, content: bytes) -> None:
        on_disk.secrets.create("a", "x")
        (data_folder / "secrets" / "a.json").write_bytes(content)
        with pytest.raises(RuntimeError, match="file of the secret a is damaged"):
            on_disk.secrets.get("a")
