"""Notes over HTTP, which the API calls messages. Source: message 1."""

from typing import Any

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.notes import (
    EDIT_NOTE,
    LIST_NOTES,
    LIST_NOTES_AND_REPLIES,
    READ_NOTE,
    READ_THREAD,
    REMOVE_NOTE,
    REPLY_TO_NOTE,
    SEND_NOTE,
)
from chalicelib.api.routing import ApiBlueprint
from chalicelib.notes import read, write

blueprint = ApiBlueprint(__name__)


@blueprint.operation(LIST_NOTES)
def list_notes(request: Request) -> Reply:
    """The notes about a user, without replies."""
    return _listed(read.list_notes(request.call, request.path["userId"], request.query, request.services.notes))


@blueprint.operation(LIST_NOTES_AND_REPLIES)
def list_notes_and_replies(request: Request) -> Reply:
    """The notes about a user, and the replies to them."""
    user_id, notes = request.path["userId"], request.services.notes
    return _listed(read.list_notes_and_replies(request.call, user_id, request.query, notes))


@blueprint.operation(READ_NOTE)
def read_note(request: Request) -> Reply:
    """One note or reply."""
    return Reply({"message": read.read_note(request.call, request.path["messageId"], request.services.notes)})


@blueprint.operation(READ_THREAD)
def read_thread(request: Request) -> Reply:
    """A note and the replies to it."""
    return _listed(read.read_thread(request.call, request.path["messageId"], request.services.notes))


@blueprint.operation(SEND_NOTE)
def send_note(request: Request) -> Reply:
    """The id of the new note."""
    return Reply({"id": write.send_note(request.call, request.path["userId"], request.json, request.services.notes)})


@blueprint.operation(REPLY_TO_NOTE)
def reply_to_note(request: Request) -> Reply:
    """The id of the reply."""
    message_id, notes = request.path["messageId"], request.services.notes
    return Reply({"id": write.reply_to_note(request.call, message_id, request.json, notes)})


@blueprint.operation(EDIT_NOTE)
def edit_note(request: Request) -> Reply:
    """An empty body."""
    write.edit_note(request.call, request.path["messageId"], request.json, request.services.notes)
    return Reply()


@blueprint.operation(REMOVE_NOTE)
def remove_note(request: Request) -> Reply:
    """An empty body."""
    write.remove_note(request.call, request.path["messageId"], request.services.notes)
    return Reply()


def _listed(messages: list[dict[str, Any]]) -> Reply:
    """A list of messages. An empty one has the status 404, as in the reference: clients take it for "none"."""
    return Reply({"messages": messages}, None if messages else 404)
