"""The catalogue of foods: what apps offer when a meal is entered. It derives no data. Source: nightscout-api 7."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.errors import NotFoundError
from chalicelib.nightscout.catalogues.plain_documents import delete_plain, store_plain
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.find import Comparison, Find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Span, search

KINDS = {"": "", "regular": "food", "quickpicks": "quickpick"}
"""What follows in the path, and the type of food that it asks for."""


def store_foods(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store foods, and return them as stored, in the order sent. One with the `_id` of a stored one replaces it, and an
    equal one is the same one.

    Raises:
        As `store_plain`.
    """
    return store_plain(call, user_id, Collection.FOOD, sent, ports)


def list_foods(call: Call, user_id: str, kind: str, ports: NightscoutPorts) -> FoundDocuments:
    """All foods, those of one kind by their position.

    Args:
        kind: what follows in the path: `regular`, `quickpicks`, or nothing.

    Raises:
        UnauthorizedError: the credential may not read.
        NotFoundError: there is no such kind.
        InvalidRequestError: there are more than a search may read.
    """
    call.require(user_id)
    if kind not in KINDS:
        raise NotFoundError(kind)
    find = Find((Comparison("type", "$eq", KINDS[kind]),)) if KINDS[kind] else Find()
    bodies = [document.body for document in search(user_id, Collection.FOOD, find, Span(), ports).documents]
    return FoundDocuments(sorted(bodies, key=_position) if kind == "quickpicks" else bodies, newest_ms=None)


def delete_food(call: Call, user_id: str, food_id: str, ports: NightscoutPorts) -> None:
    """Delete the food with this `_id`; an unknown one is not an error.

    Raises:
        As `delete_plain`.
    """
    delete_plain(call, user_id, Collection.FOOD, food_id, ports)


def _position(body: dict[str, Any]) -> float:
    position = body.get("position")
    return position if isinstance(position, int | float) else 0
