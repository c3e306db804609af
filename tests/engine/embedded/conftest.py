"""An embedded engine with a clock that tests turn, in memory and in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.engine.embedded.engine import EmbeddedEngine, embedded_engine
from chalicelib.engine.embedded.faults import Faults


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    ms: int = 1_800_000_000_000

    def __call__(self) -> int:
        """The time in milliseconds."""
        return self.ms

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        """Advance the clock."""
        self.ms += int((seconds + days * 24 * 3600) * 1000)


@pytest.fixture
def clock() -> Clock:
    """The engine's clock."""
    return Clock()


@pytest.fixture
def faults() -> Faults:
    """The faults that calls of the tables meet."""
    return Faults()


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """The folder in which the engine keeps everything; not there yet."""
    return tmp_path / "data"


@pytest.fixture(params=["memory", "folder"])
def embedded(
    request: pytest.FixtureRequest, clock: Clock, faults: Faults, data_folder: Path
) -> Iterator[EmbeddedEngine]:
    """An empty engine."""
    engine = embedded_engine(data_folder if request.param == "folder" else None, clock, faults=faults)
    yield engine
    engine.close()


@pytest.fixture
def on_disk(clock: Clock, data_folder: Path) -> Iterator[EmbeddedEngine]:
    """An empty engine of a folder."""
    engine = embedded_engine(data_folder, clock)
    yield engine
    engine.close()
