"""Reads the files of infra/ that are merged into the template of Chalice, and joins them into one overlay.

The section `Anchors` of a file holds YAML anchors and is left out of the overlay. The body of a dashboard is written as
YAML in the file and becomes text in the template, because CloudWatch takes text.
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
    """The complete overlay.

    Raises:
        ToolError: two files contradict each other.
    """
    parts: list[Template] = []
    for name in PARTS:
        part = yaml.safe_load((ROOT / name).read_text())  # YAML includes JSON
        part.pop("Anchors", None)
        parts.append(part)
    overlay = reduce(merged, parts)
    resources = {name: _with_text_body(resource) for name, resource in overlay["Resources"].items()}
    return overlay | {"Resources": resources}


def merged(base: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Merge two values; mappings are merged key by key.

    Raises:
        ToolError: they differ in a value that is not a mapping.
    """
    joined = dict(base)
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
