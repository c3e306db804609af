"""Food and activity over HTTP, as Nightscout's v1 has them. Source: nightscout-api 7."""

from chalicelib.api.late_views import LateViews
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.nightscout_messages import documents_in, documents_reply
from chalicelib.api.operations.nightscout import (
    DELETE_ACTIVITY,
    DELETE_FOOD,
    FIND_ACTIVITIES,
    LIST_FOODS,
    LIST_FOODS_OF,
    REPLACE_ACTIVITIES,
    REPLACE_FOODS,
    STORE_ACTIVITIES,
    STORE_FOODS,
)
from chalicelib.nightscout.catalogues.activity import (
    delete_activity,
    find_activities,
    replace_activities,
    store_activities,
)
from chalicelib.nightscout.catalogues.food import delete_food, list_foods, replace_foods, store_foods

views = LateViews()


@views.operation(LIST_FOODS)
def list_all_foods(request: Request) -> Reply:
    """All foods."""
    return documents_reply(request, list_foods(request.call, user_id_of(request), "", request.services.nightscout))


@views.operation(LIST_FOODS_OF)
def list_foods_of(request: Request) -> Reply:
    """The foods of a kind."""
    kind, ports = request.path["kind"], request.services.nightscout
    return documents_reply(request, list_foods(request.call, user_id_of(request), kind, ports))


@views.operation(STORE_FOODS)
def store_sent_foods(request: Request) -> Reply:
    """The foods as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(store_foods(request.call, user_id, documents_in(request), ports))


@views.operation(REPLACE_FOODS)
def replace_sent_foods(request: Request) -> Reply:
    """The foods as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(replace_foods(request.call, user_id, documents_in(request), ports))


@views.operation(DELETE_FOOD)
def delete_one_food(request: Request) -> Reply:
    """An empty object, also for an unknown food."""
    delete_food(request.call, user_id_of(request), request.path["id"], request.services.nightscout)
    return Reply({})


@views.operation(FIND_ACTIVITIES)
def find(request: Request) -> Reply:
    """The newest activities that the query finds."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return documents_reply(request, find_activities(request.call, user_id, request.query, ports))


@views.operation(STORE_ACTIVITIES)
def store_sent_activities(request: Request) -> Reply:
    """The activities as stored, in the order sent."""
    user_id, ports = user_id_of(request), request.services.nightscout
    return Reply(store_activities(request.call, user_id, documents_in(request), ports))


@views.operation(REPLACE_ACTIVITIES)
def replace_sent_activities(request: Request) -> Reply:
    """The activity as stored, or an array of them for an array."""
    sent, ports = documents_in(request), request.services.nightscout
    stored = replace_activities(request.call, user_id_of(request), sent, ports)
    return Reply(stored[0] if stored and isinstance(sent, dict) else stored)


@views.operation(DELETE_ACTIVITY)
def delete_one_activity(request: Request) -> Reply:
    """An empty object, also for an unknown activity."""
    delete_activity(request.call, user_id_of(request), request.path["id"], request.services.nightscout)
    return Reply({})
