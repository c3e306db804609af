"""Imports blobs and device logs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.exporting import md5
from strandline.cli.folder import Json, content_path, read_lines, time_of
from strandline.cli.journal import Journal
from strandline.cli.progress import Progress
from strandline.cli.server import Server, pages

MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Larger contents go directly to the storage if the server offers it; Strandline accepts 4.5 MB in a request."""


def import_contents(
    server: Server, user_id: str, source: Path, kind: str, journal: Journal, counts: Counter[str]
) -> None:
    """Import the contents that are not imported yet, oldest first. `kind` is `blobs` or `device_logs`.

    Raises:
        CommandError: the server refuses a content, or a content does not have the MD5 that the export states.
    """
    items = list(read_lines(source / f"{kind}.jsonl"))
    path = f"/v1/users/{quote(user_id)}/{kind}"
    with Progress(kind, len(items)) as progress:
        for item in sorted(items, key=lambda item: time_of(item, "createdTime")):
            path_of_content = content_path(source, kind, item.get("id"))
            state = journal.state(kind, item["id"])
            if (state is None or state["step"] != "done") and path_of_content.is_file():
                content = path_of_content.read_bytes()
                if md5(content) != item["digestMD5"]:
                    raise CommandError(f"{path_of_content} does not have the MD5 that the export states.")
                # Begun but not confirmed: the server may have it.
                new_id = None if state is None else _find_equal(server, path, item, kind, journal)
                if new_id is None:
                    journal.record(kind, item["id"], step="begun")
                    new_id = _put(server, path, item, content)
                    counts[kind] += 1
                journal.record(kind, item["id"], step="done", newId=new_id)
            progress.advance()


def _put(server: Server, path: str, item: Json, content: bytes) -> str:
    headers = {"Content-Type": item["mediaType"], "Digest": f"MD5={item['digestMD5']}"}
    if "startAtTime" in item:
        headers |= {"X-Logs-Start-At-Time": item["startAtTime"], "X-Logs-End-At-Time": item["endAtTime"]}
    if len(content) <= MAX_REQUEST_BYTES:
        return str(_created(server, path, content, headers)["id"])
    try:
        return _put_directly(server, path, content, headers)
    except RefusedError as error:
        if not _is_direct_upload_unsupported(error):
            raise
        return str(_created(server, path, content, headers)["id"])


def _put_directly(server: Server, path: str, content: bytes, headers: dict[str, str]) -> str:
    opened = _created(server, f"{path}?upload=direct", b"", headers | {"X-Upload-Size": str(len(content))})
    if "upload" not in opened:
        raise CommandError(f"the server gave no address for uploading {len(content)} bytes to {path}.")
    upload = opened["upload"]
    server.send_to_signed_url(upload["method"], upload["url"], content, upload["headers"])
    return str(opened["id"])


def _is_direct_upload_unsupported(error: RefusedError) -> bool:
    """Whether a server refused the query parameter, or the empty content sent with it."""
    return error.status in (400, 405, 500)


def _created(server: Server, path: str, content: bytes, headers: dict[str, str]) -> Any:
    return json.loads(server.content("POST", path, content, headers))


def _find_equal(server: Server, path: str, item: Json, kind: str, journal: Journal) -> str | None:
    """The id of an equal content on the server that the journal does not know; None if there is none."""
    known = {state.get("newId") for state in journal.states(kind)}
    compared = ("digestMD5", "mediaType", "size", "startAtTime", "endAtTime")
    for other in pages(server, path):
        if other["id"] not in known and all(other.get(name) == item.get(name) for name in compared):
            return str(other["id"])
    return None
