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
    conditions = _Conditions(template.get("Conditions", {}), {**defaults, **parameters})
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or conditions.holds(resource["Condition"])
    }


class _Conditions:
    """The conditions of a template, with the values of its parameters."""

    def __init__(self, conditions: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._conditions = conditions
        self._values = values

    def holds(self, condition: Any) -> bool:
        """Whether a condition holds, which is its name or its expression."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, given),) = condition.items()
        match function:
            case "Condition":
                return self.holds(given)
            case "Fn::And":
                return all(map(self.holds, given))
            case "Fn::Not":
                return not self.holds(given[0])
            case "Fn::Equals":
                left, right = map(self._text, given)
                return left == right
        raise ValueError(f"{function} is not known in a condition")

    def _text(self, value: Any) -> str:
        match value:
            case {"Ref": str(name)}:
                return self._values[name]
            case {"Fn::Join": [str(separator), inner]}:
                return str(separator).join(self._text(inner).split(","))
        return str(value)
