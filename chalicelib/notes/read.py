"""Reading notes, with the names of their authors. Source: message 4.

Owner, servers, and holders of `view`, `note` or `custodian` read. A `view` of the last hours shows the notes about
these hours.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.access.call import Call
from chalicelib.accounts.profile import FULL_NAME, PROFILE
from chalicelib.errors import NoteNotFoundError, TooLargeError
from chalicelib.notes.bodies import parse_times
from chalicelib.notes.note import Note, TimeRange, message_object
from chalicelib.notes.ports import NotePorts

MAX_LISTED = 2_000
"""The most notes of one answer."""

Query = Mapping[str, Sequence[str]]
Message = dict[str, Any]


def list_notes(call: Call, owner_id: str, query: Query, ports: NotePorts) -> list[Message]:
    """The notes about a user, without replies, newest first.

    Raises:
        UnauthorizedError: the caller may not read them.
        InvalidFieldsError: the query has an invalid time.
        TooLargeError: there are more than `MAX_LISTED`.
    """
    times = parse_times(query).since(call.require_view(owner_id))
    return _listed(ports.notes.of_owner(owner_id, times, MAX_LISTED + 1, with_replies=False), ports)


def list_notes_and_replies(call: Call, owner_id: str, query: Query, ports: NotePorts) -> list[Message]:
    """The notes about a user and the replies to them, newest first.

    Raises:
        UnauthorizedError, InvalidFieldsError, TooLargeError: as `list_notes`.
    """
    times = parse_times(query).since(call.require_view(owner_id))
    return _listed(ports.notes.of_owner(owner_id, times, MAX_LISTED + 1, with_replies=True), ports)


def read_note(call: Call, note_id: str, ports: NotePorts) -> Message:
    """One note or reply.

    Raises:
        UnauthorizedError: the caller may not read it.
        NoteNotFoundError: there is no such note, or it is about hours that the caller does not see.
    """
    note, _ = _find_readable(call, note_id, ports)
    return _messages([note], ports)[0]


def read_thread(call: Call, note_id: str, ports: NotePorts) -> list[Message]:
    """A note and the replies to it, newest first.

    Raises:
        UnauthorizedError, NoteNotFoundError: as `read_note`.
        TooLargeError: there are more than `MAX_LISTED`.
    """
    _, times = _find_readable(call, note_id, ports)
    thread = [note for note in ports.notes.thread(note_id, MAX_LISTED + 1) if _is_in(note, times)]
    return _listed(sorted(thread, key=lambda note: note.time_ms, reverse=True), ports)


def find_or_refuse(note_id: str, ports: NotePorts) -> Note:
    """The note with this id.

    Raises:
        NoteNotFoundError: there is none.
    """
    note = ports.notes.find(note_id)
    if note is None:
        raise NoteNotFoundError(note_id)
    return note


def _find_readable(call: Call, note_id: str, ports: NotePorts) -> tuple[Note, TimeRange]:
    """A note that the caller may read, and the times that the caller sees."""
    note = find_or_refuse(note_id, ports)
    times = TimeRange().since(call.require_view(note.owner_id))
    if not _is_in(note, times):
        raise NoteNotFoundError(note_id)
    return note, times


def _is_in(note: Note, times: TimeRange) -> bool:
    return times.from_ms is None or note.time_ms >= times.from_ms


def _listed(notes: Sequence[Note], ports: NotePorts) -> list[Message]:
    if len(notes) > MAX_LISTED:
        detail = f"there are more than {MAX_LISTED} notes: ask for a shorter time, by starttime and endtime"
        raise TooLargeError(MAX_LISTED, detail)
    return _messages(notes, ports)


def _messages(notes: Sequence[Note], ports: NotePorts) -> list[Message]:
    names = _full_names((note.author_id for note in notes), ports)
    return [message_object(note, names.get(note.author_id)) for note in notes]


def _full_names(user_ids: Iterable[str], ports: NotePorts) -> dict[str, str]:
    """The names in the profiles of these users, as far as they have one."""
    profiles = ports.profiles.find_many(sorted(set(user_ids)), (PROFILE,))
    names = {user_id: collections.get(PROFILE, {}).get(FULL_NAME) for user_id, collections in profiles.items()}
    return {user_id: name for user_id, name in names.items() if isinstance(name, str)}
