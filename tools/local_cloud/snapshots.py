"""The state of the engine on disk: complete snapshots, of which `current` names the valid one.

    <data folder>/state/current -> 000017
    <data folder>/state/000017/dynamodb.json, lambda.json, ...

A snapshot is written beside the current one and replaces it in one step, so a process that is killed at any moment
leaves either the old one or the new one, never a mixture. Its files are on the disk before it counts. It lists its own
files, so a file that is missing is noticed. ministack itself reads `state/current`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

CURRENT = "current"
CONTENTS = "contents.list"
"""Names the files of a snapshot, each with its size in bytes; written last."""


def open_state(state: Path) -> Path:
    """The folder of the snapshot in use; an empty one if none was ever saved. Removes the remains of a killed save.

    Without the link, the latest complete snapshot is used. Call `damaged_files` first: nothing may be removed from a
    state without a snapshot that can be used.
    """
    state.mkdir(parents=True, exist_ok=True)
    current = snapshot_in_use(state)
    if current is None:
        current = state / _name(0)
        current.mkdir(exist_ok=True)
        _complete(current)
    if not _is_linked(state, current):
        _make_current(state, current.name)
    for folder in state.iterdir():
        if folder.name not in (CURRENT, current.name):
            shutil.rmtree(folder, ignore_errors=True)
    return current.resolve()


def snapshot_in_use(state: Path) -> Path | None:
    """The snapshot that `current` names or, if that is not there, the latest complete one; None if there is none."""
    link = state / CURRENT
    if link.is_symlink() and link.exists():
        return link.resolve()
    complete = [folder for folder in _snapshots(state) if (folder / CONTENTS).exists() and not any(_damage(folder))]
    return complete[-1] if complete else None


def damaged_files(state: Path) -> Iterator[str]:
    """The damage because of which a state cannot be used: a damaged file, or snapshots of which none is complete."""
    snapshot = snapshot_in_use(state)
    if snapshot is not None:
        for name, reason in _damage(snapshot):
            yield f"{snapshot.name}/{name} {reason}"
    elif (state / CURRENT).is_symlink():
        yield f"{CURRENT} names {(state / CURRENT).readlink()}, which is not there"
    elif any(any(folder.iterdir()) for folder in _snapshots(state)):
        yield f"{CURRENT} is not there, and no snapshot is complete"


def _snapshots(state: Path) -> list[Path]:
    """The folders of snapshots, oldest first."""
    return sorted(path for path in state.glob("[0-9]*") if path.name.isdecimal() and path.is_dir())


def _damage(snapshot: Path) -> Iterator[tuple[str, str]]:
    """The damaged files of a snapshot, each with the reason. One that an earlier version wrote has no list of files."""
    for name, size_bytes in _listed(snapshot).items():
        path = snapshot / name
        if not path.is_file():
            yield name, "is not there"
        elif path.stat().st_size != size_bytes:
            yield name, "is not what was saved"
    for path in sorted(snapshot.glob("*.json")):
        if not _is_json_object(path.read_bytes()):
            yield path.name, "is not what was saved"
    for path in sorted(snapshot.glob("lambda-blobs/*.zip")):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            yield f"{path.parent.name}/{path.name}", "is not what was saved"


def _listed(snapshot: Path) -> dict[str, int]:
    if not (snapshot / CONTENTS).exists():
        return {}
    lines = (line.rpartition(" ") for line in (snapshot / CONTENTS).read_text().splitlines())
    return {name: int(size_bytes) for name, _, size_bytes in lines if size_bytes.isdecimal()}


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
    current = snapshot_in_use(state)
    if current is None:
        current = open_state(state)
    name = _name(int(current.name) + 1)
    draft = state / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(current, draft, copy_function=os.link)
    save(draft)
    _complete(draft)
    shutil.rmtree(state / name, ignore_errors=True)
    draft.rename(state / name)
    _make_current(state, name)
    shutil.rmtree(current, ignore_errors=True)


def _complete(snapshot: Path) -> None:
    """List the files of a snapshot, and wait until all of it is on the disk."""
    files = sorted(path for path in snapshot.rglob("*") if path.is_file() and path.name != CONTENTS)
    lines = [f"{path.relative_to(snapshot)} {path.stat().st_size}\n" for path in files]
    replace_file(snapshot / CONTENTS, "".join(lines).encode())
    for path in (*files, snapshot / CONTENTS, *(path for path in snapshot.rglob("*") if path.is_dir()), snapshot):
        _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file, or the list of a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
    _sync(state)


def _is_linked(state: Path, snapshot: Path) -> bool:
    return (state / CURRENT).is_symlink() and (state / CURRENT).resolve() == snapshot.resolve()
