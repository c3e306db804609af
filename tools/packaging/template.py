"""Completes the template of Chalice: requests with any path and method reach the application, and functions run on the
architecture that their package was made for.

API Gateway replies to an unknown path or method itself, with a 403 in its own format. The application has to reply
(404, 405, preflights). So each known path and each of its parents takes ANY method, and `/` and `/{proxy+}` take the
rest. A merged overlay cannot express this.
"""

from typing import Any

Template = dict[str, Any]

ANY = "x-amazon-apigateway-any-method"
ARCHITECTURE = "Architecture"
X86_64 = "x86_64"
METHODS = ("delete", "get", "head", "options", "patch", "post", "put")
EVERYTHING_ELSE = "/{proxy+}"


def with_catch_alls(template: Template) -> Template:
    """The template whose REST API sends requests without a route to the same function."""
    api = template["Resources"]["RestAPI"]["Properties"]
    definition = api["DefinitionBody"]
    paths = {path: dict(methods) for path, methods in definition["paths"].items()}
    first_route = next(iter(next(iter(paths.values())).values()))
    integration = first_route["x-amazon-apigateway-integration"]
    for path in _with_ancestors(list(paths)):
        paths.setdefault(path, {})[ANY] = _method(path, integration)
    for path in ("/", EVERYTHING_ELSE):
        # All methods are listed, because ministack 1.5.33 ignores ANY in a definition and sends unknown methods here.
        paths[path] = {method: _method(path, integration) for method in METHODS} | paths.get(path, {})
    resources = template["Resources"] | {
        "RestAPI": template["Resources"]["RestAPI"]
        | {"Properties": api | {"DefinitionBody": definition | {"paths": dict(sorted(paths.items()))}}}
    }
    return template | {"Resources": resources}


def for_architecture(template: Template, architecture: str) -> Template:
    """The template of a package for an architecture, which allows no other one: the zip holds compiled modules.

    Chalice gives each function the architecture of its own.
    """
    parameters = template["Parameters"]
    only = parameters[ARCHITECTURE] | {"AllowedValues": [architecture], "Default": architecture}
    resources = {
        name: resource | {"Properties": resource["Properties"] | {"Architectures": [{"Ref": ARCHITECTURE}]}}
        if resource["Type"] == "AWS::Serverless::Function"
        else resource
        for name, resource in template["Resources"].items()
    }
    return template | {"Parameters": parameters | {ARCHITECTURE: only}, "Resources": resources}


def architecture_of(template: Template) -> str:
    """The architecture that the package of a template is for. Before there was a choice, it was x86_64."""
    name: str = template.get("Parameters", {}).get(ARCHITECTURE, {}).get("Default", X86_64)
    return name


def _with_ancestors(routes: list[str]) -> set[str]:
    """The known paths and the paths above them, which are resources of the API without a method of their own."""
    segmented = [route.strip("/").split("/") for route in routes if route != "/"]
    return {"/" + "/".join(parts[:length]) for parts in segmented for length in range(1, len(parts) + 1)}


def _method(path: str, integration: dict[str, Any]) -> dict[str, Any]:
    names = [segment.strip("{}+") for segment in path.split("/") if segment.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "type": "string"} for name in names]
    return {
        "responses": {"200": {"description": "what the application answers"}},
        **({"parameters": parameters} if parameters else {}),
        "x-amazon-apigateway-integration": integration,
    }
