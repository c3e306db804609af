"""Keys of notes in the accounts table, built in this one place.

| item | pk | sk |
| --- | --- | --- |
| note | `NOTE#<note id>` | `NOTE` |
| reply, in the thread of its note | `NOTE#<id of the note replied to>` | `REPLY#<note id>` |
| note, in the list of the user whom it is about | `NOTES#<user id>` | `<time since the year 1, 15 digits>#<note id>` |

Each item is a whole note, so a note, a thread and a list are one read each.
"""

from chalicelib.engine.table import Key
from chalicelib.notes.note import FIRST_TIME_MS

NOTE_SK = "NOTE"


def thread_pk(note_id: str) -> str:
    """The partition of a note and the replies to it."""
    return f"NOTE#{note_id}"


def note_key(note_id: str) -> Key:
    """A note."""
    return {"pk": thread_pk(note_id), "sk": NOTE_SK}


def reply_key(parent_id: str, note_id: str) -> Key:
    """A reply, in the thread of its note."""
    return {"pk": thread_pk(parent_id), "sk": f"REPLY#{note_id}"}


def list_pk(owner_id: str) -> str:
    """The list of the notes about a user."""
    return f"NOTES#{owner_id}"


def list_key(owner_id: str, time_ms: int, note_id: str) -> Key:
    """A note, in the list of the user whom it is about."""
    return {"pk": list_pk(owner_id), "sk": f"{time_sk(time_ms)}#{note_id}"}


def time_sk(time_ms: int) -> str:
    """The lower bound of the notes about this time or a later one, in a list."""
    return f"{time_ms - FIRST_TIME_MS:015d}"
