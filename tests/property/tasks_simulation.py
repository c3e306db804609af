"""A world of concurrent dispatchers and workers, in which anything may happen at each port call.

Each actor is a thread, but only one runs at a time: at each port call it hands control back, and a seeded random
choice says who goes on. So an actor can be overtaken, can hang, and can die between any two calls, and a run can
be repeated. The clock is the world's own.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.tasks.ports import RunMessage
from tests.fakes.services import FakeServices
from tests.fakes.tasks import take_runs


class KilledError(BaseException):
    """The actor's process is gone; nothing of its code runs any more."""


@dataclass(eq=False)
class Actor:
    """A dispatcher or a worker, which runs between `turn` and `yielded`."""

    body: Callable[[], object]
    dies_at_ms: float
    """The time at which its process is ended from outside: a worker's hard limit."""
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    yielded: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_killed: bool = False
    is_over: bool = False
    hangs: bool = False
    error: BaseException | None = None

    def start(self) -> None:
        """Make it ready to take its first turn."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.turn.acquire()
        try:
            if not self.is_killed:
                self.body()
        except KilledError:
            pass
        except BaseException as error:  # noqa: BLE001  shown to the test, in whose thread it is raised again
            self.error = error
        self.is_over = True
        self.yielded.release()

    def take_turn(self) -> None:
        """Run the actor to its next port call, or to its end."""
        self.turn.release()
        self.yielded.acquire()

    def pause(self) -> None:
        """Give the turn back at a port call, and wait for the next turn."""
        self.yielded.release()
        self.turn.acquire()
        if self.is_killed:
            raise KilledError


class World:
    """Actors, a clock, and in-memory services whose every call is a pause."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  a simulation, which must be repeatable
        self.fakes = FakeServices()
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.killed = 0
        self.under_way: list[RunMessage] = []
        """Messages that have left the queue and reached no worker yet."""
        world = self

        def pause_before(port: Any, *names: str) -> None:
            """Pause before each of the named calls."""
            for name in names:
                call = getattr(port, name)

                def method(*args: Any, _call: Callable[..., Any] = call) -> Any:
                    world.pause()
                    return _call(*args)

                setattr(port, name, method)

        pause_before(self.fakes.tasks, "find", "find_many", "replace", "due_ids", "ready_ids")
        pause_before(self.fakes.task_slots, "take", "release")
        pause_before(self.fakes.task_queue, "send")

    def pause(self) -> None:
        """Hand control back to the world if an actor is running."""
        if self.current is not None:
            self.current.pause()

    def add(self, body: Callable[[], object], dies_at_ms: float = float("inf")) -> Actor:
        """A new actor, at work from the next turn on."""
        actor = Actor(body, dies_at_ms)
        self.actors.append(actor)
        actor.start()
        return actor

    def kill(self, actor: Actor) -> None:
        """End an actor at its current call."""
        actor.is_killed = True
        self.killed += 1
        self._turn(actor)

    def turn(self) -> None:
        """Run one actor that does not hang for a step, which takes some milliseconds of the world's time."""
        self.fakes.now_ms += self.random.randint(0, 5)
        for actor in [actor for actor in self.actors if actor.dies_at_ms <= self.fakes.now_ms]:
            self.kill(actor)
        able = [actor for actor in self.actors if not actor.hangs]
        if able:
            self._turn(self.random.choice(able))
        else:
            self.fakes.now_ms += 1000

    def _turn(self, actor: Actor) -> None:
        self.current = actor
        actor.take_turn()
        self.current = None
        if actor.is_over:
            self.actors.remove(actor)
        if actor.error is not None:
            raise actor.error

    def deliveries(self) -> list[RunMessage]:
        """Run messages that reach a worker now: each at least once, in any order, some of them late."""
        self.under_way += take_runs(self.fakes.engine)
        queue = self.under_way
        self.random.shuffle(queue)
        count = self.random.randint(0, len(queue))
        delivered = queue[:count]
        del queue[:count]
        for message in delivered:
            if self.random.random() < 0.1:
                queue.append(message)
        return delivered
