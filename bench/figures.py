"""The measured figures, as a table for people and as JSON for machines."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `value` is in `unit`; F is the time of the floor (see `floors`)."""

    name: str
    value: float
    unit: str
    target: float | None = None
    """The highest value that meets the target; None if there is no target."""
    floor_ms: float | None = None
    """The time of the floor in this run; None if the line has no floor."""
    p95: float | None = None
    """The 95th percentile beside the median, in the same unit."""
    minimum: float | None = None
    """The smallest value, in the same unit."""
    cpu_ms: float | None = None
    """The CPU time for each request, of all processes of the home; None if they cannot be seen from here."""

    @property
    def is_met(self) -> bool | None:
        """Whether the value meets the target; None if there is no target."""
        return None if self.target is None else self.value <= self.target


def as_json(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """The figures as JSON values, in order."""
    return [asdict(figure) | {"is_met": figure.is_met} for figure in figures]


def as_table(figures: Sequence[Figure]) -> str:
    """The figures as a text table."""
    rows = [("what", "value", "p95", "unit", "target", "", "F, ms"), *map(_row, figures)]
    return as_columns(rows, words={0, 3, 5})


def as_columns(rows: Sequence[Sequence[str]], words: Collection[int]) -> str:
    """Rows as a text table: the columns in `words` are aligned left, numbers right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths, words) for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "not met"}[figure.is_met]
    numbers = [number_text(number) for number in (figure.value, figure.p95, figure.target, figure.floor_ms)]
    value, p95, target, floor_ms = numbers
    return figure.name, value, p95, figure.unit, target, verdict, floor_ms


def _line(row: Sequence[str], widths: Sequence[int], words: Collection[int]) -> str:
    cells = [
        cell.ljust(width) if at in words else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def number_text(value: float | None) -> str:
    """A number of a table; empty for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"
