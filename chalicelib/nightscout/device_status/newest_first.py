"""All device statuses of a user, newest first: those that apps stored, and those that are made of what a loop sent to
the Tidepool API.

A loop may upload to both APIs: a status that says what the loop decided is shown in place of the one that would be made
of a decision of the same second. Source: nightscout-api 14, 17.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS, SECOND_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.device_status.of_loop import DECISION, LOOP_TYPES, statuses_of_loop
from chalicelib.nightscout.document import second_of_id
from chalicelib.nightscout.ports import DeviceStatus, NightscoutPorts
from chalicelib.nightscout.search import MAX_DAYS
from chalicelib.reading.records_by_day import RecordsByDay
from chalicelib.tiles.tile import TileKey

MAX_DAYS_AT_ONCE = 4
"""A day of a loop's decisions is some hundred kilobytes."""

Times = tuple[int | None, int | None]


def stored_newest_first(
    call: Call, owner: OwnerState, times_ms: Times, ports: NightscoutPorts
) -> Iterator[DeviceStatus]:
    """The statuses that apps stored between two times, both included, newest first."""
    return ports.device_statuses.newest_first(owner, times_ms, call.now_ms)


def named_newest_first(call: Call, owner: OwnerState, name: str, ports: NightscoutPorts) -> Iterator[DeviceStatus]:
    """The statuses among which the one with this `_id` is, read as far as the iterator is asked. Those of the server
    begin with their second; one that a client chose is among those that apps stored."""
    second_ms = second_of_id(name) * SECOND_MS
    yield from newest_first(call, owner, (second_ms, second_ms + SECOND_MS - 1), ports)
    yield from stored_newest_first(call, owner, (None, None), ports)


def newest_first(call: Call, owner: OwnerState, times_ms: Times, ports: NightscoutPorts) -> Iterator[DeviceStatus]:
    """All statuses between two times, both included, newest first, read as far as the iterator is asked.

    Raises:
        InvalidRequestError: more days have to be read than a search may read.
        TileMissingError: a compaction replaced the manifest long ago: begin again.
    """
    stored = ((status, True) for status in stored_newest_first(call, owner, times_ms, ports))
    made = ((status, False) for status in _of_loop(owner, times_ms, ports))
    of_second: list[DeviceStatus] = []
    # Of one second, those that were stored come first.
    for status, is_stored in merge(stored, made, key=lambda pair: pair[0].time_ms // SECOND_MS, reverse=True):
        if of_second and of_second[0].time_ms // SECOND_MS != status.time_ms // SECOND_MS:
            of_second = []
        if is_stored:
            of_second.append(status)
        elif any("loop" in shown.body for shown in of_second):
            continue
        yield status


def _of_loop(owner: OwnerState, times_ms: Times, ports: NightscoutPorts) -> Iterator[DeviceStatus]:
    """The statuses that are made of a user's data. Nothing is read for a user who has no decisions of that time."""
    from_ms, to_ms = times_ms
    of_clients = owner.freshness.by_client().values()
    newest_ms = max((newest[DECISION].time_ms for newest in of_clients if DECISION in newest), default=None)
    if newest_ms is None or (from_ms is not None and newest_ms < from_ms):
        return
    records = RecordsByDay(ports.tiles.current(owner.id), LOOP_TYPES, ports.reading)
    days = records.days(None if from_ms is None else from_ms // DAY_MS, None if to_ms is None else to_ms // DAY_MS)
    days_read, at_once = 0, 1
    while batch := list(islice(days, at_once)):
        by_key = records.on_days(batch)
        for day in batch:
            for status in statuses_of_loop({name: by_key.get(TileKey(name, day), ()) for name in LOOP_TYPES}):
                if (from_ms is None or status.time_ms >= from_ms) and (to_ms is None or status.time_ms <= to_ms):
                    yield status
        days_read += len(batch)
        if days_read >= MAX_DAYS and next(days, None) is not None:
            raise InvalidRequestError("narrow the search by date")
        at_once = min(2 * at_once, MAX_DAYS_AT_ONCE)
