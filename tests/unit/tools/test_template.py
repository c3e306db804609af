"""Every path and method of the API reaches the application."""

from typing import Any

from tools.packaging.template import ANY, EVERYTHING_ELSE, METHODS, with_catch_alls

INTEGRATION = {"type": "aws_proxy", "uri": "the function"}
ROUTE = {"x-amazon-apigateway-integration": INTEGRATION, "produces": ["application/json"]}


def _paths(*routes: str) -> dict[str, Any]:
    definition = {"swagger": "2.0", "paths": {route: {"get": ROUTE} for route in routes}}
    api = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "api", "DefinitionBody": definition}}
    template = with_catch_alls({"Transform": "x", "Resources": {"RestAPI": api, "Other": {}}})
    assert template["Transform"] == "x"
    assert template["Resources"]["Other"] == {}
    properties = template["Resources"]["RestAPI"]["Properties"]
    assert properties["StageName"] == "api"
    paths: dict[str, Any] = properties["DefinitionBody"]["paths"]
    return paths


def test_a_known_path_keeps_its_route_and_takes_any_other_method() -> None:
    known = _paths("/v1/time")["/v1/time"]
    assert known["get"] == ROUTE
    assert known[ANY]["x-amazon-apigateway-integration"] == INTEGRATION


def test_the_paths_above_a_known_one_take_any_method() -> None:
    paths = _paths("/v1/users/{user_id}/data")
    for above in ("/v1", "/v1/users", "/v1/users/{user_id}"):
        assert list(paths[above]) == [ANY]
    assert [parameter["name"] for parameter in paths["/v1/users/{user_id}"][ANY]["parameters"]] == ["user_id"]


def test_all_other_paths_and_the_root_take_each_method() -> None:
    paths = _paths("/v1/time")
    for path in ("/", EVERYTHING_ELSE):
        assert sorted(paths[path]) == sorted(METHODS)
    assert paths[EVERYTHING_ELSE]["put"]["parameters"][0]["name"] == "proxy"


def test_a_route_of_the_root_stays() -> None:
    assert _paths("/", "/v1")["/"]["get"] == ROUTE
