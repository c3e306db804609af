"""The floor F: the least CPU time in which this machine, at this time, decodes and encodes some JSON.

F = `orjson.loads` and `orjson.dumps` of the same bytes. It is timed just before each case in the same process, so that
other load of the machine affects both alike. Quote the ratios, not the milliseconds.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from bench.figures import Figure

WARM_UP_ROUNDS = 2

Case = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Pair:
    """The CPU seconds of the floor and of the case in one round."""

    floor_s: float
    case_s: float


def in_turns(body: bytes, cases: Sequence[Case], rounds: int) -> list[list[Pair]]:
    """The rounds of each case, after a warm-up, timed alternately: floor, first case, floor, second case, and so on."""
    pairs: list[list[Pair]] = [[] for _ in cases]
    for number in range(WARM_UP_ROUNDS + rounds):
        for of_case, case in zip(pairs, cases, strict=True):
            pair = Pair(floor_s(body), cpu_s(case))
            if number >= WARM_UP_ROUNDS:
                of_case.append(pair)
    return pairs


def floor_s(body: bytes) -> float:
    """The time of F, measured once, without the collector: the application turns it off while a request runs."""
    gc.disable()
    try:
        return cpu_s(lambda: orjson.dumps(orjson.loads(body)))
    finally:
        gc.enable()


def cpu_s(work: Case) -> float:
    """The CPU time that this process takes for some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def times_floor(name: str, pairs: Sequence[Pair], target: float | None = None) -> Figure:
    """The median of the ratios of a case to its floor."""
    ratio = statistics.median(pair.case_s / pair.floor_s for pair in pairs)
    return Figure(name, ratio, "F", target, median_floor_ms(pairs))


def times_other(name: str, pairs: Sequence[Pair], others: Sequence[Pair], target: float | None = None) -> Figure:
    """The median of the ratios of a case to another case of the same rounds, each in units of its own floor."""
    ratios = [
        (pair.case_s / pair.floor_s) / (other.case_s / other.floor_s) for pair, other in zip(pairs, others, strict=True)
    ]
    return Figure(name, statistics.median(ratios), "x", target, median_floor_ms(pairs))


def median_floor_ms(pairs: Sequence[Pair]) -> float:
    """The median time of the floor."""
    return statistics.median(pair.floor_s for pair in pairs) * 1000
