"""The figures of both homes, and of peers that run already, in one run and side by side.

The targets take turns: each figure is measured on one after the other, and each time another one begins. So other load
of the machine affects all alike.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from bench.figures import Figure, as_columns, as_json, number_text
from bench.homes import requests
from bench.homes.home import Home, Target, on_home_server, on_local_cloud
from tools.project import ToolError

Column = dict[str, Figure]
"""The figures of a target by their names, in the order of measuring."""


def peers_of(text: str) -> list[Target]:
    """The peers in a text such as `reference=http://127.0.0.1:8009,another=http://127.0.0.1:8010`.

    Raises:
        ToolError: the text has another form.
    """
    peers = []
    for part in filter(None, text.split(",")):
        name, _, url = part.partition("=")
        if not name or not url.startswith("http://"):
            raise ToolError(f"PEERS has {part!r}: write name=http://address, with commas between peers.")
        peers.append(Target(name=name, base_url=url.rstrip("/")))
    return peers


def measured(peers: list[Target], *, is_quick: bool) -> dict[str, Column]:
    """The figures of each home and each peer, by name."""
    with ExitStack() as stack:
        homes = [stack.enter_context(start()) for start in (on_home_server, on_local_cloud)]
        sources = {home.name: _of_home(home, is_quick=is_quick) for home in homes}
        sources |= {peer.name: _of_peer(peer, is_quick=is_quick) for peer in peers}
        return in_turns(sources)


def in_turns(sources: Mapping[str, Iterator[Figure]]) -> dict[str, Column]:
    """The figures of each source. They take turns, and each round begins with another one."""
    columns: dict[str, Column] = {name: {} for name in sources}
    left = list(sources)
    while left:
        for name in tuple(left):
            figure = next(sources[name], None)
            if figure is None:
                left.remove(name)
            else:
                columns[name][figure.name] = figure
        left = left[1:] + left[:1]
    return columns


def _of_peer(peer: Target, *, is_quick: bool) -> Iterator[Figure]:
    for case in requests.CASES:
        yield from case(peer, is_quick=is_quick)


def _of_home(home: Home, *, is_quick: bool) -> Iterator[Figure]:
    for case in requests.CASES:
        yield from case(home, is_quick=is_quick)
    yield Figure("memory, after adding and reading", home.resident_mb(), "MB")
    for case in requests.OF_HOMES:
        yield from case(home, is_quick=is_quick)
    yield Figure("first start", home.first_start_s, "s")
    if home.next_start_s is not None:
        yield Figure("next start", home.next_start_s, "s")
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
    """The figures as a text table: for each target the least, the median, the 95th percentile, and the CPU time of a
    request over all processes."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    titles = [title for target in columns for title in (f"{target}: min", "p50", "p95", "CPU, ms")]
    rows = [("what", *titles, "unit", "F, ms"), *(_row(name, columns) for name in names)]
    return as_columns(rows, words={0, len(titles) + 1})


def _row(name: str, columns: dict[str, Column]) -> tuple[str, ...]:
    figures = [column.get(name) for column in columns.values()]
    cells = [
        number_text(value)
        for figure in figures
        for value in ((figure.minimum, figure.value, figure.p95, figure.cpu_ms) if figure else (None, None, None, None))
    ]
    any_figure = next(figure for figure in figures if figure)
    return (name, *cells, any_figure.unit, number_text(any_figure.floor_ms))
