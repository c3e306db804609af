"""Device statuses in v3: created, found, read, deleted, and told since a time; they are never changed.
Source: nightscout-api 9.

A status counts as modified at its own time, by which it is stored, so it takes no part in the order of changes. Those
that are made of data of the Tidepool API are found and read; as all such documents, they are in no history.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.errors import InvalidRequestError, NotFoundError
from chalicelib.frozen import frozen
from chalicelib.nightscout.device_status.find import MAX_ANSWER_BYTES, MAX_READ
from chalicelib.nightscout.device_status.newest_first import (
    Times,
    named_newest_first,
    newest_first,
    stored_newest_first,
)
from chalicelib.nightscout.device_status.status import COLLECTION
from chalicelib.nightscout.document import MAX_BYTES, document_key, is_object_id, new_id
from chalicelib.nightscout.modification import SRV_MODIFIED
from chalicelib.nightscout.ports import DeviceStatus, NightscoutPorts
from chalicelib.nightscout.times import MAX_MS
from chalicelib.nightscout.v3.access import Right, require
from chalicelib.nightscout.v3.members import (
    IDENTIFIER,
    SRV_CREATED,
    SUBJECT,
    Body,
    completed,
    projected,
    sent_document,
)
from chalicelib.nightscout.v3.query import Search
from chalicelib.nightscout.v3.search import Changes, ordered
from chalicelib.tiles.missing import retry_on_missing_tile


@frozen
class CreatedStatus:
    """The identifier and time of a status that was stored, and whether it was there before."""

    identifier: str
    time_ms: int
    is_repeated: bool


def create_status(call: Call, user_id: str, sent: Any, ports: NightscoutPorts) -> CreatedStatus:
    """Store a status; one with its identifier and time is the same one, and is replaced.

    Args:
        sent: the JSON value of the body.

    Raises:
        MissingPermissionError: the credential may not upload.
        InvalidRequestError: the status is bad or too large.
    """
    require(call, user_id, COLLECTION, Right.CREATE)
    body = completed(sent_document(sent))
    time_ms, identifier = min(body["date"], MAX_MS), body[IDENTIFIER]
    credential = call.caller.nightscout_credential
    body |= {SRV_CREATED: call.now_ms, SRV_MODIFIED: time_ms, SUBJECT: "" if credential is None else credential.name}
    body["_id"] = new_id(time_ms, document_key(COLLECTION, IDENTIFIER, identifier))
    text = json_text.encode(body)
    if len(text) > MAX_BYTES:
        raise InvalidRequestError(f"a document may have at most {MAX_BYTES} bytes")
    owner = ports.data.data_sets.owner(user_id)
    same_time = ports.device_statuses.newest_first(owner, (time_ms, time_ms), call.now_ms)
    is_repeated = any(status.id == body["_id"] for status in same_time)
    ports.device_statuses.add(owner, [DeviceStatus(body["_id"], time_ms, "", text)], call.now_ms)
    return CreatedStatus(identifier, time_ms, is_repeated)


def search_statuses(call: Call, user_id: str, search: Search, ports: NightscoutPorts) -> list[Body]:
    """The statuses that a search finds, of the newest ones, as many as fit into an answer.

    Raises:
        MissingPermissionError: the credential may not read.
    """
    require(call, user_id, COLLECTION, Right.READ)
    owner = ports.data.data_sets.owner(user_id)
    end = search.skip + search.limit

    def attempt() -> list[Body]:
        statuses = islice(newest_first(call, owner, (search.span.from_ms, search.span.to_ms), ports), MAX_READ)
        matching = (body for body in map(_shown, statuses) if search.find.matches(body))
        is_by_time = search.is_descending and search.sort in ("", "date")
        found = list(islice(matching, end)) if is_by_time else ordered(list(matching), search)
        return [projected(body, search.fields) for body in _fitting(found[search.skip : end])]

    return retry_on_missing_tile(attempt)


def statuses_since(call: Call, user_id: str, page: tuple[int, int], ports: NightscoutPorts) -> Changes:
    """The statuses after a time, oldest first, of the newest ones.

    Args:
        page: the time after which to begin, and how many statuses at most.

    Raises:
        MissingPermissionError: the credential may not read.
    """
    require(call, user_id, COLLECTION, Right.READ)
    since_ms, limit = page
    later = list(_stored(call, user_id, (since_ms + 1, None), ports))
    bodies = list(_fitting(later[::-1][:limit]))
    return Changes(bodies, bodies[-1][SRV_MODIFIED] if bodies else None)


def read_status(call: Call, user_id: str, identifier: str, ports: NightscoutPorts) -> Body:
    """The status with this identifier or `_id`, of the newest ones.

    Raises:
        MissingPermissionError: the credential may not read.
        NotFoundError: there is none.
    """
    require(call, user_id, COLLECTION, Right.READ)
    owner = ports.data.data_sets.owner(user_id)

    def attempt() -> Body | None:
        if is_object_id(identifier):
            statuses = named_newest_first(call, owner, identifier, ports)
        else:
            statuses = newest_first(call, owner, (None, None), ports)
        for status in islice(statuses, MAX_READ):
            if identifier in (status.id, (body := _shown(status))[IDENTIFIER]):
                return body
        return None

    found = retry_on_missing_tile(attempt)
    if found is None:
        raise NotFoundError(identifier)
    return found


def delete_status(call: Call, user_id: str, identifier: str, ports: NightscoutPorts) -> None:
    """Delete the status with this identifier or `_id`, of the newest ones, for good.

    Raises:
        MissingPermissionError: the credential may not upload.
        NotFoundError: there is none.
        InvalidRequestError: it is made of data of the Tidepool API.
    """
    require(call, user_id, COLLECTION, Right.DELETE)
    owner = ports.data.data_sets.owner(user_id)
    for status in islice(stored_newest_first(call, owner, (None, None), ports), MAX_READ):
        if identifier in (status.id, _shown(status)[IDENTIFIER]):
            ports.device_statuses.remove(owner, [status])
            return
    read_status(call, user_id, identifier, ports)
    raise InvalidRequestError("Trying to modify read-only document")


def newest_status_ms(call: Call, user_id: str, ports: NightscoutPorts) -> int | None:
    """The time of the newest status; None without any.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    call.require(user_id)
    newest = next(_stored(call, user_id, (None, None), ports), None)
    return None if newest is None else int(newest["date"])


def _stored(call: Call, user_id: str, times_ms: Times, ports: NightscoutPorts) -> Iterator[Body]:
    owner = ports.data.data_sets.owner(user_id)
    return map(_shown, islice(stored_newest_first(call, owner, times_ms, ports), MAX_READ))


def _shown(status: DeviceStatus) -> Body:
    """A status as v3 shows it. One that v1 stored has its `_id` as identifier."""
    defaults = {IDENTIFIER: status.id, SRV_CREATED: status.time_ms}
    of_time = {"date": status.time_ms, SRV_MODIFIED: status.time_ms}
    return {name: value for name, value in {**defaults, **status.body, **of_time}.items() if name != "_id"}


def _fitting(bodies: Sequence[Body]) -> Iterator[Body]:
    """The first of these statuses, as many as fit into an answer."""
    size_bytes = 0
    for body in bodies:
        size_bytes += len(json_text.encode(body))
        if size_bytes > MAX_ANSWER_BYTES:
            return
        yield body
