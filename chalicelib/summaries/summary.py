"""Summaries as clients get them. Source: summary-api 1, 2 and 3."""

import hashlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from chalicelib.frozen import frozen
from chalicelib.glucose.hour_sum import HIGH_ABOVE, LOW_BELOW, VERY_HIGH_ABOVE, VERY_LOW_BELOW
from chalicelib.glucose.reading import CBG, SMBG
from chalicelib.model.times import format_time
from chalicelib.summaries.periods import continuous_periods, glucose_periods, rows_of
from chalicelib.summaries.window import Window

CGM, BGM, CON = "cgm", "bgm", "con"
SUMMARY_TYPES: Mapping[str, tuple[str, ...]] = {CGM: (CBG,), BGM: (SMBG,), CON: (CBG, SMBG)}
"""The types of summaries, and the types of data that each is made of."""
SCHEMA_VERSION = 6
"""The version of the summaries of the reference that these are equal to."""

_CONFIG = {
    "schemaVersion": SCHEMA_VERSION,
    "lowGlucoseThreshold": LOW_BELOW,
    "VeryLowGlucoseThreshold": VERY_LOW_BELOW,  # Clients know it by this spelling.
    "highGlucoseThreshold": HIGH_ABOVE,
    "veryHighGlucoseThreshold": VERY_HIGH_ABOVE,
}

_STORED_MS, _LAST_MS = attrgetter("stored_ms"), attrgetter("last_ms")


@frozen
class SummaryKey:
    """The key of a summary: its user and its type."""

    user_id: str
    type: str

    @property
    def id(self) -> str:
        """24 hexadecimal digits, the same each time."""
        return hashlib.sha256(f"{self.user_id}/{self.type}".encode()).hexdigest()[:24]


def summary_body(key: SummaryKey, window: Window, now_ms: int) -> dict[str, Any] | None:
    """The summary of a window; None if no record counts."""
    newest_hour = window.newest_continuous_hour if key.type == CON else window.newest_hour
    if newest_hour is None:
        return None
    rows = rows_of(window.days, newest_hour)
    sums = [of_row for of_row, _ in rows]
    if key.type == CON:
        first_ms = min(of_row.first_continuous_ms for of_row in sums if of_row.first_continuous_ms)
        periods = continuous_periods(rows, newest_hour)
    else:
        first_ms = sums[0].first_ms
        periods = glucose_periods(rows, newest_hour)
    return {
        "id": key.id,
        "type": key.type,
        "userId": key.user_id,
        "config": _CONFIG,
        "dates": {
            "lastUpdatedDate": format_time(now_ms),
            "lastUploadDate": format_time(max(map(_STORED_MS, sums))),
            "firstData": format_time(first_ms),
            "lastData": format_time(max(map(_LAST_MS, sums))),
        },
        "periods": periods,
    }
