"""The run: clients in threads, restarts in between, a progress line, and a comparison of everything at the end."""

import math
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from threading import Event, Thread
from types import FrameType

from tools.project import ToolError
from tools.soak.calls import Calls, ServerGoneError, UnexpectedAnswerError
from tools.soak.gate import Gate
from tools.soak.ledger import UNEXPECTED, Finding, Findings
from tools.soak.memory import Sample, memory_figures, samples_of
from tools.soak.person import Person
from tools.soak.server_work import CountedLosses
from tools.soak.targets import Target

STEPS_OF_A_PERSON = 1500
"""After so many steps a client goes on as a new person, so that reading back does not grow with the length of a run."""
RESTARTS_UNTIL = 0.5
"""The part of the time in which the server is restarted. In the rest its memory is watched."""
SECONDS_OF_A_RESTART = {"home": 12, "cloud": 120}
"""The time of restarts for each of them, at least."""
TICK_S, PROGRESS_S, PROGRESS_OF_A_TERMINAL_S = 0.2, 10.0, 1.0
SAMPLES = 400
MAX_FAILURES = 200
"""After so many unexpected answers of a client it stops: it would only repeat them."""
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_SAMPLES, START_SAMPLED_EVERY_S = 9, 1.0
"""The memory at rest after a start is that of so many samples."""
TELLING_LIFE_S = 120.0
"""Growth in a shorter life is that of the start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The length of a run in seconds, its clients, and the seed of all choices."""

    seconds: float
    clients: int
    seed: str
    min_requests: int = 0
    """A run goes on until so many requests were answered: a busy machine answers few in a short time."""

    def require_possible(self) -> None:
        """Raise unless the plan has some time and a client.

        Raises:
            ToolError: it has none.
        """
        if not 0 < self.seconds < math.inf:
            raise ToolError("a soak needs some time, such as MINUTES=10.")
        if self.clients < 1:
            raise ToolError("a soak needs a client, such as CLIENTS=8.")


