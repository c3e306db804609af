"""Stores of tiles, on each engine."""

from collections.abc import Iterator

import pytest

from chalicelib.config import Settings
from chalicelib.engine.engine import Engine
from chalicelib.tiles.stores import items as tile_contents
from tests.engine.sent import hooked
from tests.stores.log.test_calls import Wire
from tests.stores.tiles.tile_scene import Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


@pytest.fixture
def wire(stores: Stores, stage: Settings) -> Iterator[Wire]:
    """The wire of the stores."""
    wire = Wire(stage)
    with hooked(wire):
        yield wire


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Items that hold a hundred bytes."""
    monkeypatch.setattr(tile_contents, "PART_BYTES", 100)
    return 100
