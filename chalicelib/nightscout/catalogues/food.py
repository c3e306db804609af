"""The catalogue of foods: what apps offer when a meal is entered. It derives no data. Source: nightscout-api 7."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.errors import NotFoundError
from chalicelib.nightscout.catalogues.plain_documents import delete_plain, replace_plain, store_plain
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.find import Comparison, Find, place
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Span, search
from chalicelib.nightscout.sent_documents import sent_documents

TIME = "created_at"
QUICK_PICKS = "quickpicks"
_OF_KIND = {
    "": (),
    "regular": (Comparison("type", "$eq", "food"),),
    QUICK_PICKS: (Comparison("type", "$eq", "quickpick"), Comparison("hidden", "$eq", "false")),
}
"""Endings of the path, and the conditions on the foods that each asks for."""


def store_foods(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store foods, and return them as stored, in the order sent. One with the `_id` of a stored one replaces it, and an
    equal one is the same one. Their time is that of storing.

    Raises:
        As `store_plain`.
    """
    foods = [{name: value for name, value in food.items() if name != TIME} for food in sent_documents(sent)]
    return store_plain(call, user_id, Collection.FOOD, foods, ports)


def replace_foods(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store foods in place of those with their `_id`s, and return them as stored, in the order sent.

    Raises:
        As `store_plain`.
    """
    return replace_plain(call, user_id, Collection.FOOD, sent, ports)


def list_foods(call: Call, user_id: str, kind: str, ports: NightscoutPorts) -> FoundDocuments:
    """All foods, the first stored one first; quick picks by their position, without hidden ones.

    Args:
        kind: what follows in the path: `regular`, `quickpicks`, or nothing.

    Raises:
        UnauthorizedError: the credential may not read.
        NotFoundError: there is no such kind.
        InvalidRequestError: there are more than a search may read.
    """
    call.require(user_id)
    if kind not in _OF_KIND:
        raise NotFoundError(kind)
    find = Find(_OF_KIND[kind])
    found = search(user_id, Collection.FOOD, find, Span(), ports).documents
    bodies = [document.body for document in sorted(found, key=lambda food: (food.time_ms, food.modified_ms))]
    if kind == QUICK_PICKS:
        bodies.sort(key=lambda body: place(body.get("position")))
    return FoundDocuments(bodies, newest_ms=None)


def delete_food(call: Call, user_id: str, food_id: str, ports: NightscoutPorts) -> None:
    """Delete the food with this `_id`; an unknown one is not an error.

    Raises:
        As `delete_plain`.
    """
    delete_plain(call, user_id, Collection.FOOD, food_id, ports)
