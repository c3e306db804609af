"""The gateway of the tests matches paths as Chalice's own does, which tries all routes."""

import pytest
from chalice.local import RouteMatcher

from app import app
from tests.fakes.gateway import GroupedRoutes

ROUTES = list(app.routes)
OURS, CHALICES = GroupedRoutes(ROUTES), RouteMatcher(ROUTES)


@pytest.mark.parametrize("ending", ["", "/", "//", "?a=1&a=&b", "/?a=1", ";a", "%2F", "#a"])
def test_each_route_is_matched_as_by_chalice(ending: str) -> None:
    assert len(ROUTES) > 100
    for route in ROUTES:
        path = route.replace("{", "of-").replace("}", "") + ending
        assert _matched(OURS, path) == _matched(CHALICES, path), path


@pytest.mark.parametrize(
    "path", ["", "/", "//", "/unknown", "/v1", "/v1/unknown/a/b", "v1/users", "/data/", "/{userId}"]
)
def test_other_paths_are_matched_as_by_chalice(path: str) -> None:
    assert _matched(OURS, path) == _matched(CHALICES, path)


def _matched(routes: RouteMatcher, path: str) -> tuple[str, dict[str, str], dict[str, list[str]]] | str:
    try:
        match = routes.match_route(path)
    except ValueError as error:
        return str(error)
    return match.route, match.captured, match.query_params
