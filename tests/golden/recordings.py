"""Folders of recorded exchanges, a file for each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One file: earlier requests of its scenario, the request, and what the other platform answered."""

    name: str
    given: list[dict[str, Any]]
    request: dict[str, Any]
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recordings:
    """The exchanges in one folder."""

    folder: Path

    def exchange(self, name: str) -> Exchange:
        """The exchange of the file with this name, without its extension."""
        content = json.loads((self.folder / f"{name}.json").read_text())
        return Exchange(name, content["given"], content["request"], content["response"])

    @property
    def names(self) -> list[str]:
        """The names of all files."""
        return sorted(path.stem for path in self.folder.glob("*.json"))
