"""Treatments over HTTP, as Nightscout's v1 has them. Source: nightscout-api 6."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_etags import unchanged_reply
from chalicelib.api.nightscout_messages import deletion_reply, documents_in, documents_reply
from chalicelib.api.operations.nightscout import (
    DELETE_TREATMENT,
    DELETE_TREATMENTS,
    FIND_TREATMENTS,
    REPLACE_TREATMENT,
    STORE_TREATMENTS,
)
from chalicelib.nightscout import treatments as rules

views = LateViews()


@views.operation(FIND_TREATMENTS)
def find(request: Request) -> Reply:
    """The newest treatments that the query finds."""
    user_id, ports = user_id_of(request), request.services.nightscout
    if (known := unchanged_reply(request)) is not None:
        return known
    return documents_reply(request, rules.find_treatments(request.call, user_id, request.query, ports))


@views.operation(STORE_TREATMENTS)
def store(request: Request) -> Reply:
    """The treatments as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(rules.store_treatments(request.call, user_id, documents_in(request), ports))


@views.operation(REPLACE_TREATMENT)
def replace(request: Request) -> Reply:
    """The treatment as stored."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(rules.replace_treatment(request.call, user_id, documents_in(request), ports))


@views.operation(DELETE_TREATMENTS)
def delete(request: Request) -> Reply:
    """The number of treatments that were deleted."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return deletion_reply(rules.delete_treatments(request.call, user_id, request.query, ports))


@views.operation(DELETE_TREATMENT)
def delete_one(request: Request) -> Reply:
    """The number of treatments that were deleted."""
    user_id, ports, which = user_id_of(request), request.services.nightscout, request.path["id"]
    return deletion_reply(rules.delete_treatments(request.call, user_id, request.query, ports, which))
