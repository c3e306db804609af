"""Scenes that are set once, of which each test gets a copy: setting one takes several requests and sign-ups, copying
what they stored takes a part of a millisecond."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from chalicelib import services as wiring
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

T = TypeVar("T")


def prepared(set_scene: Callable[[ApiClient, FakeServices], T], fakes: FakeServices) -> T:
    """Set a scene on the services of a test.

    Args:
        set_scene: sets it with requests and sign-ups on services of its own, the first time that a test asks.
        fakes: get a copy of what is stored then, with settings, time and ids; nothing that they store later is shared.

    Returns:
        What `set_scene` returned. All tests get the same, so it has to be immutable.
    """
    result: T
    scene, result = _set(set_scene)
    fakes.take_over(scene)
    wiring.override(fakes.services)
    return result


@cache
def _set(set_scene: Callable[[ApiClient, FakeServices], Any]) -> tuple[FakeServices, Any]:
    fakes = FakeServices()
    wiring.override(fakes.services)
    try:
        result = set_scene(ApiClient(), fakes)
    finally:
        wiring.override(None)
    return fakes, result
