"""A stage for each module, as it was prepared at the start of each test."""

from collections.abc import Iterator

import pytest

from tests.faults.preparation import prepare
from tests.faults.scene import Saved, Scene, scene


@pytest.fixture(scope="module")
def prepared() -> Iterator[tuple[Scene, Saved]]:
    """A stage, and its state before each test."""
    with scene() as stage:
        prepare(stage)
        yield stage, stage.save()


@pytest.fixture
def stage(prepared: tuple[Scene, Saved]) -> Scene:
    """A prepared stage."""
    scene, saved = prepared
    scene.restore(saved)
    return scene
