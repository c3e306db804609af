"""Profiles over HTTP, as Nightscout's v1 has them. Source: nightscout-api 7."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_etags import unchanged_reply
from chalicelib.api.nightscout_messages import documents_in, documents_reply
from chalicelib.api.operations.nightscout import (
    DELETE_PROFILE,
    FIND_PROFILES,
    GET_CURRENT_PROFILE,
    LIST_PROFILES,
    REPLACE_PROFILE,
    STORE_PROFILES,
)
from chalicelib.nightscout import profiles as rules

views = LateViews()


@views.operation(LIST_PROFILES)
def list_newest(request: Request) -> Reply:
    """The newest profiles."""
    user_id, ports = user_id_of(request), request.services.nightscout
    if (known := unchanged_reply(request)) is not None:
        return known
    return documents_reply(request, rules.list_profiles(request.call, user_id, request.query, ports))


@views.operation(GET_CURRENT_PROFILE)
def get_current(request: Request) -> Reply:
    """The profile that starts last, or null."""
    user_id, ports = user_id_of(request), request.services.nightscout
    current = rules.current_profile(request.call, user_id, ports)
    return Reply(b"null" if current is None else current)


@views.operation(FIND_PROFILES)
def find(request: Request) -> Reply:
    """The newest profiles that the query finds."""
    user_id, ports = user_id_of(request), request.services.nightscout
    if (known := unchanged_reply(request)) is not None:
        return known
    return documents_reply(request, rules.find_profiles(request.call, user_id, request.query, ports))


@views.operation(STORE_PROFILES)
def store(request: Request) -> Reply:
    """The profiles as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(rules.store_profiles(request.call, user_id, documents_in(request), ports))


@views.operation(REPLACE_PROFILE)
def replace(request: Request) -> Reply:
    """The profile as stored."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(rules.replace_profile(request.call, user_id, documents_in(request), ports))


@views.operation(DELETE_PROFILE)
def delete(request: Request) -> Reply:
    """An empty object, also for an unknown profile."""
    user_id, ports = user_id_of(request), request.services.nightscout
    rules.delete_profile(request.call, user_id, request.path["id"], ports)
    return Reply({})
