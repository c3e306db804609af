"""The recorded exchanges are replayed on the fixtures of the API tests; how many were is told at the end."""

from collections import Counter

import pytest

from tests.api.conftest import api, fakes
from tests.golden.datum_vectors import FILES, vectors
from tests.golden.exchanges import names

__all__ = ["api", "fakes"]

DATA = "golden data"
AS_RECORDED = "golden HTTP as recorded"
BY_RULING = "golden HTTP by ruling"
"""Properties of tests: how many vectors or exchanges each has been through."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many vectors and exchanges the tests that passed have been through, and how many there are."""
    passed: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", ()):
        for name, count in report.user_properties:
            passed[name] += count
    if passed[DATA]:
        total = sum(1 for file in FILES for _ in vectors(file))
        terminalreporter.write_line(f"golden data {passed[DATA]:,} of {total:,}")
    if passed[AS_RECORDED] or passed[BY_RULING]:
        terminalreporter.write_line(
            f"golden HTTP {len(names())}: {passed[AS_RECORDED]} as recorded, {passed[BY_RULING]} by ruling"
        )
