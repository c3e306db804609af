"""Tasks, their dispatcher and their workers on in-memory services."""

from collections.abc import Callable
from typing import Any

from chalicelib.jobs import TASK_TYPES, JobServices
from chalicelib.tasks.dispatch import TickSummary, tick
from chalicelib.tasks.ports import RunMessage
from chalicelib.tasks.task import Task, with_schedule_state
from chalicelib.tasks.types import (
    Registry,
    Rerun,
    TaskRun,
    TaskType,
    registry,
)
from chalicelib.tasks.worker import RunOutcome, carry_out
from tests.fakes.services import FakeServices
from tests.fakes.tasks import take_runs

ECHO = "strandline.diagnostics.echo"


class Scene:
    """Services, a registry with one type under test, and words for what happens."""

    def __init__(self, function: Callable[[TaskRun, JobServices], Rerun | None] | None = None, **kind: Any) -> None:
        self.fakes = FakeServices()
        self.services = self.fakes.services
        tested = TaskType("tested", function or (lambda run, services: None), typical_s=60, **kind)
        self.types: Registry[JobServices] = registry((*TASK_TYPES.values(), tested))

    def add(self, task_id: str, task_type: str = "tested", **fields: Any) -> Task:
        """A stored task."""
        task = Task(task_id, task_type, self.fakes.now_ms, **fields)
        self.services.tasks.tasks.add(with_schedule_state(task, self.types, self.fakes.now_ms))
        return self.task(task_id)

    def task(self, task_id: str) -> Task:
        """A stored task as it is now."""
        found = self.fakes.tasks.find(task_id)
        assert found is not None
        return found

    def tick(self) -> TickSummary:
        """The work of the dispatcher in each minute."""
        return tick(self.types, self.services.tasks)

    def messages(self) -> list[RunMessage]:
        """The messages that no worker has had yet; they are taken out of the queue."""
        return take_runs(self.fakes.engine)

    def work(self) -> list[RunOutcome]:
        """The outcomes of all messages that are waiting now."""
        return [self.carry_out(message) for message in self.messages()]

    def carry_out(self, message: RunMessage) -> RunOutcome:
        """The outcome of one message."""
        return carry_out(message, self.types, self.services, self.services.tasks)

    def after(self, seconds: float) -> None:
        """Advance the clock."""
        self.fakes.now_ms += round(seconds * 1000)
