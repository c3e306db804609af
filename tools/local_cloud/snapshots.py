"""The state of the engine on disk: complete snapshots, of which `current` names the valid one.

    <data folder>/state/current -> 000017
    <data folder>/state/000017/dynamodb.json, lambda.json, ...

A snapshot is written beside the current one and replaces it in one step, so a process that is killed at any moment
leaves either the old one or the new one, never a mixture. ministack itself reads `state/current`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

CURRENT = "current"


def open_state(state: Path) -> Path:
    """The folder of the current snapshot; an empty one if there is none. Removes the remains of a killed save."""
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
    """The damaged files of the current snapshot, each with the reason."""
    current = state / CURRENT
    if not current.exists():
        if current.is_symlink():
            yield f"{CURRENT} names {current.readlink()}, which is not there"
        return
    for path in sorted(current.glob("*.json")):
        if not _is_json_object(path.read_bytes()):
            yield f"{CURRENT}/{path.name} is not what was saved"
    for path in sorted(current.glob("lambda-blobs/*.zip")):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            yield f"{CURRENT}/{path.parent.name}/{path.name} is not what was saved"


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def write_snapshot(state: Path, save: Callable[[Path], None]) -> None:
    """Call `save` with a copy of the current snapshot, and make that the current one.

    The copy shares its files with the current snapshot: `save` must replace them (`replace_file`), never write into
    them.

    Raises:
        OSError: nothing was changed.
    """
    current = (state / CURRENT).resolve()
    name = _name(int(current.name) + 1)
    draft = state / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(current, draft, copy_function=os.link)
    save(draft)
    draft.rename(state / name)
    _make_current(state, name)
    shutil.rmtree(current, ignore_errors=True)


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file whose content other snapshots may share."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def _name(number: int) -> str:
    return f"{number:06d}"


def _make_current(state: Path, name: str) -> None:
    draft = state / f"{CURRENT}.draft"
    with suppress(FileNotFoundError):
        draft.unlink()
    draft.symlink_to(name)
    draft.replace(state / CURRENT)
