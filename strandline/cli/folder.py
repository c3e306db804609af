"""The folder of an export: its files, and the manifest that proves them complete. docs/export.md describes it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strandline.cli.errors import CommandError

FORMAT, VERSION = "strandline-export", 1
MANIFEST = "manifest.json"
ACCOUNT, GRANTS, DATA_SETS, DATA_SOURCES = "account.json", "grants.json", "data_sets.jsonl", "data_sources.json"
COLLECTIONS = ("profile", "settings", "preferences")
CONTENTS = ("blobs", "device_logs")
BLOCK_BYTES = 1024 * 1024

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
    except ValueError as error:
        raise CommandError(f"{folder / MANIFEST} is not JSON: {error}") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise CommandError(f"{folder} is not an export of Strandline.")
    if read["version"] > VERSION:
        raise CommandError(
            f"{folder} has version {read['version']}, but this command reads up to {VERSION}: install a newer one."
        )
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
    for name, expected in manifest.files.items():
        path = folder / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise CommandError(f"{folder / MANIFEST} names {name!r}, which is outside the export.")
        if not path.is_file():
            raise CommandError(f"{path} is missing.")
        if fingerprint(path) != expected:
            raise CommandError(f"{path} has changed since the export: its size or SHA-256 differs.")
    return manifest


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
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def write_lines(path: Path, values: list[Json]) -> None:
    """Write one line for each value."""
    path.write_bytes(b"".join(map(line_of, values)))


def read_lines(path: Path) -> Iterator[Json]:
    """The values of a file of lines; empty if the file does not exist."""
    if path.exists():
        with path.open("rb") as file:
            yield from map(json.loads, file)


def data_files(folder: Path) -> list[Path]:
    """The files with data, one for each type."""
    return sorted((folder / "data").glob("*.jsonl"))
