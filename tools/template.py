"""What Chalice's template lacks and a merged overlay cannot say: every path and every method reaches the application.

API Gateway answers an unknown path or method itself, with a 403 of its own shape. The application wants to answer (404,
405, preflights), so each known path, each path above it, `/` and everything else gets a method ANY.
"""

from typing import Any

Template = dict[str, Any]

ANY = "x-amazon-apigateway-any-method"
EVERYTHING_ELSE = "/{proxy+}"


def with_catch_alls(template: Template) -> Template:
    """The template whose REST API sends what no route of its own takes to the same function."""
    api = template["Resources"]["RestAPI"]["Properties"]
    definition = api["DefinitionBody"]
    routes = definition["paths"]
    integration = _integration(routes)
    paths = {path: dict(routes.get(path, {})) for path in sorted(_with_ancestors(routes))}
    for path, methods in paths.items():
        methods[ANY] = _any_method(path, integration)
    resources = {
        **template["Resources"],
        "RestAPI": {
            **template["Resources"]["RestAPI"],
            "Properties": {**api, "DefinitionBody": {**definition, "paths": paths}},
        },
    }
    return {**template, "Resources": resources}


def _integration(routes: dict[str, Any]) -> dict[str, Any]:
    """The one integration that all routes have: the API function's."""
    first = next(iter(next(iter(routes.values())).values()))
    integration: dict[str, Any] = first["x-amazon-apigateway-integration"]
    return integration


def _with_ancestors(routes: dict[str, Any]) -> set[str]:
    """The known paths, the paths above them (resources of the API that have no method yet), `/` and the rest."""
    paths = {"/", EVERYTHING_ELSE}
    for route in routes:
        segments = route.strip("/").split("/")
        paths.update("/" + "/".join(segments[:length]) for length in range(1, len(segments) + 1))
    return paths


def _any_method(path: str, integration: dict[str, Any]) -> dict[str, Any]:
    names = [segment.strip("{}+") for segment in path.split("/") if segment.startswith("{")]
    return {
        "responses": {"200": {"description": "what the application answers"}},
        "parameters": [{"name": name, "in": "path", "required": True, "type": "string"} for name in names],
        "x-amazon-apigateway-integration": integration,
    }
