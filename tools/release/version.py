"""The version: where it stands in the sources, and which may come next."""

import re
import subprocess
from pathlib import Path

from tools.project import ToolError
from tools.release.changelog import unreleased, versions_of

CHANGELOG = "CHANGELOG.md"
PLACES = {
    "pyproject.toml": r'(?m)^(version = ")([^"]+)(")$',
    "chalicelib/config.py": r'(?m)^(    version: str = ")([^"]+)(")$',
    "README.md": r"(?m)^(Version )(\d+\.\d+\.\d+)(\.)",
}
"""The files that name the version, each with the text before it, itself, and the text after it."""
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def current_version(root: Path) -> str:
    """The version of the sources.

    Raises:
        ToolError: the files name different versions, or one names none.
    """
    found = {name: _place_of(root, name)[2] for name in PLACES}
    if len(set(found.values())) != 1:
        raise ToolError(f"the sources name different versions: {found}")
    return found["pyproject.toml"]


def in_sources(version: str, root: Path) -> dict[str, str]:
    """The files that name the version, with another one."""
    changed = {}
    for name in PLACES:
        found = _place_of(root, name)
        text = found.string
        changed[name] = f"{text[: found.start(2)]}{version}{text[found.end(2) :]}"
    return changed


def check_version(version: str, root: Path) -> None:
    """Raise unless the version can be released from these sources.

    Raises:
        ToolError: it is not a version, exists already, or is not higher than the last one; the work tree has changes,
            or nothing was changed since the last one.
    """
    if not _VERSION.fullmatch(version):
        raise ToolError(f"{version!r} is not a version: three numbers with dots, such as 0.2.0.")
    if changes := git(root, "status", "--porcelain").splitlines():
        raise ToolError(f"the work tree has {len(changes)} changes: commit them first, then release.")
    changelog = (root / CHANGELOG).read_text(encoding="utf-8")
    if f"v{version}" in git(root, "tag", "--list").split() or version in versions_of(changelog):
        raise ToolError(f"version {version} exists already.")
    current = current_version(root)
    is_first = not versions_of(changelog) and version == current
    if not is_first and _numbers(version) <= _numbers(current):
        raise ToolError(f"version {version} is not higher than {current}.")
    if not unreleased(changelog):
        raise ToolError(f"{CHANGELOG} has nothing under Unreleased.")


def tag_text(version: str, section: str) -> str:
    """The text of the annotated tag: the version, then what changed."""
    plain = re.sub(r"(?m)^### (.+)$", r"\1:", section)  # git takes lines with # for comments
    return f"Strandline {version}\n\n{plain.strip()}\n"


def git(root: Path, *arguments: str) -> str:
    """The output of git.

    Raises:
        ToolError: git fails.
    """
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolError(f"git {arguments[0]} failed: {answer.stderr.strip()}")
    return answer.stdout


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _place_of(root: Path, name: str) -> re.Match[str]:
    found = re.search(PLACES[name], (root / name).read_text(encoding="utf-8"))
    if found is None:
        raise ToolError(f"{name} names no version.")
    return found
