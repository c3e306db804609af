"""Stores of tiles, on each engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from chalicelib.engine.engine import Engine
from chalicelib.tiles.stores import items as tile_contents
from tests.stores.log.test_calls import Wire
from tests.stores.tiles.tile_scene import Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


@pytest.fixture
def wire(stores: Stores, stage: Settings) -> Iterator[Wire]:
    """The wire of the stores."""
    events = dynamodb.client(stage).meta.events
    wire = Wire(stage)
    handler: Any = wire  # botocore's stubs know of no handler that answers
    events.register("before-call.dynamodb", handler)
    yield wire
    events.unregister("before-call.dynamodb", handler)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Items that hold a hundred bytes."""
    monkeypatch.setattr(tile_contents, "PART_BYTES", 100)
    return 100
