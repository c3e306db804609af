"""The views of Nightscout's v3. Source: nightscout-api 9."""

from chalicelib.api import nightscout_v3_messages as messages
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_messages import documents_in
from chalicelib.nightscout.v3.find import read_document
from chalicelib.nightscout.v3.query import parse_limit, parse_search
from chalicelib.nightscout.v3.search import changes_since, last_changes, search_documents
from chalicelib.nightscout.v3.site import site_permissions, site_version
from chalicelib.nightscout.v3.write import change_document, create_document, delete_document, replace_document


def get_version(request: Request) -> Reply:
    """The versions of the API and of the site."""
    return messages.result_reply(site_version(request.now_ms))


def get_status(request: Request) -> Reply:
    """The versions, and what the credential may do."""
    request.call.require(user_id_of(request))
    credential = request.caller.nightscout_credential
    return messages.result_reply({} if credential is None else site_permissions(request.now_ms, credential.scope))


def get_last_modified(request: Request) -> Reply:
    """When each collection last changed."""
    collections = last_changes(request.call, user_id_of(request), request.services.nightscout)
    return messages.result_reply({"srvDate": request.now_ms, "collections": collections})


def search(request: Request) -> Reply:
    """The documents that the query finds."""
    collection, ports = messages.collection_of(request), request.services.nightscout
    wanted = parse_search(request.query)
    return messages.result_reply(search_documents(request.call, user_id_of(request), collection, wanted, ports))


def read(request: Request) -> Reply:
    """One document."""
    collection, identifier = messages.collection_of(request), request.path["identifier"]
    user_id, ports = user_id_of(request), request.services.nightscout
    return messages.document_reply(request, read_document(request.call, user_id, collection, identifier, ports))


def get_history(request: Request) -> Reply:
    """The documents that changed since the time in the path."""
    collection, ports = messages.collection_of(request), request.services.nightscout
    page = messages.since_of(request), parse_limit(request.query)
    return messages.changes_reply(request, changes_since(request.call, user_id_of(request), collection, page, ports))


def get_history_since_header(request: Request) -> Reply:
    """The documents that changed since the time in the header."""
    collection, ports = messages.collection_of(request), request.services.nightscout
    page = messages.since_of_header(request), parse_limit(request.query)
    return messages.changes_reply(request, changes_since(request.call, user_id_of(request), collection, page, ports))


def create(request: Request) -> Reply:
    """What names the document, and whether there was one before."""
    target, ports = messages.target_of(request), request.services.nightscout
    return messages.created_reply(create_document(request.call, target, documents_in(request), ports))


def replace(request: Request) -> Reply:
    """When the document was modified."""
    target, ports = messages.target_of(request), request.services.nightscout
    return messages.replaced_reply(replace_document(request.call, target, documents_in(request), ports))


def change(request: Request) -> Reply:
    """That the document was changed."""
    target, ports = messages.target_of(request), request.services.nightscout
    return messages.changed_reply(change_document(request.call, target, documents_in(request), ports))


def delete(request: Request) -> Reply:
    """That the document was deleted."""
    target, ports = messages.target_of(request), request.services.nightscout
    delete_document(request.call, target, ports, is_permanent=messages.is_permanent(request))
    return Reply({"status": 200})
