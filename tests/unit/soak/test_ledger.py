"""Tests that the oracle finds what is lost, doubled, changed, half written and never sent, and nothing else."""

import pytest

from tools.soak.ledger import CHANGED, DOUBLED, HALF, LOST, STALE, UNSENT, Changes, Finding, Findings, Ledger


def ledger_of(values: Changes, under_way: Changes | None = None) -> Ledger:
    """A ledger with answered values, and perhaps a write whose answer did not come."""
    ledger = Ledger("records of anna")
    ledger.begin(values)
    ledger.finish()
    if under_way is not None:
        ledger.begin(under_way)
    return ledger


def kinds(findings: list[Finding]) -> list[str]:
    """The kinds of findings, in their order."""
    return [finding.kind for finding in findings]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("a", 1), ("b", 2)], []),
        ([("b", 2), ("a", 1)], []),
        ([("a", 1)], [LOST]),
        ([], [LOST, LOST]),
        ([("a", 1), ("b", 2), ("b", 2)], [DOUBLED]),
        ([("a", 1), ("b", 3)], [CHANGED]),
        ([("a", 1), ("b", 2), ("c", 3)], [UNSENT]),
        ([("a", 1), ("a", 1), ("c", 3)], [DOUBLED, LOST, UNSENT]),
    ],
)
def test_differences_from_what_was_answered_are_found(found: list[tuple[str, int]], expected: list[str]) -> None:
    assert kinds(ledger_of({"a": 1, "b": 2}).compare(found)) == expected


def test_what_was_removed_may_not_come_back() -> None:
    ledger = ledger_of({"a": 1, "b": 2})
    ledger.begin({"a": None})
    ledger.finish()
    assert kinds(ledger.compare([("b", 2)])) == []
    assert kinds(ledger.compare([("a", 1), ("b", 2)])) == [UNSENT]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("a", 1), ("b", 2)], []),
        ([("b", 5), ("c", 3), ("d", 4)], []),
        ([("a", 1), ("b", 2), ("c", 3)], [HALF]),
        ([("b", 2)], [HALF]),
        ([("a", 1), ("b", 5)], [HALF]),
        ([("a", 1), ("b", 2), ("e", 9)], [UNSENT]),
    ],
)
def test_a_write_without_an_answer_is_there_wholly_or_not(found: list[tuple[str, int]], expected: list[str]) -> None:
    ledger = ledger_of({"a": 1, "b": 2}, {"a": None, "b": 5, "c": 3, "d": 4})
    assert kinds(ledger.compare(found)) == expected


def test_a_write_that_was_repeated_is_there() -> None:
    ledger = ledger_of({"a": 1}, {"b": 2})
    ledger.finish()
    assert kinds(ledger.compare([("a", 1)])) == [LOST]


def test_a_write_that_nobody_repeats_stays_once_it_was_seen() -> None:
    ledger = ledger_of({"a": 1}, {"b": 2})
    ledger.abandon()
    assert kinds(ledger.compare([("a", 1)])) == []
    assert kinds(ledger.compare([("a", 1), ("b", 2)])) == []
    assert kinds(ledger.compare([("a", 1)])) == [LOST]


def test_a_reader_of_a_part_has_to_see_that_part() -> None:
    ledger = ledger_of({"a": 1, "b": 2})
    assert kinds(ledger.compare([("b", 2)], {"b"})) == []
    assert kinds(ledger.compare([], {"b"})) == [LOST]
    assert kinds(ledger.compare([("a", 1), ("b", 2)], {"b"})) == [UNSENT]


def test_not_modified_is_stale_after_a_change() -> None:
    ledger = ledger_of({"a": 1})
    snapshot = dict(ledger.values)
    assert kinds(ledger.differences_of(snapshot)) == []
    ledger.begin({"a": 2})
    ledger.finish()
    assert kinds(ledger.differences_of(snapshot)) == [STALE]


def test_a_finding_counts_once() -> None:
    findings = Findings()
    findings.add([Finding(LOST, "records of anna", "a"), Finding(LOST, "records of anna", "a")])
    findings.add([Finding(LOST, "records of anna", "a"), Finding(DOUBLED, "records of anna", "a")])
    assert kinds(findings.all()) == [LOST, DOUBLED]
    assert {kind: count for kind, count in findings.counts().items() if count} == {LOST: 1, DOUBLED: 1}


def test_a_reader_of_a_part_may_find_a_write_that_nobody_repeats() -> None:
    ledger = ledger_of({"a": 1}, {"b": 2, "a": None})
    ledger.abandon()
    assert kinds(ledger.compare([("b", 2)], set())) == []
    assert kinds(ledger.compare([("a", 1), ("b", 2)])) == []
    assert kinds(ledger.compare([("a", 1)])) == [LOST]
