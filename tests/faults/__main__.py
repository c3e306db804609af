"""Runs faults or interleavings for as long as is asked for: `make faults` and `make interleavings`.

Exit code 0 if all ended as it should, 1 if something did not, with what it was in `build/faults`, where a file grows
while the run goes on. An interrupt ends a run with the figures that it has.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count, product

from tests.faults.dynamo_servers import SERVERS, MemoryServer
from tests.faults.engines import DynamoEngine, SqliteEngine
from tests.faults.interleavings import Interleavings
from tests.faults.preparation import prepare
from tests.faults.report import FaultFigures, Findings, PairFigures, Row, column_of, write_report
from tests.faults.scene import Saved, Scene, scene
from tests.faults.trials import Trials, random_history, seeded
from tests.faults.use_cases import INTERLEAVED, USE_CASES

ENGINES = (SqliteEngine.name, DynamoEngine.name)
RUNS_OF_A_HISTORY = 3
"""The number of runs of each history with faults, since the run without faults costs as much as one of them."""
PROGRESS_S = 2.0


class Progress:
    """One line that is written over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began_s = self._shown_s = time.monotonic()

    @property
    def minutes(self) -> float:
        """The time since the beginning."""
        return (time.monotonic() - self._began_s) / 60

    def show(self, text: str) -> None:
        """Show how far the run is, now and then."""
        now_s = time.monotonic()
        if now_s - self._shown_s >= PROGRESS_S:
            self._shown_s = now_s
            sys.stderr.write(f"\r{self._name}: {text}, {self.minutes:.1f} minutes\033[K")
            sys.stderr.flush()

    def end(self, text: str) -> None:
        """Show how the run ended."""
        sys.stderr.write(f"\r{self._name}: {text}, {self.minutes:.1f} minutes\033[K\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("what", choices=("faults", "interleavings"))
    parser.add_argument("--faults", type=int, default=100_000, help="how many faults to inject at least")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to share them among")
    parser.add_argument("--pairs", type=int, help="how many pairs, by seed 1, instead of all")
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default=SqliteEngine.name)
    parser.add_argument("--server", choices=(*SERVERS,), default=MemoryServer.name, help="the server of DynamoDB")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after how long to end at the latest")
    parser.add_argument("--keep", action="store_true", help="show the figures in docs/reliability.md")
    given = parser.parse_args(arguments)
    engines = ENGINES if given.engine == "both" else (given.engine,)
    run: Callable[[str, argparse.Namespace], bool] = faults if given.what == "faults" else interleavings
    went_well = [run(engine, given) for engine in engines]
    return 0 if all(went_well) else 1


def faults(engine: str, given: argparse.Namespace) -> bool:
    """Each fault at each call of each use case, then histories with several, and return whether all ended well."""
    server = _server(engine, given)
    figures, progress = FaultFigures(engine, server, given.seeds), Progress(f"faults on {engine}")
    findings = Findings(figures.name)
    with _prepared(engine, given) as (stage, saved), suppress(KeyboardInterrupt):
        trials = Trials(stage, saved)
        for name in USE_CASES:
            if progress.minutes >= given.minutes:
                break
            figures.rows.append(_row(name, trials))
            trials.forget()
            findings.keep(trials.failures)
            progress.show(f"{figures.faults:,} faults, {len(trials.failures)} wrong, {name}")
        left = max(0, given.faults - figures.faults)
        for number, seed in ((number, seed) for number in count() for seed in range(1, given.seeds + 1)):
            if sum(figures.of_histories.values()) >= left or progress.minutes >= given.minutes:
                break
            figures.add(_history(seeded(seed, number), trials), RUNS_OF_A_HISTORY)
            findings.keep(trials.failures)
            progress.show(
                f"{figures.faults:,} faults, {len(trials.failures)} wrong, history {number + 1} of seed {seed}"
            )
    figures.wrong, figures.minutes = len(trials.failures), progress.minutes
    return _report(figures, [str(failure) for failure in trials.failures], progress, given)


def interleavings(engine: str, given: argparse.Namespace) -> bool:
    """Each pair of use cases, or some by seed, and return whether all ended well."""
    server = _server(engine, given)
    figures, progress = PairFigures(engine, server, len(INTERLEAVED)), Progress(f"interleavings on {engine}")
    findings = Findings(figures.name)
    pairs = list(product(INTERLEAVED, repeat=2))
    seeded(1).shuffle(pairs)
    with _prepared(engine, given) as (stage, saved), suppress(KeyboardInterrupt):
        run = Interleavings(stage, saved)
        for first, second in pairs[: given.pairs]:
            if progress.minutes >= given.minutes:
                break
            run.pair(first, second)
            figures.pairs += 1
            findings.keep(run.failures)
            progress.show(f"{figures.pairs:,} pairs, {run.count:,} interleavings, {len(run.failures)} wrong")
    figures.interleavings, figures.wrong, figures.minutes = run.count, len(run.failures), progress.minutes
    return _report(figures, [str(failure) for failure in run.failures], progress, given)


@contextmanager
def _prepared(engine: str, given: argparse.Namespace) -> Iterator[tuple[Scene, Saved]]:
    """A stage, and the state in which each trial begins."""
    with scene(engine, given.server) as stage:
        prepare(stage)
        yield stage, stage.save()


def _server(engine: str, given: argparse.Namespace) -> str:
    """The server of DynamoDB, which SQLite has not."""
    return str(given.server) if engine == DynamoEngine.name else ""


def _row(name: str, trials: Trials) -> Row:
    """The trials of a use case with each fault at each of its calls."""
    calls = trials.expected((name,)).calls
    row = Row(name, len(calls))
    for index, call in enumerate(calls):
        for kind in trials.kinds(call):
            column = column_of(kind)
            row.faults[column] = row.faults.get(column, 0) + 1
            row.wrong += not trials.with_fault(name, index, kind)
    return row


def _history(chance: random.Random, trials: Trials) -> Counter[str]:
    """The faults that runs of a history met, by kind."""
    history, met = random_history(chance), Counter[str]()
    for _ in range(RUNS_OF_A_HISTORY):
        trials.with_faults(history, chance)
        met.update(trials.met)
    trials.forget()
    return met


def _report(
    figures: FaultFigures | PairFigures, failures: Sequence[str], progress: Progress, given: argparse.Namespace
) -> bool:
    path = write_report(figures, failures, is_kept=given.keep)
    progress.end(figures.lines()[0].replace("**", ""))
    sys.stderr.write(f"{path}\n")
    return not failures


if __name__ == "__main__":
    sys.exit(main())
