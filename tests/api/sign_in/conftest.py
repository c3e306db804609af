"""A person with a password and an app that signs them in."""

import pytest

from tests.api.conftest import ApiClient
from tests.api.sign_in.oidc_scene import Scene
from tests.fakes.oidc_app import App
from tests.fakes.services import FakeServices


@pytest.fixture
def scene(api: ApiClient, fakes: FakeServices) -> Scene:
    return Scene(api, fakes)


@pytest.fixture
def app(scene: Scene) -> App:
    return scene.app()