class Soak:
    """A run against a target."""

    def __init__(self, target: Target, plan: Plan, say: Callable[[str], None] = print) -> None:
        self.target, self.plan = target, plan
        self.calls, self.findings, self.gate = Calls(), Findings(), Gate()
        self.samples: list[Sample] = []
        self.people: list[Person] = []
        self.restarts_s: list[float] = []
        self.was_interrupted = False
        self.restart_error: str | None = None
        self.memory_before_start: list[Sample] = []
        self.memory_after_start: list[Sample] = []
        """That of a server with the same data that has just started."""
        self.began_s = self.ended_s = time.monotonic()
        self.verified: Counter[str] = Counter()
        self.losses = CountedLosses()
        self._say = say
        self._stopping = Event()
        self._random = Random(plan.seed)  # noqa: S311  traffic, no secret

    def run(self) -> None:
        """Let the clients work for the time of the plan or until Ctrl-C, then compare everything.

        Raises:
            KeyboardInterrupt: Ctrl-C came a second time.
        """
        threads = [Thread(target=self._work, args=[number], daemon=True) for number in range(self.plan.clients)]
        with self._stopped_by_signals():
            for thread in [*threads, Thread(target=self._watch, daemon=True)]:
                thread.start()
            self._wait(threads)
            self.ended_s = time.monotonic()
            self._stopping.set()
            self.gate.open()
        for thread in threads:
            thread.join()
        if self.restart_error is not None:
            self.findings.add([Finding(UNEXPECTED, "the server did not start again", self.restart_error)])
            return
        self._say(f"comparing what {len(self.people)} people have ...")
        self._verify_all()
        if self.target.restart_name and not self.was_interrupted and self._has_grown():
            self._compare_with_a_start()
        self.findings.add(Finding(UNEXPECTED, "doctor", text) for text in self.target.examine())

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C end the traffic, and a second one the run."""

        def stop(number: int, frame: FrameType | None) -> None:
            if self.was_interrupted:
                signal.default_int_handler(number, frame)
            self.was_interrupted = True
            # Standard output may be in use: this comes between any two instructions.
            print("stopping; everything is compared first, unless Ctrl-C comes again ...", file=sys.stderr, flush=True)

        before = {number: signal.signal(number, stop) for number in STOPPED_BY}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait(self, threads: Sequence[Thread]) -> None:
        """Restart the server at the times of the plan, and show the progress meanwhile."""
        due_s = self._restart_times_s()
        is_terminal = sys.stdout.isatty()
        every_s = PROGRESS_OF_A_TERMINAL_S if is_terminal else PROGRESS_S
        shown_s = self.began_s
        while (
            elapsed_s := time.monotonic() - self.began_s
        ) < self.plan.seconds or self.calls.total() < self.plan.min_requests:
            if self.was_interrupted or self.restart_error is not None or not any(t.is_alive() for t in threads):
                break
            if due_s and elapsed_s >= due_s[0]:
                due_s.pop(0)
                self._restart()
            if time.monotonic() - shown_s >= every_s:
                shown_s = time.monotonic()
                print(self._progress(elapsed_s), end="\r" if is_terminal else "\n", flush=True)
            time.sleep(TICK_S)
        if is_terminal:
            print()

    def _restart_times_s(self) -> list[float]:
        if not self.target.restart_name:
            return []
        until_s = self.plan.seconds * RESTARTS_UNTIL
        count = max(1, int(until_s // SECONDS_OF_A_RESTART.get(self.target.name, 60)))
        return sorted(self._random.uniform(until_s * 0.4 / count, until_s) for _ in range(count))

    def _restart(self) -> None:
        self.gate.close(waits=self.target.waits_for_steps)
        self.restarts_s.append(time.monotonic())
        try:
            self.target.restart()
        except ToolError as error:
            self.restart_error = str(error)
        self.gate.open()

    def _progress(self, elapsed_s: float) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in self.findings.counts().items() if count) or "no finding"
        memory = f", {sum(s.resident_mb for s in self._last_samples()):.0f} MB" if self.samples else ""
        return (
            f"{_minutes(elapsed_s)} of {_minutes(self.plan.seconds)}: {self.calls.total():,} requests, "
            f"{len(self.restarts_s)} restarts, {counts}{memory}"
        )

    def _last_samples(self) -> list[Sample]:
        samples = list(self.samples)
        return [sample for sample in samples if sample.at_s == samples[-1].at_s]

    def _watch(self) -> None:
        """Sample the memory until the end."""
        every_s = max(0.25, self.plan.seconds / SAMPLES)
        while not self._stopping.wait(every_s):
            with self.gate.step():
                process_id = self.target.process_id
                if process_id is not None:
                    self.samples += samples_of(process_id, self.target.stored_bytes())

    def _has_grown(self) -> bool:
        return any(not figure.is_flat and figure.life_s >= TELLING_LIFE_S for figure in memory_figures(self.samples))

    def _compare_with_a_start(self) -> None:
        """Start the server on its data, and sample the memory before and after: what it needs then is not a leak."""
        self._say("comparing the memory with that after a start ...")
        for samples in (self.memory_before_start, self.memory_after_start):
            for _ in range(START_SAMPLES):
                time.sleep(START_SAMPLED_EVERY_S)
                of_all = samples_of(self.target.process_id or 0)
                samples += [sample for sample in of_all if sample.process_id == self.target.process_id]
            if samples is self.memory_before_start:
                self.target.restart()

    def _work(self, number: int) -> None:
        """The steps of one client, as one person after another."""
        person: Person | None = None
        generation = failures = turn = 0
        while not self._stopping.is_set() and failures < MAX_FAILURES:
            gone: str | None = None
            with self.gate.step() as current:
                if person is not None and current != generation:
                    person.close()
                generation = current
                try:
                    if person is None or person.steps >= STEPS_OF_A_PERSON:
                        turn += 1
                        person = self._new_person(f"{self.plan.seed}-{number}-{turn}")
                    person.step()
                except ServerGoneError as error:
                    gone = str(error)
                except Exception as error:  # noqa: BLE001  a client that died unseen would find nothing any more
                    failures += 1
                    self.findings.add([Finding(UNEXPECTED, f"client {number}", _in_words(error))])
            if person is not None:
                self.findings.add(person.take_findings())
            if gone is not None and not self.gate.explains(generation):
                failures += 1
                self.findings.add([Finding(UNEXPECTED, f"client {number}", gone)])

    def _new_person(self, name: str) -> Person:
        person = Person(self.target.base_url, self.target.server_secret, self.calls, name)
        self.people.append(person)
        return person

    def _verify_all(self) -> None:
        self.losses = CountedLosses(self.target.lost_events())
        pool = ThreadPoolExecutor(self.plan.clients)
        try:
            list(pool.map(self._verify, self.people))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C nobody waits for the rest

    def _verify(self, person: Person) -> None:
        """Compare all that a person has, at the end."""
        person.close()
        try:
            person.verify_to_the_last(self.restarts_s, self.losses)
        except Exception as error:  # noqa: BLE001  the others are compared nevertheless
            self.findings.add([Finding(UNEXPECTED, f"person {person.name}, at the end", _in_words(error))])
        self.findings.add(person.take_findings())
        self.verified.update(person.sizes())
        person.close()


def soak(target: Target, plan: Plan) -> Soak:
    """A run that has ended.

    Raises:
        KeyboardInterrupt: Ctrl-C came a second time.
        ToolError: the plan has no time or no client.
    """
    plan.require_possible()
    run = Soak(target, plan)
    run.run()
    return run


def _in_words(error: Exception) -> str:
    """The message, with the kind of an error that no answer explains."""
    known = isinstance(error, UnexpectedAnswerError | ServerGoneError | ToolError)
    return str(error) if known else f"{type(error).__name__}: {error}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
