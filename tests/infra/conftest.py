"""Fixtures: the two templates of a stage, as they are deployed."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

from chalicelib.config import Settings
from tools.packaging.application import LOCAL_STAGE, make_package
from tools.project import STATEFUL_TEMPLATE

Template = Mapping[str, Any]
SETTINGS = Settings(stage="a-stage", account_id="an-account", region="a-region")


@pytest.fixture(scope="session")
def stateful() -> Template:
    """infra/stateful.yaml, its functions in their long form."""
    template: Template = load(str(STATEFUL_TEMPLATE))
    return template


@pytest.fixture(scope="session")
def application() -> Template:
    """The packaged template with overlay and catch-alls."""
    return make_package(LOCAL_STAGE).template


def of_type(template: Template, kind: str) -> dict[str, Template]:
    """The properties of all resources of a type, by logical name; there is at least one."""
    found = {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource["Type"] == kind
    }
    assert found, kind
    return found


def strings(value: Any) -> Iterator[str]:
    """All strings of a part of a template, those inside of functions included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for element in value.values():
            yield from strings(element)
    elif isinstance(value, list):
        for element in value:
            yield from strings(element)


def physical(value: Any) -> str:
    """The one string of a part of a template, with the stage's values in it."""
    (text,) = strings(value)
    values = {"Stage": SETTINGS.stage, "AWS::AccountId": SETTINGS.account_id, "AWS::Region": SETTINGS.region}
    for parameter, replacement in values.items():
        text = text.replace(f"${{{parameter}}}", replacement)
    return text
