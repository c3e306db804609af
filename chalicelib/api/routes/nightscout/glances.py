"""Glances for watch faces and widgets over HTTP. Source: nightscout-api 8."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.operations.nightscout import GET_GLANCE, GET_PROPERTIES, GET_PROPERTIES_OF
from chalicelib.nightscout.glances.pebble import glance
from chalicelib.nightscout.glances.properties import properties

views = LateViews()


@views.operation(GET_GLANCE)
def get_glance(request: Request) -> Reply:
    """The newest readings for a watch face."""
    return Reply(glance(request.call, user_id_of(request), request.query, request.services.nightscout))


@views.operation(GET_PROPERTIES)
def get_properties(request: Request) -> Reply:
    """All properties."""
    return Reply(properties(request.call, user_id_of(request), "", request.services.nightscout))


@views.operation(GET_PROPERTIES_OF)
def get_properties_of(request: Request) -> Reply:
    """Some of the properties."""
    names, ports = request.path["names"], request.services.nightscout
    return Reply(properties(request.call, user_id_of(request), names, ports))
