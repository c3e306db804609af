"""Exports an account into a folder, which appears only once it is complete."""

import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from strandline.cli import folder as files
from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, Manifest
from strandline.cli.nightscout.documents import export_documents
from strandline.cli.notes import read_notes
from strandline.cli.progress import Progress
from strandline.cli.server import Server, pages

FIRST_YEAR = 2010
"""Older data are read in one request; from this year on, one request reads a year."""
MAX_LINE_BYTES = 16 * 1024 * 1024
"""The longest line of a reply with records: a record has at most the size of a request."""
PART_SUFFIX = ".part"
PART_MARK = ".strandline-export-part"
EVERY_SOURCE = {"carelink": "true", "medtronic": "true", "cbgFilter": "false"}
"""Without these parameters, a server leaves out data that it considers copies (data API, source filters)."""
NOT_AVAILABLE = frozenset({401, 403, 404, 405, 501})
"""The statuses with which a server refuses what it does not have, or not for this user."""


@dataclass(slots=True)
class _Export:
    server: Server
    user_id: str
    folder: Path
    counts: Counter[str]
    left_out: list[str]


def export_account(server: Server, user_id: str, target: Path, now: datetime) -> Manifest:
    """Export an account. The folder is called `target` with `.part` until it is complete.

    The export is not a snapshot: it may or may not have changes that are made meanwhile.

    Raises:
        CommandError: the target exists, or the server refuses something that an export needs.
    """
    part = _new_part(target)
    export = _Export(server, user_id, part, Counter(), [])
    _export_account(export)
    _export_data_sets(export)
    _export_data(export, now)
    _export_documents(export)
    _export_notes(export)
    _export_contents(export, "blobs", "?status=available,created")
    _export_contents(export, "device_logs", "")
    (part / PART_MARK).unlink()
    manifest = Manifest(
        files.VERSION,
        now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        server.base_url,
        user_id,
        dict(sorted(export.counts.items())),
        files.fingerprints(part),
        export.left_out,
    )
    files.write_manifest(part, manifest)
    part.rename(target)
    return manifest


def _new_part(target: Path) -> Path:
    """An empty folder beside the target. Only its owner can read it, because it will contain health data."""
    if target.exists():
        raise CommandError(f"{target} exists: name a new folder, or remove this one.")
    part = target.with_name(target.name + PART_SUFFIX)
    if part.exists():
        if not (part / PART_MARK).exists():
            raise CommandError(f"{part} is in the way, and it was not left by an export.")
        shutil.rmtree(part)
    part.mkdir(mode=0o700, parents=True)
    (part / PART_MARK).touch()
    return part


def _export_account(export: _Export) -> None:
    user = _optional(export, f"/auth/user/{export.user_id}", "account")
    files.write_json(export.folder / files.ACCOUNT, user or {"userid": export.user_id})
    for name in files.COLLECTIONS:
        values = _optional(export, f"/metadata/{export.user_id}/{name}", name, absent=404)
        if values is not None:
            files.write_json(export.folder / "metadata" / f"{name}.json", values)
            export.counts[name] += 1
    given = _optional(export, f"/access/{export.user_id}", "grants")
    received = _optional(export, f"/access/groups/{export.user_id}", "grants")
    grants = {
        way: {user: permissions for user, permissions in (listed or {}).items() if user != export.user_id}
        for way, listed in (("given", given), ("received", received))
    }
    files.write_json(export.folder / files.GRANTS, grants)
    export.counts["grants"] = len(grants["given"]) + len(grants["received"])
    sources = _optional(export, f"/v1/users/{export.user_id}/data_sources", files.DATA_SOURCES) or []
    files.write_json(export.folder / files.DATA_SOURCES, sources)
    export.counts["data_sources"] = len(sources)


def _optional(export: _Export, path: str, what: str, absent: int | None = None) -> Any:
    """The value at a path; None if it is absent, or not available to this user, which is recorded in `left_out`."""
    try:
        return export.server.json("GET", path)
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        if error.status != absent and what not in export.left_out:
            export.left_out.append(what)
        return None


def _export_data_sets(export: _Export) -> None:
    """Write the data sets, including deleted ones, with the state that only the upload records show."""
    path = f"/v1/users/{export.user_id}/data_sets?deleted=true"
    uploads = _read_data(export, {"type": "upload"})
    closed = {upload["uploadId"] for upload in uploads if "closed" in (upload.get("_state"), upload.get("_dataState"))}
    data_sets = [data_set | {"_state": _state(data_set, closed)} for data_set in pages(export.server, path)]
    files.write_lines(export.folder / files.DATA_SETS, data_sets)
    export.counts["data_sets"] = len(data_sets)


