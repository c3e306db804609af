"""One scene for all tests, which restore it before each request."""

from collections.abc import Iterator

import pytest

from chalicelib import services as wiring
from tests.api.conftest import ApiClient
from tests.api.who_may.scene import Scene
from tests.fakes.services import FakeServices


@pytest.fixture(scope="session")
def scene_of_all() -> Iterator[Scene]:
    """The scene, which is expensive to set."""
    fakes = FakeServices()
    wiring.override(fakes.services)
    made = Scene(ApiClient(), fakes)
    yield made
    made.close()
    wiring.override(None)


@pytest.fixture
def scene(scene_of_all: Scene) -> Iterator[Scene]:
    """The scene as it was set."""
    wiring.override(scene_of_all.fakes.services)
    scene_of_all.restore()
    yield scene_of_all
    wiring.override(None)
