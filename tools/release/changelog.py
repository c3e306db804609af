"""The changelog, in the form of Keep a Changelog: sections by version, with the newest first."""

import re
from datetime import date

from tools.project import ToolError

UNRELEASED = "## [Unreleased]"
_VERSION = re.compile(r"(?m)^## \[(\d+\.\d+\.\d+)\]")


def versions_of(text: str) -> list[str]:
    """The released versions, newest first."""
    return _VERSION.findall(text)


def unreleased(text: str) -> str:
    """The text of what is not released yet; empty if there is none.

    Raises:
        ToolError: the changelog has no such section.
    """
    if UNRELEASED not in text.splitlines():
        raise ToolError(f"the changelog has no line {UNRELEASED}.")
    return _after(text, UNRELEASED)


def released(text: str, version: str, day: date) -> str:
    """The changelog with what was unreleased as a version of its own, under an empty section for what comes."""
    unreleased(text)
    return text.replace(UNRELEASED, f"{UNRELEASED}\n\n## [{version}] - {day.isoformat()}", 1)


def section_of(text: str, version: str) -> str:
    """The text of a version.

    Raises:
        ToolError: the changelog has no such version.
    """
    found = re.search(rf"(?m)^## \[{re.escape(version)}\].*$", text)
    if found is None:
        raise ToolError(f"the changelog has no version {version}.")
    return _after(text, found[0])


def _after(text: str, heading: str) -> str:
    """The text between a heading and the next one of its level."""
    rest = text.partition(f"{heading}\n")[2]
    return re.split(r"(?m)^## ", rest, maxsplit=1)[0].strip()
