"""What was measured, as a table for people and as JSON for machines."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `value` is in `unit`; F is the time of the floor (see `floors`)."""

    name: str
    value: float
    unit: str
    target: float | None = None
    """The most that the value should be; None where nothing was promised."""
    floor_ms: float | None = None
    """What the floor took in this run, where the line has one."""
    p95: float | None = None
    """Beside the median; in the same unit."""

    @property
    def is_met(self) -> bool | None:
        """Whether the value keeps to the target; None where there is none."""
        return None if self.target is None else self.value <= self.target


def as_json(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """The figures as JSON values, in their order."""
    return [asdict(figure) | {"is_met": figure.is_met} for figure in figures]


def as_table(figures: Sequence[Figure]) -> str:
    """The figures as lines of equal columns."""
    rows = [("what", "value", "p95", "unit", "target", "", "F, ms"), *map(_row, figures)]
    return as_columns(rows, words={0, 3, 5})


def as_columns(rows: Sequence[Sequence[str]], words: Collection[int]) -> str:
    """Rows as lines of equal columns: those of `words` to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths, words) for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "not met"}[figure.is_met]
    numbers = [_number(each) for each in (figure.value, figure.p95, figure.target, figure.floor_ms)]
    value, p95, target, floor_ms = numbers
    return figure.name, value, p95, figure.unit, target, verdict, floor_ms


def _line(row: Sequence[str], widths: Sequence[int], words: Collection[int]) -> str:
    cells = [
        cell.ljust(width) if at in words else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"
