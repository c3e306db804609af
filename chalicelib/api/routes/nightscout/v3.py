"""The views of Nightscout's v3 over HTTP. Source: nightscout-api 9."""

from chalicelib.api import nightscout_v3_messages as messages
from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_messages import documents_in
from chalicelib.api.operations import nightscout_v3 as operations
from chalicelib.nightscout.v3.device_statuses import (
    create_status,
    delete_status,
    newest_status_ms,
    read_status,
    search_statuses,
    statuses_since,
)
from chalicelib.nightscout.v3.find import read_document
from chalicelib.nightscout.v3.query import parse_limit, parse_search
from chalicelib.nightscout.v3.search import changes_since, last_changes, search_documents
from chalicelib.nightscout.v3.site import site_permissions, site_version
from chalicelib.nightscout.v3.write import change_document, create_document, delete_document, replace_document

views = LateViews()


@views.operation(operations.GET_VERSION)
def get_version(request: Request) -> Reply:
    """The versions of the API and of the site."""
    return messages.result_reply(site_version(request.now_ms))


@views.operation(operations.GET_STATUS)
def get_status(request: Request) -> Reply:
    """The versions, and what the credential may do."""
    request.call.require(user_id_of(request))
    credential = request.caller.nightscout_credential
    return messages.result_reply({} if credential is None else site_permissions(request.now_ms, credential.scope))


@views.operation(operations.GET_LAST_MODIFIED)
def get_last_modified(request: Request) -> Reply:
    """The time at which each collection last changed."""
    user_id, ports = user_id_of(request), request.services.nightscout
    collections = last_changes(request.call, user_id, ports)
    if (status_ms := newest_status_ms(request.call, user_id, ports)) is not None:
        collections = {**collections, "devicestatus": status_ms}
    return messages.result_reply({"srvDate": request.now_ms, "collections": collections})


@views.operation(operations.SEARCH)
def search(request: Request) -> Reply:
    """The documents that the query finds."""
    user_id, ports, wanted = user_id_of(request), request.services.nightscout, parse_search(request.query)
    if messages.is_about_statuses(request):
        return messages.found_reply(request, search_statuses(request.call, user_id, wanted, ports))
    collection = messages.collection_of(request)
    return messages.found_reply(request, search_documents(request.call, user_id, collection, wanted, ports))


@views.operation(operations.READ)
def read(request: Request) -> Reply:
    """One document."""
    user_id, ports, identifier = user_id_of(request), request.services.nightscout, request.path["identifier"]
    if messages.is_about_statuses(request):
        return messages.status_reply(request, read_status(request.call, user_id, identifier, ports))
    collection = messages.collection_of(request)
    return messages.document_reply(request, read_document(request.call, user_id, collection, identifier, ports))


@views.operation(operations.GET_HISTORY)
def get_history(request: Request) -> Reply:
    """The documents that changed since the time in the path."""
    return _page(request, messages.since_of(request))


@views.operation(operations.GET_HISTORY_SINCE_HEADER)
def get_history_since_header(request: Request) -> Reply:
    """The documents that changed since the time in the header."""
    return _page(request, messages.since_of_header(request))


@views.operation(operations.CREATE)
def create(request: Request) -> Reply:
    """The identifier of the document, and whether there was one before."""
    ports = request.services.nightscout
    if messages.is_about_statuses(request):
        created = create_status(request.call, user_id_of(request), documents_in(request), ports)
        return messages.created_status_reply(created)
    target = messages.target_of(request)
    return messages.created_reply(create_document(request.call, target, documents_in(request), ports))


@views.operation(operations.REPLACE)
def replace(request: Request) -> Reply:
    """The time at which the document was modified."""
    target, ports = messages.target_of(request), request.services.nightscout
    return messages.replaced_reply(replace_document(request.call, target, documents_in(request), ports))


@views.operation(operations.CHANGE)
def change(request: Request) -> Reply:
    """That the document was changed."""
    target, ports = messages.target_of(request), request.services.nightscout
    return messages.changed_reply(change_document(request.call, target, documents_in(request), ports))


@views.operation(operations.DELETE)
def delete(request: Request) -> Reply:
    """That the document was deleted."""
    if messages.is_about_statuses(request):
        delete_status(request.call, user_id_of(request), request.path["identifier"], request.services.nightscout)
        return Reply({"status": 200})
    target, ports = messages.target_of(request), request.services.nightscout
    delete_document(request.call, target, ports, is_permanent=messages.is_permanent(request))
    return Reply({"status": 200})


def _page(request: Request, since_ms: int) -> Reply:
    page = since_ms, parse_limit(request.query)
    user_id, ports = user_id_of(request), request.services.nightscout
    if messages.is_about_statuses(request):
        return messages.changes_reply(request, statuses_since(request.call, user_id, page, ports))
    collection = messages.collection_of(request)
    return messages.changes_reply(request, changes_since(request.call, user_id, collection, page, ports))
