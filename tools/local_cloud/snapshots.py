"""The engine's state on disk: whole snapshots, of which `current` names the one that holds.

    <data folder>/state/current -> 000017
    <data folder>/state/000017/dynamodb.json, lambda.json, ...

A snapshot is written beside the current one and then takes its place in one step, so that a process killed at any
moment leaves either the old or the new one, never half of each. ministack itself reads `state/current`.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

CURRENT = "current"


def open_state(state: Path) -> Path:
    """The folder of the current snapshot; an empty first one when there is none. Leftovers of a killed save go."""
    state.mkdir(parents=True, exist_ok=True)
    if not (state / CURRENT).is_symlink():
        (state / _name(0)).mkdir(exist_ok=True)
        _make_current(state, _name(0))
    current = (state / CURRENT).resolve()
    for folder in state.iterdir():
        if folder.name != CURRENT and folder.resolve() != current:
            shutil.rmtree(folder, ignore_errors=True)
    return current


def damaged_files(state: Path) -> Iterator[str]:
    """The files of the current snapshot that are not whole, with the reason."""
    current = state / CURRENT
    if not current.exists():
        if current.is_symlink():
            yield f"{current.name} names {os.readlink(current)}, which is not there"
        return
    for path in sorted(current.glob("*.json")):
        try:
            whole = isinstance(json.loads(path.read_bytes()), dict)
        except ValueError:
            whole = False
        if not whole:
            yield f"{path.name} is not what was saved"


def write_snapshot(state: Path, services: Mapping[str, Callable[[], bytes | None]]) -> None:
    """Write what each service gives as `<service>.json` and make that the current snapshot.

    A service that gives None, or is not named, keeps the file it has.

    Raises:
        OSError: nothing was changed.
    """
    current = (state / CURRENT).resolve()
    name = _name(int(current.name) + 1)
    draft = state / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for service, content in services.items():
        encoded = content()
        if encoded is not None:
            (draft / f"{service}.json").write_bytes(encoded)
    for path in current.glob("*.json"):
        if not (draft / path.name).exists():
            os.link(path, draft / path.name)
    draft.rename(state / name)
    _make_current(state, name)
    shutil.rmtree(current, ignore_errors=True)


def _name(number: int) -> str:
    return f"{number:06d}"


def _make_current(state: Path, name: str) -> None:
    draft = state / f"{CURRENT}.draft"
    with suppress(FileNotFoundError):
        draft.unlink()
    draft.symlink_to(name)
    draft.replace(state / CURRENT)
