"""Reads recorded exchanges with the reference platform, and compares replies with their masks.

The records and what their placeholders stand for are described in `tests/data/golden/http/README.md`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.golden.recordings import Recordings

RECORDED = Recordings(Path(__file__).parent.parent / "data" / "golden" / "http")
GIVEN_IDS = {
    "setup": "<DATASET>",
    "setup-normal": "<DATASET>",
    "create-1": "<DATASET1>",
    "create-2": "<DATASET2>",
    "setup-continuous": "<CONTINUOUS>",
}
"""The placeholder of the data set that an earlier request of the scenario opened, by its name."""

MASK = re.compile(r"<([A-Z]+)[^>]*>")
SERVER_ID = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sorted_records(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records by time and type, as the files have them; twins by what does not come from the server."""

    def without_server_ids(record: dict[str, Any]) -> str:
        return json.dumps(
            {name: value for name, value in record.items() if name not in ("id", "bolus")}, sort_keys=True
        )

    return sorted(records, key=lambda record: (record["time"], record["type"], without_server_ids(record)))


@dataclass(slots=True)
class Masks:
    """The values of the placeholders so far; `times_ms` are those at which requests were sent."""

    bound: dict[str, str] = field(default_factory=dict)
    times_ms: list[int] = field(default_factory=list)

    def filled(self, text: str) -> str:
        """A text with its placeholders replaced. Tokens are as the test signs users in."""
        text = re.sub(r"<TOKEN:([^>]+)>", r"token-of-\1", text)
        for mask, value in self.bound.items():
            text = text.replace(mask, value)
        return text

    def differences(self, wanted: Any, got: Any, at: str = "") -> list[str]:
        """The differences between a reply and the record, as JSON pointers with both values."""
        if isinstance(wanted, Mapping) and isinstance(got, Mapping):
            members = sorted(wanted.keys() | got.keys())
            problems = [f"{at}/{name} is missing" for name in members if name not in got]
            problems += [f"{at}/{name} is there: {got[name]!r}" for name in members if name not in wanted]
            both = [name for name in members if name in wanted and name in got]
            return problems + [
                difference for name in both for difference in self.differences(wanted[name], got[name], f"{at}/{name}")
            ]
        if isinstance(wanted, list) and isinstance(got, list):
            if len(wanted) != len(got):
                return [f"{at} has {len(got)} elements, not {len(wanted)}: {got!r}"]
            pairs = enumerate(zip(wanted, got, strict=True))
            return [difference for index, (a, b) in pairs for difference in self.differences(a, b, f"{at}/{index}")]
        if isinstance(wanted, str) and isinstance(got, str) and MASK.fullmatch(wanted):
            return [] if self._stands_for(wanted, got) else [f"{at} is {got!r}, which is not {wanted}"]
        wanted = self.filled(wanted) if isinstance(wanted, str) else wanted
        same = wanted == got and isinstance(wanted, bool) == isinstance(got, bool)
        return [] if same else [f"{at} is {got!r}, not {wanted!r}"]

    def _stands_for(self, mask: str, value: str) -> bool:
        if mask == "<NOW>":
            return value in {_time(time_ms) for time_ms in self.times_ms}
        if mask == "<TEXT>":
            return value != ""
        if mask == "<UUID>":
            return UUID.fullmatch(value) is not None
        if mask not in self.bound:
            # The same placeholder is the same id, and another one is another.
            if SERVER_ID.fullmatch(value) is None or value in self.bound.values():
                return False
            self.bound[mask] = value
        return self.bound[mask] == value


def _time(time_ms: int) -> str:
    """As the platform writes times: milliseconds without trailing zeros."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    fraction = f".{time_ms % 1000:03}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
