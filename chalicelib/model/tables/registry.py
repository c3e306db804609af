"""The types of data, by name. Source: data-model 1 and 5.

The module of a type is imported when its first datum arrives, so a function that never reads pump settings never
builds their table.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from chalicelib.model.fields import Object

_MODULES = {
    "physicalActivity": "physical_activity",
    "alert": "device_status",
    "basal": "basal",
    "cbg": "glucose",
    "smbg": "glucose",
    "bloodKetone": "glucose",
    "bolus": "bolus",
    "wizard": "bolus",
    "deviceEvent": "device_event",
    "dosingDecision": "dosing_decision",
    "food": "food",
    "insulin": "food",
    "cgmSettings": "cgm_settings",
    "controllerSettings": "device_status",
    "pumpSettings": "pump_settings",
    "reportedState": "food",
    "controllerStatus": "device_status",
    "pumpStatus": "device_status",
    "water": "food",
}

TYPES = tuple(_MODULES)
"""The types that may be posted, in the order in which an error lists them."""

DISCRIMINATORS = {"basal": "deliveryType", "bolus": "subType", "deviceEvent": "subType"}
"""The field that picks the variant, by type; other types have no variants."""


@cache
def variants(type_name: str) -> dict[str, Object]:
    """The tables of a type by variant. A type without variants has one table, under the empty string."""
    module = import_module(f"chalicelib.model.tables.{_MODULES[type_name]}")
    table: Object | dict[str, Object] = getattr(module, _constant_name(type_name))
    return table if isinstance(table, dict) else {"": table}


def _constant_name(type_name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in type_name)
