"""What is merged into the template that Chalice makes: several files of infra/, each about one thing, read as one.

A file may have the section `Anchors`, for what YAML lets it say once; it is left out. A dashboard's body is written as
YAML there and as text in the template, since text is what CloudWatch takes.
"""

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any

import yaml

from tools.packaging.template import Template
from tools.project import ROOT, ToolError

PARTS = ("infra/overlay.json", "infra/gateway.yaml", "infra/alarms.yaml", "infra/dashboard.yaml")
DASHBOARD = "AWS::CloudWatch::Dashboard"


def read_overlay() -> Template:
    """The overlay, whole.

    Raises:
        ToolError: two parts say different things of the same.
    """
    parts: list[Template] = []
    for name in PARTS:
        part = yaml.safe_load((ROOT / name).read_text())  # of which JSON is a part
        part.pop("Anchors", None)
        parts.append(part)
    overlay = reduce(merged, parts)
    resources = {name: _with_text_body(resource) for name, resource in overlay["Resources"].items()}
    return overlay | {"Resources": resources}


def merged(one: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Both, joined where both have a mapping.

    Raises:
        ToolError: they differ in anything else.
    """
    joined = dict(one)
    for name, value in other.items():
        present = joined.get(name, value)
        if isinstance(present, Mapping) and isinstance(value, Mapping):
            joined[name] = merged(present, value, f"{at}/{name}")
        elif present != value:
            raise ToolError(f"two files of infra/ differ in {at}/{name}.")
        else:
            joined[name] = value
    return joined


def _with_text_body(resource: Template) -> Template:
    if resource.get("Type") != DASHBOARD:
        return resource
    properties = resource["Properties"]
    body = json.dumps(properties["DashboardBody"]["Fn::Sub"], separators=(",", ":"))
    return resource | {"Properties": properties | {"DashboardBody": {"Fn::Sub": body}}}
