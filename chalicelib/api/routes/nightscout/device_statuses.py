"""Device statuses over HTTP, as Nightscout's v1 has them. Source: nightscout-api 7."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_messages import deletion_reply, documents_in, documents_reply
from chalicelib.api.operations.nightscout import (
    DELETE_DEVICE_STATUS,
    DELETE_DEVICE_STATUSES,
    FIND_DEVICE_STATUSES,
    STORE_DEVICE_STATUSES,
)
from chalicelib.nightscout.device_status.change import delete_device_statuses, store_device_statuses
from chalicelib.nightscout.device_status.find import find_device_statuses

views = LateViews()


@views.operation(FIND_DEVICE_STATUSES)
def find(request: Request) -> Reply:
    """The newest device statuses that the query finds."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return documents_reply(request, find_device_statuses(request.call, user_id, request.query, ports))


@views.operation(STORE_DEVICE_STATUSES)
def store(request: Request) -> Reply:
    """The device statuses as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(store_device_statuses(request.call, user_id, documents_in(request), ports))


@views.operation(DELETE_DEVICE_STATUSES)
def delete(request: Request) -> Reply:
    """The number of device statuses that were deleted."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return deletion_reply(delete_device_statuses(request.call, user_id, request.query, ports))


@views.operation(DELETE_DEVICE_STATUS)
def delete_one(request: Request) -> Reply:
    """The number of device statuses that were deleted."""
    user_id, ports, which = user_id_of(request), request.services.nightscout, request.path["id"]
    return deletion_reply(delete_device_statuses(request.call, user_id, request.query, ports, which))
