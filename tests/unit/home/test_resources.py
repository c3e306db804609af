"""Tests which resource a path belongs to."""

from collections.abc import Mapping

import pytest

from app import app
from strandline.home.http.resources import UNKNOWN, Resources

RESOURCES = Resources(
    ["", "/v1/users/{userId}", "/v1/users/{userId}/data", "/v1/users/unused", "/v1/{kind}/unused/more"]
)


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/v1/users/a", "/v1/users/{userId}", {"userId": "a"}),
        ("/v1/users/a/", "/v1/users/{userId}", {"userId": "a"}),
        ("/v1/users/a%2Fb/data", "/v1/users/{userId}/data", {"userId": "a%2Fb"}),
        ("/v1/users/unused", "/v1/users/unused", {}),
        ("/v1/users/unused/data", "/v1/users/{userId}/data", {"userId": "unused"}),
        ("/v1/users/unused/more", "/v1/{kind}/unused/more", {"kind": "users"}),
        ("/", "", {}),
        ("/v1/users//data", UNKNOWN, {}),
        ("/v1/users", UNKNOWN, {}),
        ("/v1/users/a/data/b", UNKNOWN, {}),
        ("/V1/users/a", UNKNOWN, {}),
    ],
)
def test_a_path_belongs_to_the_most_exact_resource(path: str, resource: str, parameters: Mapping[str, str]) -> None:
    assert RESOURCES.find(path) == (resource, parameters)


def test_each_route_of_the_application_is_found() -> None:
    resources = Resources(app.routes)
    for route in app.routes:
        path = route.replace("{", "x-").replace("}", "")
        assert resources.find(path)[0] == route


def test_one_place_has_one_name() -> None:
    with pytest.raises(ValueError, match="two names: a and b"):
        Resources(["/x/{a}", "/x/{b}/y"])
