"""Tests that due work is carried out, and what happens to work that fails."""

from threading import Event

import orjson
import pytest

from chalicelib.tasks.ports import TaskFilter
from strandline.test_server import due_work
from strandline.test_server.control import Stage

VISIBILITY_MS = 180_000
"""After which time the queue of the bucket's notices delivers a message again."""
STRAY = orjson.dumps(
    {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "blobs/of-nobody/of-no-blob"}}}]}
).decode()
NO_NOTICE = "[]"


def waiting(stage: Stage) -> int:
    """The number of notices in the queue, due or not."""
    with stage.store.engine.database.reading() as connection:
        statement = "SELECT count(*) FROM messages WHERE queue = 'blob-events'"
        (count,) = connection.execute(statement).fetchone()
    return int(count)


def test_a_notice_of_the_bucket_is_consumed(stage: Stage) -> None:
    stage.store.engine.blob_events.send(STRAY)
    stage.work.carry_out()
    assert waiting(stage) == 0


def test_a_notice_that_fails_is_delivered_again_and_keeps_no_other_waiting(stage: Stage) -> None:
    for body in (NO_NOTICE, STRAY):
        stage.store.engine.blob_events.send(body)
    stage.work.carry_out()
    assert waiting(stage) == 1
    assert stage.store.engine.blob_events.receive() == []
    stage.clock.advance(VISIBILITY_MS)
    (message,) = stage.store.engine.blob_events.receive()
    assert (message.body, message.receive_count) == (NO_NOTICE, 2)


def test_a_task_that_cannot_be_read_does_not_end_the_work(stage: Stage) -> None:
    stage.store.engine.task_queue.send(NO_NOTICE)
    stage.work.carry_out()
    stage.store.engine.blob_events.send(STRAY)
    stage.work.carry_out()
    assert waiting(stage) == 0


def test_a_new_store_gets_the_jobs_of_the_platform(stage: Stage) -> None:
    stage.work.carry_out()
    jobs = {job.name for job in stage.store.services.tasks.tasks.listed(TaskFilter(), 0, 100)}
    assert jobs
    stage.store.reset()
    assert stage.store.services.tasks.tasks.listed(TaskFilter(), 0, 100) == []
    stage.work.carry_out()
    assert {job.name for job in stage.store.services.tasks.tasks.listed(TaskFilter(), 0, 100)} == jobs


def test_work_is_found_until_the_server_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_work, "POLL_S", 0.001)
    ended = Event()
    thread = stage.work.carry_out_until(ended)
    stage.store.engine.blob_events.send(STRAY)
    while waiting(stage):
        assert thread.is_alive()
    ended.set()
    thread.join(60)
    assert not thread.is_alive()
