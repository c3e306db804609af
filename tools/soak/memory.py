"""The resident memory of the processes of a server over time, and whether it is flat. From `/proc` of Linux.

The memory of a server is 64 MB larger while it checks a password, because the digest of a password needs that
much. So growth is that of the memory at rest, which a leak raises as well.
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tools.processes import process_tree, running

LABELS = (
    (r"strandline\.cli.* serve", "home server"),
    (r"task_process", "process of tasks"),
    (r"tools\.local_cloud\.engine", "engine of the local cloud"),
)
OTHERS = "functions"
QUARTERS = 4
AT_REST = 0.1
"""The share of samples that may be below the memory at rest."""
FLAT_PERCENT = 5.0
"""Memory is called flat that grows by no more than this in the second half of the longest life of a process."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of a process with a label, at a time."""

    label: str
    process_id: int
    at_s: float
    resident_mb: float
    stored_mb: float | None = None
    """Megabytes that the server has stored, if that is known."""


@dataclass(frozen=True, slots=True)
class MemoryFigure:
    """The memory of the process with a label that lived longest."""

    label: str
    processes: int
    """Largest number of processes with the label at one time."""
    life_s: float
    at_rest_mb: tuple[float, ...]
    """The memory at rest in each quarter of the life."""
    peak_mb: float
    """That of any process with the label."""
    stored_mb: tuple[float, ...] = ()
    """The median of each quarter of what the server has stored; empty if that is not known."""

    @property
    def growth_percent(self) -> float:
        """The growth from the second quarter to the last one: start-up and caches belong to the first."""
        return (self.at_rest_mb[-1] / self.at_rest_mb[1] - 1) * 100

    @property
    def is_flat(self) -> bool:
        """Whether it did not grow, but for fluctuations."""
        return self.growth_percent <= FLAT_PERCENT


def samples_of(process_id: int, stored_bytes: int | None = None) -> list[Sample]:
    """The memory of a process and of each that it started, now. Empty without `/proc`."""
    now_s = time.monotonic()
    stored_mb = None if stored_bytes is None else stored_bytes / 1e6
    return [
        Sample(_label(process.command), process.id, now_s, process.resident_kib * 1024 / 1e6, stored_mb)
        for process in process_tree(running(), process_id)
    ]


def memory_figures(samples: Sequence[Sample]) -> list[MemoryFigure]:
    """A figure for each label with a process that was seen at least once in each quarter of its life."""
    by_label: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_label[sample.label].append(sample)
    figures = (_figure(label, found) for label, found in sorted(by_label.items()))
    return [figure for figure in figures if figure is not None]


def _figure(label: str, samples: Sequence[Sample]) -> MemoryFigure | None:
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.process_id].append(sample)
    life = max(lives.values(), key=_life_s)
    if len(life) < QUARTERS:
        return None
    borders = [len(life) * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
    quarters = [life[first:last] for first, last in pairwise(borders)]
    stored_mb = [[sample.stored_mb for sample in quarter if sample.stored_mb is not None] for quarter in quarters]
    return MemoryFigure(
        label,
        processes=max(Counter(sample.at_s for sample in samples).values()),
        life_s=_life_s(life),
        at_rest_mb=tuple(at_rest_mb(quarter) for quarter in quarters),
        peak_mb=max(sample.resident_mb for sample in samples),
        stored_mb=tuple(map(median, stored_mb)) if all(stored_mb) else (),
    )


def at_rest_mb(samples: Sequence[Sample]) -> float:
    """The memory of a process when it does little: all but few of the samples are above it."""
    return quantile(sorted(sample.resident_mb for sample in samples), AT_REST)


def quantile(sorted_values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def _life_s(life: Sequence[Sample]) -> float:
    return life[-1].at_s - life[0].at_s


def _label(command: str) -> str:
    return next((label for pattern, label in LABELS if re.search(pattern, command)), OTHERS)
