"""Tests the figures of memory: medians of the quarters of the longest life, and the growth."""

import os
from pathlib import Path

import pytest

from tools.soak.memory import Sample, memory_figures, samples_of


def samples(life: int, *resident_mb: float, label: str = "home server") -> list[Sample]:
    """A sample a second."""
    return [Sample(label, life, life * 1000 + second, mb, 1) for second, mb in enumerate(resident_mb)]


def test_growth_is_that_after_the_first_half_of_the_longest_life() -> None:
    (figure,) = memory_figures([*samples(0, 1, 2, 3, 4), *samples(1, 10, 20, 100, 100, 105, 105, 110, 130)])
    assert figure.quarters_mb == (15, 100, 105, 120)
    assert figure.growth_percent == pytest.approx(20)
    assert (figure.peak_mb, figure.life_s, figure.processes) == (130, 7, 1)


def test_memory_is_flat_that_fluctuates() -> None:
    flat, growing = memory_figures(
        [*samples(0, 90, 90, 100, 100, 103, 103, 104, 104, label="flat"), *samples(0, 1, 1, 10, 10, 10, 10, 11, 11)]
    )
    assert (flat.is_flat, growing.is_flat) == (True, False)


def test_what_is_stored_has_the_same_quarters() -> None:
    life = [Sample("engine", 0, second, 50.0, 1, float(second)) for second in range(8)]
    assert memory_figures(life)[0].stored_mb == (0.5, 2.5, 4.5, 6.5)
    assert memory_figures(samples(0, *[50] * 8))[0].stored_mb == ()


def test_more_processes_of_the_same_memory_are_no_growth() -> None:
    life = [Sample("functions", 0, second, 50.0 * (1 + second), 1 + second) for second in range(8)]
    (figure,) = memory_figures(life)
    assert figure.quarters_mb == (50, 50, 50, 50)
    assert (figure.growth_percent, figure.processes, figure.peak_mb) == (0, 8, 50)


def test_flat_memory_does_not_grow() -> None:
    (figure,) = memory_figures(samples(0, 50, 80, 80, 80, 80, 80, 80, 80))
    assert figure.growth_percent == 0


def test_a_life_that_is_too_short_has_no_figure() -> None:
    assert memory_figures(samples(0, 1, 2, 3)) == []
    assert [figure.label for figure in memory_figures([*samples(0, 1), *samples(0, *[2] * 4, label="tasks")])] == [
        "tasks"
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_the_memory_of_a_running_process_is_found() -> None:
    found = samples_of(os.getpid(), 3, 2_500_000)
    assert found
    assert all(sample.resident_mb > 1 for sample in found)
    assert {(sample.life, sample.stored_mb) for sample in found} == {(3, 2.5)}
