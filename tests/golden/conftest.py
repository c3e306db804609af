"""Fixtures of the API tests for the recorded exchanges; the number of replayed ones is printed at the end."""

from collections import Counter

import pytest

from tests.api.conftest import api, fakes
from tests.golden.datum_vectors import FILES, vectors
from tests.golden.http_exchanges import RECORDED

__all__ = ["api", "fakes"]

DATA = "golden data"
AS_RECORDED = "golden HTTP as recorded"
BY_RULING = "golden HTTP by ruling"
"""Properties of tests: the number of vectors or exchanges that each has checked."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of vectors and exchanges that passed, and their total."""
    passed: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", ()):
        for name, count in report.user_properties:
            passed[name] += count
    if passed[DATA]:
        total = sum(1 for file in FILES for _ in vectors(file))
        terminalreporter.write_line(f"golden data {passed[DATA]:,} of {total:,}")
    if passed[AS_RECORDED] or passed[BY_RULING]:
        terminalreporter.write_line(
            f"golden HTTP {len(RECORDED.names)}: {passed[AS_RECORDED]} as recorded, {passed[BY_RULING]} by ruling"
        )
