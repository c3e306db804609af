"""A pytest plugin: the fixture `tidepool_server`, a server of the Tidepool API that each test finds empty.

pytest loads it by its entry point. Nothing else is imported before a test asks for the fixture.
See docs/testing-your-app.md.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from strandline.testing.server import TidepoolServer


@pytest.fixture(scope="session")
def _tidepool_process() -> "Iterator[TidepoolServer]":
    """The server of this run of pytest; one for each worker of pytest-xdist."""
    from strandline.testing.server import running_server

    with running_server() as server:
        yield server


@pytest.fixture
def tidepool_server(_tidepool_process: "TidepoolServer") -> "TidepoolServer":
    """A server of the Tidepool API without users and data, by the machine's time. See `TidepoolServer`."""
    _tidepool_process.reset()
    return _tidepool_process
