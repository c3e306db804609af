"""The newest readings, as watch faces and widgets show them. Source: nightscout-api 8."""

import math
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.model.glucose import MG_DL_PER_MMOL_L
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.find import Comparison, Find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import DEFAULT_DAYS, Span, search

MAX_READINGS = 24
"""More readings than a sensor has in twenty minutes, one each minute."""


def newest_readings(call: Call, user_id: str, count: int, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """The newest sensor readings of the last days as entries, newest first; also those of a clock that is ahead."""
    return _readings(user_id, Span(from_ms=call.now_ms - DEFAULT_DAYS * DAY_MS), count, ports)


def current_readings(call: Call, user_id: str, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """The newest sensor readings up to now, from which the current value and its change follow; newest first."""
    span = Span(from_ms=call.now_ms - DEFAULT_DAYS * DAY_MS, to_ms=call.now_ms)
    return _readings(user_id, span, MAX_READINGS, ports)


def _readings(user_id: str, span: Span, count: int, ports: NightscoutPorts) -> list[dict[str, Any]]:
    find = Find((Comparison("type", "$eq", "sgv"), Comparison("sgv", "$gt", 0)), count=count)
    return [
        document.body | {"date": document.time_ms}
        for document in search(user_id, Collection.ENTRIES, find, span, ports).documents
    ]


def in_mmol_l(value_mg_dl: float) -> float:
    """A value in mmol/L with one decimal."""
    return math.floor(value_mg_dl / MG_DL_PER_MMOL_L * 10 + 0.5) / 10
