"""Documents for an export and an import over HTTP. Source: nightscout-api 18."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.nightscout import LIST_DOCUMENTS, RESTORE_DOCUMENTS
from chalicelib.nightscout.transfer.list import list_documents
from chalicelib.nightscout.transfer.restore import restore_documents

views = LateViews()


@views.operation(LIST_DOCUMENTS)
def list_stored(request: Request) -> Reply:
    """A page of documents, oldest first."""
    user_id, collection, ports = request.path["userId"], request.path["collection"], request.services.nightscout
    return Reply(list_documents(request.call, user_id, collection, request.query, ports).body)


@views.operation(RESTORE_DOCUMENTS)
def restore(request: Request) -> Reply:
    """The numbers of documents that were stored, and of those that were here."""
    user_id, collection, ports = request.path["userId"], request.path["collection"], request.services.nightscout
    return Reply(restore_documents(request.call, user_id, collection, request.json, ports).body)
