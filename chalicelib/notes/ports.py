"""The ports of notes: the store of notes, and the profiles that name their authors.

All reads are strongly consistent. Any method may raise UnavailableError: a retry is safe.
"""

from typing import Protocol

from chalicelib.accounts.ports import Profiles
from chalicelib.frozen import frozen
from chalicelib.notes.note import Note, TimeRange


class Notes(Protocol):
    """Notes by id, by thread, and by owner and time."""

    def find(self, note_id: str) -> Note | None:
        """The note, or None."""
        ...

    def thread(self, note_id: str, limit: int) -> list[Note]:
        """A note and the replies to it, at most `limit` of them, in any order; empty if there is no such note."""
        ...

    def of_owner(self, owner_id: str, times: TimeRange, limit: int, *, with_replies: bool) -> list[Note]:
        """The notes about a user, newest first by the time that they are about, at most `limit` of them."""
        ...

    def add(self, note: Note) -> None:
        """Store a note; one with its id is left as it is.

        Raises:
            NoteNotFoundError: it is a reply, and there is no such note any more.
        """
        ...

    def replace(self, old: Note, new: Note) -> None:
        """Store `new` in place of `old`.

        Raises:
            WriteConflictError: the stored note is not `old` any more, by version.
        """
        ...

    def remove(self, note: Note) -> None:
        """Remove a note. Replies to it stay.

        Raises:
            WriteConflictError: the stored note is not this one any more, by version.
        """
        ...

    def remove_all(self, owner_id: str) -> None:
        """Remove all notes about a user."""
        ...


@frozen
class NotePorts:
    """The stores that notes are kept in and shown from."""

    notes: Notes
    profiles: Profiles
