"""Putting blobs and device logs into an account."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from strandline_cli.errors import CommandError, RefusedError
from strandline_cli.exporting import md5
from strandline_cli.folder import Json, read_lines
from strandline_cli.journal import Journal
from strandline_cli.progress import Progress
from strandline_cli.server import Server

PLAIN_BYTES = 4 * 1024 * 1024
"""What is larger goes straight to the storage where a server offers that; Strandline takes 4.5 MB in a request."""
TOO_LARGE = 413
PAGE_SIZE = 1000


def import_contents(
    server: Server, user_id: str, source: Path, kind: str, journal: Journal, counts: Counter[str]
) -> None:
    """Put what is not there yet, oldest first. `kind` is `blobs` or `device_logs`.

    Raises:
        CommandError: the server refuses one, or a content has another MD5 than the export says.
    """
    every = list(read_lines(source / f"{kind}.jsonl"))
    path = f"/v1/users/{quote(user_id)}/{kind}"
    with Progress(kind, len(every)) as progress:
        for one in sorted(every, key=lambda one: str(one.get("createdTime", ""))):
            state = journal.state(kind, one["id"])
            content_path = source / kind / one["id"]
            if (state is None or state["step"] != "done") and content_path.is_file():
                content = content_path.read_bytes()
                if md5(content) != one["digestMD5"]:
                    raise CommandError(f"{content_path} has another MD5 than the export says.")
                # Begun and not confirmed: it may be there already.
                new_id = None if state is None else _found(server, path, one, kind, journal)
                if new_id is None:
                    journal.note(kind, one["id"], step="begun")
                    new_id = _put(server, path, one, content)
                    counts[kind] += 1
                journal.note(kind, one["id"], step="done", newId=new_id)
            progress.advance()


def _put(server: Server, path: str, one: Json, content: bytes) -> str:
    headers = {"Content-Type": one["mediaType"], "Digest": f"MD5={one['digestMD5']}"}
    if "startAtTime" in one:
        headers |= {"X-Logs-Start-At-Time": one["startAtTime"], "X-Logs-End-At-Time": one["endAtTime"]}
    if len(content) <= PLAIN_BYTES:
        return str(_created(server, path, content, headers)["id"])
    try:
        return _put_directly(server, path, content, headers)
    except RefusedError as error:
        if not _knows_no_direct_way(error):
            raise
        return str(_created(server, path, content, headers)["id"])


def _put_directly(server: Server, path: str, content: bytes, headers: dict[str, str]) -> str:
    opened = _created(server, f"{path}?upload=direct", b"", headers | {"X-Upload-Size": str(len(content))})
    if "upload" not in opened:
        raise CommandError(f"the server did not say where {path} of {len(content)} bytes go.")
    upload = opened["upload"]
    server.send_elsewhere(upload["method"], upload["url"], content, upload["headers"])
    return str(opened["id"])


def _knows_no_direct_way(error: RefusedError) -> bool:
    """Whether a server refused the query parameter, or the empty content that goes with it."""
    return error.status in (400, 405, 500)


def _created(server: Server, path: str, content: bytes, headers: dict[str, str]) -> Any:
    return json.loads(server.content("POST", path, content, headers))


def _found(server: Server, path: str, one: Json, kind: str, journal: Journal) -> str | None:
    """The id of what is like this one and none that the journal knows."""
    known = {state.get("newId") for state in journal.states(kind)}
    likeness = ("digestMD5", "mediaType", "size", "startAtTime", "endAtTime")
    for other in _listed(server, path):
        if other["id"] not in known and all(other.get(name) == one.get(name) for name in likeness):
            return str(other["id"])
    return None


def _listed(server: Server, path: str) -> Iterable[Json]:
    page = 0
    while found := server.json("GET", f"{path}?page={page}&size={PAGE_SIZE}"):
        yield from found
        page += 1
