"""Activity: heart rates and steps, as xDrip+ sends them. It derives no data. Source: nightscout-api 4, 7."""

from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.nightscout.catalogues.plain_documents import delete_plain, replace_plain, store_plain
from chalicelib.nightscout.document import Collection
from chalicelib.nightscout.find import MAX_COUNT, Fields, parse_find
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Query, find_documents

FIELDS = Fields(date="created_at")


def store_activities(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store activities, and return them as stored, in the order sent. One with the `_id` of a stored one replaces it,
    and an equal one is the same one.

    Raises:
        As `store_plain`.
    """
    return store_plain(call, user_id, Collection.ACTIVITY, sent, ports)


def replace_activities(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store activities in place of those with their `_id`s, and return them as stored, in the order sent.

    Raises:
        As `store_plain`.
    """
    return replace_plain(call, user_id, Collection.ACTIVITY, sent, ports)


def find_activities(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> FoundDocuments:
    """The newest activities that a query finds; without a condition on the date, those of the last days only.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    find = parse_find(query, FIELDS)
    find = replace(find, count=find.count or MAX_COUNT)
    return FoundDocuments.of_matches(find_documents(call, user_id, Collection.ACTIVITY, (find, FIELDS), ports))


def delete_activity(call: Call, user_id: str, activity_id: str, ports: NightscoutPorts) -> None:
    """Delete the activity with this `_id`; an unknown one is not an error.

    Raises:
        As `delete_plain`.
    """
    delete_plain(call, user_id, Collection.ACTIVITY, activity_id, ports)
