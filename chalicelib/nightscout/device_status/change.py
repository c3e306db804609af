"""Stores and deletes device statuses. Source: nightscout-api 7, 17."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import HOUR_MS
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.device_status.find import ANY, found_by_id, stored_matching
from chalicelib.nightscout.device_status.status import sent_status
from chalicelib.nightscout.document import require_object_id
from chalicelib.nightscout.ports import DeviceStatus, NightscoutPorts
from chalicelib.nightscout.search import Query
from chalicelib.nightscout.sent_documents import sent_documents

SAME_WITHIN_MS = HOUR_MS
"""An equal status without a time and an `_id` is the same one within this time."""


def store_device_statuses(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> list[dict[str, Any]]:
    """Store device statuses, and return them as stored, in the order sent. An equal one is the same one: with a time at
    any age, without a time within an hour.

    Args:
        sent: the JSON value of the body.

    Raises:
        UnauthorizedError: the credential may not upload.
        InvalidRequestError: the body is neither an object nor an array of objects, or has an `_id` of another form.
        TooLargeError: a status is too large, or the user stored too many today. In all these cases nothing was stored.
    """
    call.require(user_id)
    statuses = [sent_status(status, call.now_ms) for status in sent_documents(sent)]
    if not statuses:
        return []
    owner = ports.data.data_sets.owner(user_id)
    known = _of_last_hour(call, owner, statuses, ports)
    placed = [known.get(status.content_key, status) for status in statuses]
    # Twins of one request are one status.
    new = {status.id: status for status in placed if status not in known.values()}
    ports.device_statuses.add(owner, [*new.values()], call.now_ms)
    return [status.body for status in placed]


def delete_device_statuses(call: Call, user_id: str, query: Query, ports: NightscoutPorts, which: str = "") -> int:
    """Delete the device statuses that a query finds, and return their number. Those that are made of data of another
    API stay, and do not count.

    Args:
        which: what follows in the path: an `_id`, `*` for all, or nothing.

    Raises:
        UnauthorizedError: the credential may not delete.
        InvalidIdError: `which` has another form.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    owner = ports.data.data_sets.owner(user_id)
    if which and which != ANY:
        require_object_id(which)
        statuses = found_by_id(call, owner, which, ports)
    else:
        statuses = list(stored_matching(call, owner, query, ports))
    ports.device_statuses.remove(owner, statuses)
    return len(statuses)


def _of_last_hour(
    call: Call, owner: OwnerState, statuses: list[DeviceStatus], ports: NightscoutPorts
) -> dict[str, DeviceStatus]:
    """The stored statuses with the content of these, by the digest of their content. Nothing is read for statuses with
    a time, whose `_id` follows from what they hold."""
    wanted = {status.content_key for status in statuses if status.content_key}
    if not wanted:
        return {}
    times_ms = (call.now_ms - SAME_WITHIN_MS, call.now_ms)
    stored = ports.device_statuses.newest_first(owner, times_ms, call.now_ms)
    return {status.content_key: status for status in stored if status.content_key in wanted}
