"""A person with a password and an app that signs them in."""

from dataclasses import replace

import pytest

from chalicelib import services as wiring
from tests.api.conftest import ApiClient
from tests.api.sign_in.oidc_scene import Scene
from tests.api.sign_in.web_app import OTHER_EMAIL, WEB_APP
from tests.fakes.oidc_app import App, Browser
from tests.fakes.services import FakeServices


@pytest.fixture
def scene(api: ApiClient, fakes: FakeServices) -> Scene:
    return Scene(api, fakes)


@pytest.fixture
def app(scene: Scene) -> App:
    return scene.app()


@pytest.fixture
def web_scene(scene: Scene) -> Scene:
    """The scene with a web app at an address of its own, and a second user with the same password."""
    scene.fakes.settings = replace(scene.fakes.settings, web_app_url=WEB_APP)
    wiring.override(scene.fakes.services)
    scene.fakes.accounts.create(replace(scene.account, user_id="aaaaaaaaaa", email=OTHER_EMAIL))
    return scene


@pytest.fixture
def browser(scene: Scene) -> Browser:
    """A browser."""
    return scene.browser()
