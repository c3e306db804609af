"""Writing, changing and removing notes. Source: message 5.

Owner and holders of `note` write; the author changes; author or owner removes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.conflicts import retry_on_conflict
from chalicelib.errors import UnauthorizedError
from chalicelib.notes.bodies import parse_edit, parse_message
from chalicelib.notes.note import new_note
from chalicelib.notes.ports import NotePorts
from chalicelib.notes.read import find_or_refuse


def send_note(call: Call, owner_id: str, read_body: Callable[[], Any], ports: NotePorts) -> str:
    """Store a note about a user; returns its id. The same note sent again has the same id.

    Raises:
        UnauthorizedError: the caller may not write notes about this user.
        InvalidRequestError, InvalidFieldsError, MalformedJsonError, TooLargeError: see `parse_message`.
    """
    call.require(owner_id)
    note = new_note(owner_id, _author_id(call), parse_message(read_body()), call.now_ms, None)
    ports.notes.add(note)
    return note.id


def reply_to_note(call: Call, note_id: str, read_body: Callable[[], Any], ports: NotePorts) -> str:
    """Store a reply to a note; returns its id.

    Raises:
        NoteNotFoundError: there is no such note.
        UnauthorizedError, InvalidRequestError, InvalidFieldsError, MalformedJsonError, TooLargeError: as `send_note`.
    """
    parent = find_or_refuse(note_id, ports)
    call.require(parent.owner_id)
    reply = new_note(parent.owner_id, _author_id(call), parse_message(read_body()), call.now_ms, parent.id)
    ports.notes.add(reply)
    return reply.id


def edit_note(call: Call, note_id: str, read_body: Callable[[], Any], ports: NotePorts) -> None:
    """Change the text of a note, the time that it is about, or both.

    Raises:
        NoteNotFoundError: there is no such note.
        UnauthorizedError: the caller is not its author, or may not write notes any more.
        InvalidRequestError, InvalidFieldsError, MalformedJsonError, TooLargeError: see `parse_edit`.
    """

    def attempt() -> None:
        note = find_or_refuse(note_id, ports)
        call.require(note.owner_id)
        if _author_id(call) != note.author_id:
            raise UnauthorizedError
        edit = parse_edit(read_body())
        changed = replace(
            note,
            timestamp=note.timestamp if edit.timestamp is None else edit.timestamp,
            time_ms=note.time_ms if edit.time_ms is None else edit.time_ms,
            text=note.text if edit.text is None else edit.text,
            version=note.version + 1,
        )
        ports.notes.replace(note, changed)

    retry_on_conflict(attempt)


def remove_note(call: Call, note_id: str, ports: NotePorts) -> None:
    """Remove a note for good; replies to it stay.

    Raises:
        NoteNotFoundError: there is no such note.
        UnauthorizedError: the caller is neither its author nor the user whom it is about.
    """

    def attempt() -> None:
        note = find_or_refuse(note_id, ports)
        call.require(note.owner_id)
        if call.caller.user_id not in (note.author_id, note.owner_id):
            raise UnauthorizedError
        ports.notes.remove(note)

    retry_on_conflict(attempt)


def _author_id(call: Call) -> str:
    """The user who calls: a note is always somebody's."""
    if call.caller.user_id is None:
        raise UnauthorizedError
    return call.caller.user_id
