"""The functions of the task runner with real events, and the end of a worker that hangs."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from chalice.test import Client

from app import app
from chalicelib import services as wiring
from chalicelib.errors import MailServerError
from chalicelib.events import tasks as events
from chalicelib.jobs import TASK_TYPES
from chalicelib.observability import FunctionFailedError
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.task import State, Task, with_schedule_state
from tests.fakes.services import FakeServices
from tests.fakes.tasks import take_runs

ECHO = "strandline.diagnostics.echo"


class Runner:
    """The application's functions on in-memory services."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.fakes = FakeServices()
        wiring.override(self.fakes.services)

    def add(self, **data: object) -> None:
        """An echo task that is due."""
        task = Task("t", ECHO, self.fakes.now_ms, data=data)
        self.fakes.tasks.add(with_schedule_state(task, TASK_TYPES, self.fakes.now_ms))

    def tick(self) -> None:
        """The rule's event."""
        event = self.client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
        self.client.lambda_.invoke("dispatch_tasks", event)

    def work(self) -> None:
        """The queue's events, one for each message of an echo task."""
        messages = [message for message in take_runs(self.fakes.engine) if message.task_type == ECHO]
        for message in messages:
            event = self.client.events.generate_sqs_event([json.dumps(asdict(message))], "strandline-test-tasks")
            self.client.lambda_.invoke("run_task", event)

    @property
    def task(self) -> Task:
        """The task as it is now."""
        found = self.fakes.tasks.find("t")
        assert found is not None
        return found


@pytest.fixture
def runner() -> Iterator[Runner]:
    """A runner whose platform jobs have not been seeded."""
    with Client(app) as client:
        yield Runner(client)
    wiring.override(None)


def test_a_tick_starts_what_is_due_and_a_worker_runs_it(runner: Runner, log: io.StringIO) -> None:
    runner.add(message="a-value-of-somebody")
    runner.tick()
    assert runner.task.state is State.RUNNING
    runner.work()
    assert (runner.task.state, runner.task.data["echo"]) == (State.COMPLETED, "a-value-of-somebody")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [told] = [line for line in lines if line["message"] == "task run"]
    assert (told["task_type"], told["result"], told["level"]) == (ECHO, "completed", "INFO")
    assert "a-value-of-somebody" not in log.getvalue()


def test_a_woken_worker_starts_what_is_in_the_line(runner: Runner) -> None:
    runner.add(message=1)
    for type_name in ("unknown", ECHO):
        event = runner.client.events.generate_sqs_event([json.dumps({"wake": type_name})], "strandline-test-tasks")
        runner.client.lambda_.invoke("run_task", event)
        assert (runner.task.state is State.RUNNING) is (type_name == ECHO)
    runner.work()
    assert runner.task.state is State.COMPLETED


def test_the_first_tick_of_a_process_seeds_the_platforms_jobs(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = sorted(name for name, task_type in TASK_TYPES.items() if task_type.job)
    runner.tick()
    assert sorted(task.name or "" for task in runner.fakes.all_tasks()) == jobs
    monkeypatch.setattr(events, "seed_jobs", lambda *_: pytest.fail("seeded again"))
    runner.tick()


def test_a_failure_is_logged_by_type_and_place_without_its_message(
    runner: Runner, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.add(fail="a-value-of-somebody")
    runner.tick()
    runner.work()
    assert runner.task.state is State.FAILED
    [told] = [line for line in map(json.loads, log.getvalue().splitlines()) if line["message"] == "task run"]
    assert (told["level"], told["result"], told["error"]) == ("WARNING", "failed", "TaskFailedError")
    assert told["at"][-1].endswith("echo")
    printed = log.getvalue() + capsys.readouterr().out
    assert "FailedTaskRuns" in printed
    assert "a-value-of-somebody" not in printed


def test_a_recovered_task_is_counted(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.add(message=1)
    runner.tick()
    runner.fakes.now_ms += TASK_TYPES[ECHO].deadline_s * 1000 + 1
    take_runs(runner.fakes.engine)
    runner.tick()
    assert "RecoveredTasks" in capsys.readouterr().out
    runner.work()
    assert runner.task.state is State.COMPLETED


def test_there_is_a_worker_for_each_slot() -> None:
    assert sum(task_type.max_concurrency for task_type in TASK_TYPES.values()) <= events.MAX_CONCURRENCY


HANGS = """
import threading
from chalicelib.tasks.ports import RunMessage
from chalicelib.events import tasks
from chalicelib.services import exit_at_once
members = {"now_ms": staticmethod(lambda: %d), "tasks": None, "end_process": staticmethod(exit_at_once)}
tasks.services = lambda: type("Services", (), members)
tasks.carry_out = lambda *_: threading.Event().wait()
body = '{"task_id":"t","task_type":"%s","run_time_ms":0,"slot_number":0,"slot_holder":"h"}'
tasks.run_task({"Records": [{"body": body, "receiptHandle": "r"}]}, None)
"""


def test_a_worker_that_hangs_ends_its_process_at_the_hard_limit() -> None:
    hard_limit_ms = int(TASK_TYPES[ECHO].hard_limit_s * 1000)
    script = HANGS % (hard_limit_ms - 50, ECHO)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["message"], told["task_type"]) == ("task ended at its hard limit", ECHO)


def test_a_worker_that_ends_in_time_keeps_its_process(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(events, "_end_run", ended.append)
    runner.add(message=1)
    runner.tick()
    runner.work()
    message = RunMessage("t", "unknown", 0, 0, "h")
    event = runner.client.events.generate_sqs_event([json.dumps(asdict(message))], "strandline-test-tasks")
    runner.client.lambda_.invoke("run_task", event)
    assert ended == []


def test_a_mail_server_that_is_not_trusted_is_named_in_the_log_in_one_sentence(
    runner: Runner, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = "no mail is sent: the certificate of mail.example.org is not trusted (self-signed certificate)"

    def refuse(*_: object) -> bool:
        raise MailServerError(problem)

    monkeypatch.setattr(events, "carry_out_order", refuse)
    body = json.dumps({"mail": {"kind": "sign_up", "email": "anna@example.org"}})
    with pytest.raises(FunctionFailedError):  # so the queue delivers the order again
        runner.client.lambda_.invoke(
            "run_task", runner.client.events.generate_sqs_event([body], "strandline-test-tasks")
        )
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["problem"] for line in lines if "problem" in line] == [problem]
    assert "anna" not in log.getvalue()
