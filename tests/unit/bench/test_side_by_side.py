"""Targets side by side: whose turn it is, the columns of the table, and the peers of a command."""

from collections.abc import Iterator

import pytest

from bench.figures import Figure
from bench.homes.home import Target
from bench.homes.requests import plain, timed
from bench.homes.side_by_side import as_text, in_turns, peers_of
from tools.project import ToolError


def test_targets_take_turns_and_each_round_begins_with_another() -> None:
    measured: list[str] = []

    def source(name: str, count: int) -> Iterator[Figure]:
        for number in range(count):
            measured.append(f"{name}{number}")
            yield Figure(str(number), number, "ms")

    columns = in_turns({"a": source("a", 3), "b": source("b", 2), "c": source("c", 1)})
    assert measured == ["a0", "b0", "c0", "b1", "a1", "a2"]
    assert {name: list(column) for name, column in columns.items()} == {
        "a": ["0", "1", "2"],
        "b": ["0", "1"],
        "c": ["0"],
    }


def test_the_table_has_four_columns_for_each_target() -> None:
    figure = Figure("add", 2.5, "ms", floor_ms=0.5, p95=9, minimum=1, cpu_ms=3)
    columns = {"home": {"add": figure}, "peer": {"add": Figure("add", 4, "ms", p95=5, minimum=3)}}
    assert as_text(columns).splitlines() == [
        "what  home: min  p50  p95  CPU, ms  peer: min  p50  p95  CPU, ms  unit  F, ms",
        "add           1  2.5    9        3          3    4    5           ms      0.5",
    ]


def test_peers_have_a_name_and_an_address() -> None:
    peers = peers_of("reference=http://127.0.0.1:8009/,another=http://[::1]:1")
    assert [(peer.name, peer.base_url) for peer in peers] == [
        ("reference", "http://127.0.0.1:8009"),
        ("another", "http://[::1]:1"),
    ]
    assert peers_of("") == []


@pytest.mark.parametrize("text", ["reference", "=http://a", "reference=127.0.0.1:1", "a=http://a,b"])
def test_a_peer_without_either_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="write name=http://address"):
        peers_of(text)


def test_the_cpu_time_of_a_block_is_shared_by_its_requests() -> None:
    clock = iter([1.0, 1.5])
    target = Target(name="a", base_url="", cpu_s=lambda: next(clock))
    assert timed(target, "add", lambda: [1.0] * 5).cpu_ms == 100
    assert timed(Target(name="a", base_url=""), "add", lambda: [1.0]).cpu_ms is None


def test_a_reply_is_read_with_and_without_compression() -> None:
    import gzip

    assert plain(gzip.compress(b"[]")) == plain(b"[]") == b"[]"
