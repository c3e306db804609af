"""Notes: read from a server for an export, sent to a server, and compared. docs/export.md describes it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import FIRST_TIME, NOTES, Json, line_of, read_lines, time_of
from strandline.cli.journal import Journal, open_private
from strandline.cli.progress import Progress
from strandline.cli.server import JsonReader

NOT_FOUND, TOO_LARGE, INVALID = 404, 413, 400
LAST_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SHORTEST = timedelta(seconds=1)
"""The shortest time that is asked for apart when a server has too many notes for one answer."""
CONTENT = ("guid", "timestamp", "messagetext")
"""The members of a note that a client sets."""


def read_notes(server: JsonReader, user_id: str) -> Iterator[Json]:
    """The notes about a user, and the replies to them.

    Raises:
        RefusedError: the server does not give them to this user.
        CommandError: the server replies with something else than notes.
    """
    return _notes_between(server, f"/message/all/{quote(user_id)}", None, None)


def _notes_between(server: JsonReader, path: str, start: datetime | None, end: datetime | None) -> Iterator[Json]:
    """The notes of a time, which is divided for as long as the server has too many notes for one answer."""
    bounds = {"starttime": start, "endtime": end}
    query = urlencode({name: time.isoformat() for name, time in bounds.items() if time is not None})
    try:
        answer = server.json("GET", f"{path}?{query}" if query else path)
    except RefusedError as error:
        if error.status == NOT_FOUND:  # there are none
            return
        first, last = start or FIRST_TIME, end or LAST_TIME
        if error.status != TOO_LARGE or last - first <= SHORTEST:
            raise
        middle = first + (last - first) / 2
        yield from _notes_between(server, path, start, middle)
        yield from _notes_between(server, path, middle, end)
        return
    messages = answer.get("messages") if isinstance(answer, dict) else None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise CommandError(f"GET {path} did not reply with messages: {str(answer)[:200]!r}")
    yield from messages


def import_notes(server: JsonReader, user_id: str, source: Path, journal: Journal, counts: Counter[str]) -> None:
    """Send the notes that were not sent yet: each after the note that it replies to, and otherwise the oldest first.

    Those that the server refuses by themselves are kept beside the journal with its error.

    Raises:
        RefusedError: the server takes no notes from this user.
    """
    notes = _in_sending_order(read_lines(source / NOTES))
    with Progress("notes", len(notes)) as progress:
        for note in notes:
            if journal.state("note", str(note["id"])) is None:
                _send(server, user_id, note, journal, counts)
            progress.advance()


def _in_sending_order(notes: Iterable[Json]) -> list[Json]:
    """The notes, the oldest first, but each after the note that it replies to.

    The times alone do not tell: clocks of two servers may have stamped a note and a reply to it.
    """
    oldest_first = sorted(notes, key=lambda note: time_of(note, "createdtime"))
    missing = {note["id"] for note in oldest_first}
    waiting: dict[Any, list[Json]] = {}
    ordered: list[Json] = []
    for note in oldest_first:
        if note.get("parentmessage") in missing:
            waiting.setdefault(note["parentmessage"], []).append(note)
            continue
        ready = [note]
        for next_note in ready:  # which grows by the replies that waited
            missing.discard(next_note["id"])
            ready += waiting.pop(next_note["id"], [])
        ordered += ready
    in_cycles = [note for replies in waiting.values() for note in replies]
    return ordered + in_cycles


def _send(server: JsonReader, user_id: str, note: Json, journal: Journal, counts: Counter[str]) -> None:
    parent = journal.state("note", str(note.get("parentmessage")))
    new_parent = None if parent is None else parent.get("newId")
    path = f"/message/send/{quote(user_id)}" if new_parent is None else f"/message/reply/{quote(str(new_parent))}"
    body = {"message": {name: note.get(name) for name in CONTENT}}
    try:
        created = server.json("POST", path, body)
    except RefusedError as error:
        if error.status not in (INVALID, TOO_LARGE):
            raise
        with open_private(journal.refused_path) as file:
            file.write(line_of({"errors": [error.body.decode(errors="replace")], "note": note}))
        journal.record("note", str(note["id"]), refused=1)
        return
    journal.record("note", str(note["id"]), newId=str(created["id"]))
    counts["notes"] += 1


def comparable_notes(folder: Path) -> Counter[str]:
    """Each note of an export as a text: what its author wrote, and what it replies to."""
    notes = list(read_lines(folder / NOTES))
    contents: dict[Any, Json] = {note.get("id"): {name: note.get(name) for name in CONTENT} for note in notes}
    return Counter(
        line_of(contents[note.get("id")] | {"replyTo": contents.get(note.get("parentmessage"))}).decode().strip()
        for note in notes
    )
