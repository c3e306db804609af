"""Reads recorded exchanges with Nightscout, and compares replies with their masks.

The records and what their placeholders stand for are described in `tests/data/golden/nightscout/README.md`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

from tests.golden.recordings import Recordings

RECORDED = Recordings(Path(__file__).parent.parent / "data" / "golden" / "nightscout")
PLACEHOLDER = re.compile(r"<[^<>]+>")
OBJECT_ID = re.compile("[0-9a-f]{24}")
TIME = re.compile(r"(NOW-MS|NOW-ISO|NOW-HTTP|NOW-S|MS|ISO|HTTP)([+-]?)(\d*)")
UNKNOWN_TOKEN = "unknown-0123456789abcdef"
MAX_DOCUMENTS = 100
"""More than any scenario stores."""
HEADERS = ("content-type", "last-modified")
"""The headers that are compared."""


@dataclass(slots=True)
class Masks:
    """The values of the placeholders."""

    start_ms: int
    credentials: Mapping[str, str]
    ids: list[str] = field(default_factory=list)

    def note_ids(self, reply: Any) -> None:
        """Number the ids that the server made, in the order of its replies."""
        for document in reply if isinstance(reply, list) else [reply]:
            made = document.get("_id") if isinstance(document, dict) else None
            if isinstance(made, str) and made not in self.ids and not made.startswith("aabbccddeeff"):
                self.ids.append(made)

    def filled(self, value: Any) -> Any:
        """A value with its placeholders replaced; one that is a number stands in a text of its own."""
        if isinstance(value, dict):
            return {name: self.filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.filled(element) for element in value]
        if not isinstance(value, str):
            return value
        if value.startswith(("<MS", "<NOW-MS", "<NOW-S")) and PLACEHOLDER.fullmatch(value):
            return int(self._value(value))
        return PLACEHOLDER.sub(lambda match: self._value(match[0]), value)

    def differences(self, wanted: Any, got: Any, at: str = "") -> Iterator[str]:
        """The differences between a reply and the record."""
        if isinstance(wanted, dict) and isinstance(got, dict):
            for name in sorted(wanted.keys() | got.keys()):
                if name not in got or name not in wanted:
                    yield f"{at}/{name} is {'missing' if name not in got else 'there'}"
                else:
                    yield from self.differences(wanted[name], got[name], f"{at}/{name}")
        elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
            for index, pair in enumerate(zip(wanted, got, strict=True)):
                yield from self.differences(*pair, f"{at}/{index}")
        elif isinstance(wanted, str) and wanted.startswith("<JWT"):
            if not isinstance(got, str) or got.count(".") != 2:
                yield f"{at} is not a JWT: {got!r}"
        elif isinstance(wanted, str) and wanted.startswith("<NOW-MS"):
            # The clock of the tests stands still, and each document has a `srvModified` of its own.
            if not isinstance(got, int) or not 0 <= got - self.start_ms < MAX_DOCUMENTS:
                yield f"{at} is {got!r}, not now"
        elif isinstance(wanted, str) and wanted.startswith("<ID") and self.filled(wanted) == wanted:
            if not isinstance(got, str) or not OBJECT_ID.fullmatch(got) or got in self.ids:
                yield f"{at} is not a new id: {got!r}"
        elif self.filled(wanted) != got or isinstance(wanted, bool) != isinstance(got, bool):
            yield f"{at} is {got!r}, not {self.filled(wanted)!r}"

    def _value(self, placeholder: str) -> str:
        name = placeholder.strip("<>")
        if placeholder in self.credentials:
            return self.credentials[placeholder]
        if name.startswith("ID:"):
            number = int(name.removeprefix("ID:"))
            return self.ids[number - 1] if number <= len(self.ids) else placeholder
        if name.startswith("TOKEN:"):
            part = name.removeprefix("TOKEN:").partition(", the part after the dash")
            return self.credentials[f"<TOKEN:{part[0]}>"].partition("-")[2] if part[1] else UNKNOWN_TOKEN
        match = TIME.fullmatch(name)
        if match is None:
            return placeholder
        kind, sign, seconds = match.groups()
        time_ms = self.start_ms + int(f"{sign}{seconds or 0}") * 1000
        match kind.removeprefix("NOW-"):
            case "MS":
                return str(time_ms)
            case "S":
                return str(time_ms // 1000)
            case "HTTP":
                return formatdate(time_ms // 1000, usegmt=True)
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
