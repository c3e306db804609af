"""Reads the freshness of a user's data, in one read however much data there is."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.log.freshness import NewestByType
from chalicelib.model.times import format_time
from chalicelib.reading.ports import ReadingPorts


def read_freshness(call: Call, owner_id: str, ports: ReadingPorts) -> dict[str, Any]:
    """The newest time of a record, and when the last one was stored, for each client and type, by name; and `changes`,
    a number that changes whenever the visible data may have changed.

    All records since the last erasure count, also those that were replaced or deleted. A caller who may view only the
    last hours gets the newest times in these hours, and nothing else.

    Raises:
        UnauthorizedError: the caller may not read this user's data.
    """
    from_ms = call.require_view(owner_id)
    owner = ports.data_sets.owner(owner_id)
    clients = [
        {"client": client, "types": types}
        for client, newest in owner.freshness.by_client().items()
        if (types := _types(newest, from_ms))
    ]
    change_count = {"changes": owner.change_count} if from_ms is None else {}
    return {"userId": owner_id, "clients": clients} | change_count


def _types(newest: NewestByType, from_ms: int | None) -> list[dict[str, str]]:
    if from_ms is not None:
        # The stored time is left out: it may be that of an older record.
        viewable = {name: times.time_ms for name, times in newest.items() if times.time_ms >= from_ms}
        return [{"type": name, "newestTime": format_time(time_ms)} for name, time_ms in viewable.items()]
    return [
        {
            "type": name,
            "newestTime": format_time(times.time_ms),
            "newestStoredTime": format_time(times.stored_time_ms),
        }
        for name, times in newest.items()
    ]
