"""Entries over HTTP, as Nightscout's v1 has them. Source: nightscout-api 3 and 5."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_etags import unchanged_reply, unmodified_reply, with_newest_time
from chalicelib.api.nightscout_messages import (
    deletion_reply,
    documents_in,
    entries_reply,
)
from chalicelib.api.operations.nightscout import (
    DELETE_ENTRIES,
    DELETE_ENTRIES_OF,
    FIND_ENTRIES,
    FIND_ENTRIES_OF,
    PREVIEW_ENTRIES,
    STORE_ENTRIES,
)
from chalicelib.nightscout.entries import delete_entries, find_entries, sent_entries, store_entries

views = LateViews()


@views.operation(FIND_ENTRIES)
def find(request: Request) -> Reply:
    """The newest entries that the query finds."""
    user_id, ports = user_id_of(request), request.services.nightscout
    if (known := unchanged_reply(request) or unmodified_reply(request)) is not None:
        return known
    found = find_entries(request.call, user_id, request.query, ports)
    return entries_reply(request, found if found.bodies else with_newest_time(request, found))


@views.operation(FIND_ENTRIES_OF)
def find_of(request: Request) -> Reply:
    """The newest entries of a type that the query finds, the current entry, or one by its id."""
    kind, ports = request.path["kind"], request.services.nightscout
    if (known := unchanged_reply(request)) is not None:
        return known
    return entries_reply(request, find_entries(request.call, user_id_of(request), request.query, ports, kind))


@views.operation(STORE_ENTRIES)
def store(request: Request) -> Reply:
    """The entries as stored, in the order sent."""
    ports = request.services.nightscout
    return Reply(store_entries(request.call, user_id_of(request), documents_in(request), ports))


@views.operation(PREVIEW_ENTRIES)
def preview(request: Request) -> Reply:
    """The entries as they would be stored, but for what is added. Nothing is stored."""
    request.call.require(user_id_of(request))
    return Reply(sent_entries(documents_in(request)))


@views.operation(DELETE_ENTRIES)
def delete(request: Request) -> Reply:
    """The number of entries that were deleted."""
    ports = request.services.nightscout
    return deletion_reply(delete_entries(request.call, user_id_of(request), request.query, ports))


@views.operation(DELETE_ENTRIES_OF)
def delete_of(request: Request) -> Reply:
    """The number of entries that were deleted."""
    kind, ports = request.path["kind"], request.services.nightscout
    return deletion_reply(delete_entries(request.call, user_id_of(request), request.query, ports, kind))
