"""The operations on notes. Source: message 1."""

from chalicelib.access.policy import NOTE_READERS, NOTE_WRITERS
from chalicelib.api.operations.operation import ErrorFormat, Operation

NODE = ErrorFormat.NODE
LIMIT_BYTES = 64 * 1024
"""The limit of a body, which holds a text of at most 10 KB in any escaped form."""

LIST_NOTES = Operation(
    "notes.list",
    "GET",
    ("/message/notes/{userId}",),
    NOTE_READERS,
    NODE,
    summary="The notes about a user, newest first",
)
LIST_NOTES_AND_REPLIES = Operation(
    "notes.list_all",
    "GET",
    ("/message/all/{userId}",),
    NOTE_READERS,
    NODE,
    summary="The notes about a user and the replies to them, newest first",
)
READ_NOTE = Operation(
    "notes.read", "GET", ("/message/read/{messageId}",), NOTE_READERS, NODE, summary="One note or reply"
)
READ_THREAD = Operation(
    "notes.read_thread",
    "GET",
    ("/message/thread/{messageId}",),
    NOTE_READERS,
    NODE,
    summary="A note and the replies to it, newest first",
)
SEND_NOTE = Operation(
    "notes.send",
    "POST",
    ("/message/send/{userId}",),
    NOTE_WRITERS,
    NODE,
    201,
    summary="Write a note about a user",
    limit_bytes=LIMIT_BYTES,
)
REPLY_TO_NOTE = Operation(
    "notes.reply",
    "POST",
    ("/message/reply/{messageId}",),
    NOTE_WRITERS,
    NODE,
    201,
    summary="Reply to a note",
    limit_bytes=LIMIT_BYTES,
)
EDIT_NOTE = Operation(
    "notes.edit",
    "PUT",
    ("/message/edit/{messageId}",),
    NOTE_WRITERS,
    NODE,
    summary="Change the text or the time of a note of one's own",
    limit_bytes=LIMIT_BYTES,
)
REMOVE_NOTE = Operation(
    "notes.remove",
    "DELETE",
    ("/message/remove/{messageId}",),
    NOTE_WRITERS,
    NODE,
    202,
    summary="Remove a note of one's own, or one about oneself",
)

NOTE_OPERATIONS = (
    LIST_NOTES,
    LIST_NOTES_AND_REPLIES,
    READ_NOTE,
    READ_THREAD,
    SEND_NOTE,
    REPLY_TO_NOTE,
    EDIT_NOTE,
    REMOVE_NOTE,
)
