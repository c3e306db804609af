"""Configures all tests, and has the fixtures that several packages of tests need.

Hypothesis has no time limit, because times depend more on the machine than on the code.
"""

import io
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

SWITCH_INTERVAL_S = 1e-5

settings.register_profile("strandline", deadline=None)
# The same examples in each run, for CI: `.ci/run` judges a change, and a run at will looks for new examples.
settings.register_profile("fixed", deadline=None, derandomize=True)
# For histories that run for an hour: pytest tests/property/test_compaction_machine.py --hypothesis-profile long
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "strandline"))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The log of the application during one test."""
    from chalicelib.observability import logger  # imported late: most tests have no log

    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture
def threads_that_switch_often() -> Iterator[None]:
    """Let the interpreter switch between threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    yield
    sys.setswitchinterval(before)