def _state(data_set: Json, closed: set[str]) -> str:
    """The state of a data set. A normal one is listed only once it is closed, whatever state it shows."""
    is_open = data_set.get("dataSetType") == "continuous" and data_set["uploadId"] not in closed
    return "open" if is_open else "closed"


def _export_data(export: _Export, now: datetime) -> None:
    (export.folder / "data").mkdir()
    windows = _windows(now.year)
    opened: dict[str, BinaryIO] = {}
    with ExitStack() as stack, Progress("data", len(windows)) as progress:
        for window in windows:
            for record in _read_data(export, window):
                kind = str(record.get("type"))
                if kind == "upload":
                    continue
                if kind not in opened:
                    opened[kind] = stack.enter_context(_data_file(export.folder, kind).open("wb"))
                opened[kind].write(files.line_of(record))
                export.counts[f"data/{kind}"] += 1
            progress.advance()


def _data_file(folder: Path, kind: str) -> Path:
    if re.fullmatch(r"[A-Za-z]{1,50}", kind) is None:
        raise CommandError(f"a record has the type {kind!r}, which is not allowed as a file name.")
    return folder / "data" / f"{kind}.jsonl"


def _windows(last_year: int) -> list[dict[str, str]]:
    """Queries that cover all time: before the first year, each year, and the future, for wrong clocks."""
    years = range(FIRST_YEAR, last_year + 1)
    first = {"endDate": f"{FIRST_YEAR - 1}-12-31T23:59:59.999Z"}
    by_year = [{"startDate": f"{year}-01-01T00:00:00Z", "endDate": f"{year}-12-31T23:59:59.999Z"} for year in years]
    return [first, *by_year, {"startDate": f"{last_year + 1}-01-01T00:00:00Z"}]


def _read_data(export: _Export, query: dict[str, str]) -> Iterator[Json]:
    """The records that a query selects, streamed: the reply has one line for each (data API, format)."""
    path = f"/data/{export.user_id}?{urlencode(EVERY_SOURCE | query)}"
    with export.server.stream(path) as blocks:
        for line in _lines(blocks):
            text = line.strip().removesuffix(b",")
            if text in (b"", b"[", b"]", b"[]"):
                continue
            try:
                record = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise CommandError(f"GET {path} did not reply with one line for each record: {text[:200]!r}") from error
            if not isinstance(record, dict):
                raise CommandError(f"GET {path} replied with a line that is not a record: {text[:200]!r}")
            yield record


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise CommandError(f"the server sends a line of more than {MAX_LINE_BYTES} bytes.")
    yield rest


def _export_documents(export: _Export) -> None:
    try:
        export.counts.update(export_documents(export.server, export.user_id, export.folder))
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        export.left_out.append("Nightscout documents")


def _export_notes(export: _Export) -> None:
    try:
        notes = list(read_notes(export.server, export.user_id))
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        export.left_out.append("notes")
        return
    files.write_lines(export.folder / files.NOTES, notes)
    export.counts["notes"] = len(notes)


def _export_contents(export: _Export, kind: str, query: str) -> None:
    """Write blobs or device logs: the description of each as a line, and each content as a file named by its id."""
    try:
        listed = list(pages(export.server, f"/v1/users/{export.user_id}/{kind}{query}"))
    except RefusedError as error:
        if error.status not in NOT_AVAILABLE:
            raise
        export.left_out.append(kind)
        return
    files.write_lines(export.folder / f"{kind}.jsonl", listed)
    export.counts[kind] = len(listed)
    (export.folder / kind).mkdir()
    with Progress(kind, len(listed)) as progress:
        for item in listed:
            if item.get("status", "available") == "available":
                path = files.content_path(export.folder, kind, item.get("id"))
                content = export.server.content("GET", f"/v1/{kind}/{quote(path.name)}/content")
                if md5(content) != item.get("digestMD5"):
                    raise CommandError(
                        f"the content of {kind} {path.name} does not have the MD5 that the server states."
                    )
                path.write_bytes(content)
            progress.advance()


def md5(content: bytes) -> str:
    """The MD5 digest in Base64, as in the blob API."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
