"""The figures of both homes in one run, side by side."""

from collections.abc import Iterator
from typing import Any

from bench.figures import Figure, as_columns, as_json, number_text
from bench.homes import requests
from bench.homes.home import Home, on_home_server, on_local_cloud

Column = dict[str, Figure]
"""The figures of a home by their names, in the order of measuring."""


def measured(*, is_quick: bool) -> dict[str, Column]:
    """The figures of each home, by the name of the home."""
    columns: dict[str, Column] = {}
    for start in (on_home_server, on_local_cloud):
        with start() as home:
            columns[home.name] = {figure.name: figure for figure in _figures(home, is_quick=is_quick)}
    return columns


def _figures(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    yield Figure("first start", home.first_start_s, "s")
    if home.next_start_s is not None:
        yield Figure("next start", home.next_start_s, "s")
    yield Figure("memory, idle", home.resident_mb(), "MB")
    for case in requests.CASES:
        yield from case(home, is_quick=is_quick)
    yield Figure("memory, after adding and reading", home.resident_mb(), "MB")
    if home.keeps_data_on_disk:
        used_mb = home.disk_mb()
        yield from requests.a_year(home, is_quick=is_quick)
        span = "month" if is_quick else "year"
        yield Figure(f"memory, after a {span} was read", home.resident_mb(), "MB")
        yield Figure(f"disk of a {span} of Loop", home.disk_mb() - used_mb, "MB")


def as_document(columns: dict[str, Column]) -> dict[str, list[dict[str, Any]]]:
    """The figures as JSON values."""
    return {name: as_json(column.values()) for name, column in columns.items()}


def as_text(columns: dict[str, Column]) -> str:
    """The figures as a text table: for each home the median and the 95th percentile."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    titles = [title for home in columns for title in (home, "p95")]
    rows = [("what", *titles, "unit", "F, ms"), *(_row(name, columns) for name in names)]
    return as_columns(rows, words={0, len(titles) + 1})


def _row(name: str, columns: dict[str, Column]) -> tuple[str, ...]:
    figures = [column.get(name) for column in columns.values()]
    cells = [
        number_text(value) for figure in figures for value in ((figure.value, figure.p95) if figure else (None, None))
    ]
    one = next(figure for figure in figures if figure)
    return (name, *cells, one.unit, number_text(one.floor_ms))
