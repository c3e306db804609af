"""The folder of an export: its files, and the manifest that proves them complete. docs/export.md describes it."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strandline.cli.errors import CommandError

FORMAT, VERSION = "strandline-export", 1
MANIFEST = "manifest.json"
ACCOUNT, GRANTS, DATA_SETS, DATA_SOURCES = "account.json", "grants.json", "data_sets.jsonl", "data_sources.json"
NOTES = "notes.jsonl"
COLLECTIONS = ("profile", "settings", "preferences")
CONTENTS = ("blobs", "device_logs")
BLOCK_BYTES = 1024 * 1024
FIRST_TIME = datetime(1, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of an export; `files` has the size and the SHA-256 of each file by its path."""

    version: int
    exported_time: str
    server: str
    user_id: str
    counts: dict[str, int]
    files: dict[str, Json]
    left_out: list[str]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, the last file of an export: a folder without one is not an export."""
    written = {
        "format": FORMAT,
        "version": manifest.version,
        "exportedTime": manifest.exported_time,
        "server": manifest.server,
        "userId": manifest.user_id,
        "counts": manifest.counts,
        "leftOut": manifest.left_out,
        "files": manifest.files,
    }
    write_json(folder / MANIFEST, written)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export; its files are not checked.

    Raises:
        CommandError: the folder is not an export, or has a later version.
    """
    try:
        read = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError as error:
        raise CommandError(f"{folder} is not an export: it has no {MANIFEST}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{folder / MANIFEST} is not JSON: {error}") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise CommandError(f"{folder} is not an export of Strandline.")
    found = read.get("version")
    if not isinstance(found, int) or found > VERSION:
        raise CommandError(f"{folder} has version {found!r}; this command reads up to {VERSION}: install a newer one.")
    members = {"exportedTime": str, "server": str, "userId": str, "counts": dict, "files": dict, "leftOut": list}
    if wrong := [name for name, kind in members.items() if not isinstance(read.get(name), kind)]:
        raise CommandError(f"{folder / MANIFEST} is damaged: {wrong[0]} is missing or of the wrong type.")
    return Manifest(
        read["version"],
        read["exportedTime"],
        read["server"],
        read["userId"],
        read["counts"],
        read["files"],
        read["leftOut"],
    )


def verified(folder: Path) -> Manifest:
    """The manifest of an export, after checking that every file is unchanged.

    Raises:
        CommandError: a file is missing or changed, or the folder is not an export.
    """
    manifest = read_manifest(folder)
    root = folder.resolve()
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(root):
            raise CommandError(f"{folder / MANIFEST} names {name!r}, which is outside the export.")
        if not path.is_file():
            raise CommandError(f"{path} is missing.")
        if fingerprint(path) != expected:
            raise CommandError(f"{path} has changed since the export: its size or SHA-256 differs.")
    return manifest


def content_path(folder: Path, kind: str, id_: Any) -> Path:
    """The path of a content, which is named by its id.

    Raises:
        CommandError: the id is not a name that is safe in any folder.
    """
    if not isinstance(id_, str) or re.fullmatch(r"[0-9a-zA-Z]{1,64}", id_) is None:
        raise CommandError(f"an id of {kind} is not allowed as a file name: {id_!r}")
    return folder / kind / id_


def fingerprint(path: Path) -> Json:
    """The size and the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def fingerprints(folder: Path) -> dict[str, Json]:
    """The fingerprints of all files in a folder, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): fingerprint(path) for path in files}


def line_of(value: Any) -> bytes:
    """A JSON value as one line, the same for equal values."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value, indented for people to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")


def read_json(path: Path) -> Any:
    """The JSON value of a file; None if the file does not exist."""
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else None
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}") from error


def write_lines(path: Path, values: list[Json]) -> None:
    """Write one line for each value."""
    path.write_bytes(b"".join(map(line_of, values)))


def time_of(item: Json, name: str) -> datetime:
    """The time that a member of an exported item states; the first of all times if it states none.

    The texts of times do not sort: servers trim the zeros of a fraction, so 10:00:00.1Z is before 10:00:00.12Z.
    """
    try:
        time = datetime.fromisoformat(str(item.get(name, "")))
    except ValueError:
        return FIRST_TIME
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read_lines(path: Path) -> Iterator[Json]:
    """The objects of a file of lines; empty if the file does not exist.

    Raises:
        CommandError: a line is not an object.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CommandError(f"{path}, line {number}, is not JSON: {error}") from error
            if not isinstance(value, dict):
                raise CommandError(f"{path}, line {number}, is not an object.")
            yield value


def data_files(folder: Path) -> list[Path]:
    """The files with data, one for each type."""
    return sorted((folder / "data").glob("*.jsonl"))
