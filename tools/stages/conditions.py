"""Evaluates the conditions of a template: the resources that it makes of some parameters."""

from collections.abc import Mapping
from typing import Any

import yaml

from tools.packaging.template import Template
from tools.project import STATEFUL_TEMPLATE


class _Loader(yaml.SafeLoader):
    """Reads the short form of CloudFormation's functions: `!Ref Stage` is `{"Ref": "Stage"}`."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            value = node.value.split(".", 1) if name == "GetAtt" else node.value
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)


def stateful_template() -> Template:
    """infra/stateful.yaml, its functions in their long form."""
    template: Template = yaml.load(STATEFUL_TEMPLATE.read_text(), _Loader)  # noqa: S506  a SafeLoader
    return template


def existing(template: Template, parameters: Mapping[str, str]) -> dict[str, Template]:
    """The resources that the template makes, by logical name; parameters that are not given have their defaults."""
    defaults = {name: str(declared.get("Default", "")) for name, declared in template["Parameters"].items()}
    values: dict[str, str] = {**defaults, **parameters}
    conditions = template.get("Conditions", {})

    def holds(condition: Any) -> bool:
        """Whether a condition holds, which is its name or its expression."""
        if isinstance(condition, str):
            return holds(conditions[condition])
        ((function, given),) = condition.items()
        match function:
            case "Condition":
                return holds(given)
            case "Fn::And":
                return all(map(holds, given))
            case "Fn::Not":
                return not holds(given[0])
            case "Fn::Equals":
                one, other = map(text, given)
                return one == other
        raise ValueError(f"{function} is not known in a condition")

    def text(value: Any) -> str:
        match value:
            case {"Ref": str(name)}:
                return values[name]
            case {"Fn::Join": [str(separator), inner]}:
                return str(separator).join(text(inner).split(","))
        return str(value)

    return {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or holds(resource["Condition"])
    }
