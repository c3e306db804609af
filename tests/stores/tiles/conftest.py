"""Stores of tiles, on the in-memory services and on DynamoDB."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from chalicelib.tiles.stores import items as tile_contents
from tests.stores.log.test_calls import Wire
from tests.stores.tiles.tile_scene import Stores, stores_of


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Empty stores."""
    return stores_of(request.param, request)


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
