"""Finds device statuses. Source: nightscout-api 4, 7, 17."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from chalicelib.access.call import Call
from chalicelib.durations import DAY_MS
from chalicelib.errors import InvalidRequestError
from chalicelib.log.data_set import OwnerState
from chalicelib.nightscout.device_status.newest_first import (
    Times,
    named_newest_first,
    newest_first,
    stored_newest_first,
)
from chalicelib.nightscout.document import is_object_id, second_of_id
from chalicelib.nightscout.find import Fields, Find, parse_find
from chalicelib.nightscout.ports import DeviceStatus, NightscoutPorts
from chalicelib.nightscout.search import FoundDocuments, Query, span_of
from chalicelib.tiles.missing import retry_on_missing_tile

FIELDS = Fields(date="created_at")
DEFAULT_COUNT = 10
MAX_COUNT = 1_000
"""The statuses of one answer."""
MAX_READ = 5_000
"""The statuses after which a search has to be narrowed."""
MAX_ANSWER_BYTES = 5_000_000
"""An answer ends before the status with which it would be larger."""
MEMORY_MS = DAY_MS
"""Time that Nightscout keeps device statuses in memory, from where it answers with `mills`."""
ANY = "*"


def find_device_statuses(call: Call, user_id: str, query: Query, ports: NightscoutPorts) -> FoundDocuments:
    """The newest device statuses that a query finds, at most 1,000 and 5 MB.

    Raises:
        UnauthorizedError: the credential may not read.
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    call.require(user_id)
    owner = ports.data.data_sets.owner(user_id)
    find = parse_find(query, FIELDS)
    count = min(find.count or DEFAULT_COUNT, MAX_COUNT)
    ids = [value for value in find.values_of("_id", "$eq") if is_object_id(value)]

    def read(times_ms: Times) -> Iterator[DeviceStatus]:
        if not ids:
            return newest_first(call, owner, times_ms, ports)
        named = named_newest_first(call, owner, ids[0], ports)
        return islice((status for status in islice(named, MAX_READ) if status.id == ids[0]), 1)

    def attempt() -> FoundDocuments:
        shown: list[DeviceStatus] = []
        size_bytes = 0
        matching = _matching(call, query, read)
        sort = find.sort
        for status in matching if sort is None else sort.ordered(list(matching), lambda status: status.body):
            size_bytes += len(status.text)
            if size_bytes > MAX_ANSWER_BYTES:
                break
            shown.append(status)
            if len(shown) == count:
                break
        is_from_memory = not query.keys() - {"count"} and len(shown) == count and _are_in_memory(call, shown)
        return FoundDocuments([_body(status, has_mills=is_from_memory) for status in shown], newest_ms=None)

    return retry_on_missing_tile(attempt)


def _are_in_memory(call: Call, statuses: list[DeviceStatus]) -> bool:
    """Whether Nightscout has these device statuses in memory."""
    return all(status.time_ms >= call.now_ms - MEMORY_MS for status in statuses)


def _body(status: DeviceStatus, *, has_mills: bool) -> dict[str, Any]:
    return status.body | {"mills": status.time_ms} if has_mills else status.body


def stored_matching(call: Call, owner: OwnerState, query: Query, ports: NightscoutPorts) -> Iterator[DeviceStatus]:
    """All stored device statuses that a query finds, newest first, whatever its count. Without a condition on the date
    or the `_id`, those of the last days only.

    Raises:
        InvalidRequestError: the query is unreadable, or more has to be read than a search may read.
    """
    return _matching(call, query, lambda times_ms: stored_newest_first(call, owner, times_ms, ports))


def _matching(call: Call, query: Query, read: Callable[[Times], Iterator[DeviceStatus]]) -> Iterator[DeviceStatus]:
    find = replace(parse_find(query, FIELDS), count=None)
    span = span_of(call, find, FIELDS)
    return (status for status in _bounded(read((span.from_ms, span.to_ms))) if _matches(find, status))


def found_by_id(call: Call, owner: OwnerState, document_id: str, ports: NightscoutPorts) -> list[DeviceStatus]:
    """The stored device status with this `_id`. One of the server begins with its second; one that a client chose is
    looked for among the newest."""
    second_ms = second_of_id(document_id) * 1000
    of_second = stored_newest_first(call, owner, (second_ms, second_ms + 999), ports)
    found = [status for status in of_second if status.id == document_id]
    newest = islice(stored_newest_first(call, owner, (None, None), ports), MAX_READ)
    return found or [status for status in newest if status.id == document_id]


def _bounded(stored: Iterator[DeviceStatus]) -> Iterator[DeviceStatus]:
    for count, status in enumerate(stored):
        if count == MAX_READ:
            raise InvalidRequestError("narrow the search by date")
        yield status


def _matches(find: Find, status: DeviceStatus) -> bool:
    return not find.is_conditional or find.matches(status.body)
