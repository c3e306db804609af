"""Profiles of a stage: settings that belong together, and what a stage with them costs while nobody uses it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tools.packaging.template import Template
from tools.stages.conditions import existing, stateful_template
from tools.stages.idle_cost import Cost, idle_costs


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile: for whom it is, and its settings as they are given to `make deploy`."""

    description: str
    settings: Mapping[str, str]


PROFILES = {
    "personal": Profile(
        "a person or a family: events that apps send are answered and dropped, and there is no dashboard",
        {"METRICS": "off", "DASHBOARD": "off"},
    ),
    "clinic": Profile("everything: a stream that keeps events, and a dashboard", {"METRICS": "on", "DASHBOARD": "on"}),
}
SHARED_PARAMETERS = ("MetricsEnabled",)
"""The parameters of the application that decide on resources of the stateful stack, too."""


def costs_of_stage(template: Template, application: Mapping[str, str], stateful: Mapping[str, str]) -> list[Cost]:
    """The idle costs of a stage before it exists, from the application's template and the parameters of both stacks."""
    shared = {name: application[name] for name in SHARED_PARAMETERS if name in application}
    kept = existing(stateful_template(), {**stateful, **shared})
    deployed = existing(template, {"Stage": "a-stage", **application})
    kinds = Counter(resource["Type"] for resource in kept.values())
    return idle_costs(template, set(deployed), kinds, int(stateful.get("MetricsShards", 1)))
