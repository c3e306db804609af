"""How fresh a user's data is: one read, however much data there is."""

from typing import Any

from chalicelib.access.call import Call
from chalicelib.log.freshness import NewestByType
from chalicelib.model.times import format_time
from chalicelib.reading.ports import ReadingPorts


def read_freshness(call: Call, owner_id: str, ports: ReadingPorts) -> dict[str, Any]:
    """For each client and type, by name, the newest time of a record and when the last one was stored; and `changes`,
    which is another number after whatever may change what is read.

    It tells what has come in since all data was erased last, also what was replaced or deleted after. Who may view the
    last hours learns the newest times that lie there and nothing else.

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
    counted = {"changes": owner.change_count} if from_ms is None else {}
    return {"userId": owner_id, "clients": clients} | counted


def _types(newest: NewestByType, from_ms: int | None) -> list[dict[str, str]]:
    if from_ms is not None:
        # Not when it was stored: that may have been a record from before.
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
