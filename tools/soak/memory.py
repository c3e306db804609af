"""The resident memory of the processes of a server over time, and whether it is flat. From `/proc` of Linux."""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from bench.memory import Process, process_tree, running

LABELS = (
    (r"strandline\.cli.* serve", "home server"),
    (r"task_process", "process of tasks"),
    (r"tools\.local_cloud\.engine", "engine of the local cloud"),
)
OTHERS = "functions"
QUARTERS = 4
FLAT_PERCENT = 5.0
"""Memory is called flat that grows by no more than this in the second half of the longest life of the server."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of the processes with a label, at a time of a life of the server."""

    label: str
    life: int
    at_s: float
    resident_mb: float
    """Of all of them."""
    processes: int
    stored_mb: float | None = None
    """What the server has stored, if that is known."""

    @property
    def mean_mb(self) -> float:
        """Of one of them: their number changes, as functions start when they are needed."""
        return self.resident_mb / self.processes


@dataclass(frozen=True, slots=True)
class MemoryFigure:
    """The memory of the processes with a label in the longest life of the server."""

    label: str
    processes: int
    life_s: float
    quarters_mb: tuple[float, ...]
    """The median of each quarter of the life, of one process."""
    peak_mb: float
    stored_mb: tuple[float, ...] = ()
    """The median of each quarter of what the server has stored; empty if that is not known."""

    @property
    def growth_percent(self) -> float:
        """The growth from the second quarter to the last one: start-up and caches belong to the first."""
        return (self.quarters_mb[-1] / self.quarters_mb[1] - 1) * 100

    @property
    def is_flat(self) -> bool:
        """Whether it did not grow, but for fluctuations."""
        return self.growth_percent <= FLAT_PERCENT


def samples_of(process_id: int, life: int, stored_bytes: int | None = None) -> list[Sample]:
    """The memory of a process and all that it started, now, by label. Empty without `/proc`."""
    by_label: dict[str, list[Process]] = defaultdict(list)
    for process in process_tree(running(), process_id):
        by_label[_label(process.command)].append(process)
    now_s = time.monotonic()
    stored_mb = None if stored_bytes is None else stored_bytes / 1e6
    return [
        Sample(label, life, now_s, sum(process.resident_kib for process in found) * 1024 / 1e6, len(found), stored_mb)
        for label, found in by_label.items()
    ]


def memory_figures(samples: Sequence[Sample]) -> list[MemoryFigure]:
    """A figure for each label that was seen at least once in each quarter of its longest life."""
    lives: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.label, sample.life].append(sample)
    longest: dict[str, list[Sample]] = {}
    for (label, _), life in lives.items():
        if _life_s(life) >= _life_s(longest.get(label, life[:1])):
            longest[label] = life
    return [_figure(label, life) for label, life in sorted(longest.items()) if len(life) >= QUARTERS]


def _figure(label: str, life: Sequence[Sample]) -> MemoryFigure:
    borders = [len(life) * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
    quarters = tuple(median(sample.mean_mb for sample in life[first:last]) for first, last in pairwise(borders))
    peak_mb = max(sample.mean_mb for sample in life)
    sizes = [
        [sample.stored_mb for sample in life[first:last] if sample.stored_mb is not None]
        for first, last in pairwise(borders)
    ]
    stored_mb = tuple(map(median, sizes)) if all(sizes) else ()
    return MemoryFigure(label, max(sample.processes for sample in life), _life_s(life), quarters, peak_mb, stored_mb)


def _life_s(life: Sequence[Sample]) -> float:
    return life[-1].at_s - life[0].at_s


def _label(command: str) -> str:
    return next((label for pattern, label in LABELS if re.search(pattern, command)), OTHERS)
