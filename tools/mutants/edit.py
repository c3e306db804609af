"""An edit that makes a rule wrong, as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """A text of a source file, the text that replaces it, and the tests that notice.

    The old text occurs once in the file, so that one place changes.
    """

    area: str
    meaning: str
    """Behavior of the wrong version, in words."""
    file: str
    """The path below the root of the project."""
    old: str
    new: str
    tests: tuple[str, ...]
    """Paths of test files below the root, that which fails first in front."""

    def occurrences(self, root: Path) -> int:
        """The number of times that the old text occurs in the file below this root."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.old) if path.is_file() else 0

    def applied_to(self, source: str) -> str:
        """The source with the new text."""
        return source.replace(self.old, self.new)


def outdated(edits: Iterable[Edit], root: Path) -> list[str]:
    """A sentence for each edit whose old text does not occur exactly once in its file."""
    counted = [(edit, edit.occurrences(root)) for edit in edits]
    return [
        f"{edit.file}: the text of '{edit.meaning}' occurs {count} times instead of once: {edit.old!r}"
        for edit, count in counted
        if count != 1
    ]
