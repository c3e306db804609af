"""The life of a data set: open, list, read, update, close, delete, erase. Source: data-api 6 and 7.

Each change is one conditional write of the data set and its counters, however many records it concerns. The fold
derives the visible records from it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib import json_text
from chalicelib.access.call import Call
from chalicelib.access.idempotency import derived_id
from chalicelib.access.policy import UPLOAD
from chalicelib.conflicts import retry_on_conflict
from chalicelib.data_sets.list_query import ListQuery
from chalicelib.errors import (
    DataSetClosedError,
    DataSetExistsError,
    DataSetNotFoundError,
    InvalidRequestError,
    TooLargeError,
    UnauthorizedError,
)
from chalicelib.log.data_set import NORMAL, DataSet, OwnerState, as_data_set
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.log.ports import DataPorts, DataSetStore
from chalicelib.log.truncation import truncated_at_close, with_truncations
from chalicelib.model.checks.bodies import check_data_set, check_data_set_update
from chalicelib.model.deduplicators import choose
from chalicelib.model.times import format_time

DESCRIPTION_BYTES = 128 * 1024
"""The largest description, as JSON: it is stored in one item. Texts in it have no limit of their own."""

_UPDATES_BY_CLOSING = 2
"""Closing a normal data set counts as two revisions: one for its state, one for its activity. Source: dedup 6."""


def create(
    call: Call, owner_id: str, read_body: Callable[[], Any], ports: DataPorts, idempotency_key: str | None = None
) -> dict[str, Any]:
    """Open a data set, and return it as the API shows it.

    Args:
        read_body: returns the JSON value of the body; called only for a caller who may open data sets.
        idempotency_key: marks repetitions of a request, which return the data set that the first one opened.

    Raises:
        UnauthorizedError: the caller may not upload for this user.
        MalformedJsonError, InvalidFieldsError: the body does not describe a data set.
        DataSetExistsError: another data set has the id that the client chose.
        TooLargeError: the description takes more than `DESCRIPTION_BYTES`.

    Source: data-api 7, POST; dedup 2.
    """
    call.require(owner_id)
    body = read_body()
    if idempotency_key is not None:
        call = replace(call, new_id=lambda: derived_id("data set", owner_id, idempotency_key))
    description = describe(call, body)

    def attempt() -> DataSet:
        data_set = opened(call, ports.data_sets.owner(owner_id), description)
        ports.data_sets.create(data_set)
        return data_set

    try:
        return as_data_set(retry_on_conflict(attempt))
    except DataSetExistsError:
        earlier = _opened_before(call, description["uploadId"], ports)
        if idempotency_key is None or earlier is None or not _is_repeated(description, earlier.description, body):
            raise
        return as_data_set(earlier)


def _opened_before(call: Call, data_set_id: str, ports: DataPorts) -> DataSet | None:
    """The data set that has this id; None if it is of another user, to whom the caller may not upload."""
    owner, _ = _find_or_refuse(data_set_id, ports)
    with suppress(UnauthorizedError):
        call.require(owner.id)
        return _by_id(data_set_id, with_truncations(ports.data_sets.of_owner(owner)))
    return None


def _is_repeated(description: Mapping[str, Any], earlier: Mapping[str, Any], body: Any) -> bool:
    """Whether the request with this body would make the earlier description; its time is the platform's unless sent."""
    ignored = frozenset() if isinstance(body, dict) and body.get("time") is not None else {"time"}
    names = (description.keys() | earlier.keys()) - ignored
    return all(description.get(name) == earlier.get(name) for name in names)


def describe(call: Call, body: Any) -> dict[str, Any]:
    """The description of a new data set from the body that asks for it.

    Raises:
        MalformedJsonError, InvalidFieldsError, TooLargeError: as `create`.
    """
    description = _complete_description(check_data_set(body), call, _creator(call, body))
    _require_small(description)
    return description


def opened(call: Call, owner: OwnerState, description: Mapping[str, Any], *, is_legacy: bool = False) -> DataSet:
    """A new data set with a description of `describe`."""
    return DataSet(
        id=description["uploadId"],
        owner_id=owner.id,
        epoch=owner.epoch,
        created_time_ms=call.now_ms,
        modified_time_ms=call.now_ms,
        description=description,
        is_legacy=is_legacy,
    )


def redescribed(call: Call, before: DataSet, members: Mapping[str, Any]) -> DataSet:
    """The data set with other members of its description; the same one if they are what they were.

    Raises:
        TooLargeError: as `create`.
    """
    description = {**before.description, **members}
    if description == before.description:
        return before
    _require_small(description)
    return replace(
        before,
        description=description,
        modified_time_ms=call.now_ms,
        revision=before.revision + 1,
        state_version=before.state_version + 1,
    )


def list_of_user(
    call: Call, owner_id: str, read_query: Callable[[], ListQuery], ports: DataPorts
) -> list[dict[str, Any]]:
    """One page of the active data sets of a user, newest first; empty if there are none.

    Args:
        read_query: returns the query; called only for a caller who may list data sets.

    Raises:
        UnauthorizedError: the caller may not list data sets of this user.
        InvalidFieldsError: the query is invalid.

    Source: data-api 6.
    """
    call.require(owner_id)
    query = read_query()
    data_sets = with_truncations(ports.data_sets.of_owner(ports.data_sets.owner(owner_id)))
    listed = [data_set for data_set in data_sets if query.selects(data_set)]
    return [as_data_set(data_set) for data_set in listed[query.first : query.first + query.size]]


def get(call: Call, data_set_id: str, ports: DataPorts) -> dict[str, Any]:
    """A data set in any state, for its owner and servers.

    Raises:
        DataSetNotFoundError, UnauthorizedError: in this order.

    Source: data-api 7, GET by id.
    """
    owner, _ = _find_or_refuse(data_set_id, ports)
    call.require(owner.id)
    return as_data_set(_by_id(data_set_id, with_truncations(ports.data_sets.of_owner(owner))))


def update(
    call: Call, data_set_id: str, read_body: Callable[[], Any], ports: DataPorts, idempotency_key: str | None = None
) -> dict[str, Any]:
    """Close a data set, or (for servers) change some fields of a continuous one, and return it.

    A request with an idempotency key that closes a closed data set repeats another, and returns the data set.

    A normal data set closes whatever the body says. The owner and holders of `upload` close a continuous one with a
    body that asks for nothing else; servers may also change other fields.

    Raises:
        DataSetNotFoundError, UnauthorizedError, DataSetClosedError: in this order.
        InvalidFieldsError, TooLargeError: a server's body is invalid.

    Source: data-api 7, PUT.
    """

    def attempt() -> DataSet:
        owner, _ = _find_or_refuse(data_set_id, ports)
        call.require(owner.id)
        data_sets = ports.data_sets.of_owner(owner)
        before = _by_id(data_set_id, data_sets)
        if before.is_closed:
            if idempotency_key is not None and (not before.is_continuous or _asks_to_close(read_body)):
                return _by_id(data_set_id, with_truncations(data_sets))
            raise DataSetClosedError(data_set_id)
        after, closes = _apply_update(call, before, read_body)
        if closes:
            after = _close(after, owner, data_sets, call.now_ms, ports.data_sets)
        ports.data_sets.replace(before, after)
        changed = [after if data_set.id == data_set_id else data_set for data_set in data_sets]
        return _by_id(data_set_id, with_truncations(changed))

    return as_data_set(retry_on_conflict(attempt))


def delete(call: Call, data_set_id: str, ports: DataPorts) -> None:
    """Delete a data set and all data that it holds now. Deleting it again is not an error.

    The data set stays readable by its id, and a deleted one that is still open takes data.

    Raises:
        DataSetNotFoundError, UnauthorizedError: in this order.

    Source: data-api 7, DELETE.
    """

    def attempt() -> None:
        owner, last_number = _find_or_refuse(data_set_id, ports)
        data_sets = ports.data_sets.of_owner(owner)
        before = _by_id(data_set_id, data_sets)
        _require_deleter(call, before)
        after = replace(
            before, deleted_through=last_number, is_purgeable=before.is_closed, state_version=before.state_version + 1
        )
        if _by_id(data_set_id, with_truncations(data_sets)).deleted_time_ms is None:
            after = replace(
                after, deleted_time_ms=call.now_ms, modified_time_ms=call.now_ms, revision=before.revision + 1
            )
        elif (after.deleted_through, after.is_purgeable) == (before.deleted_through, before.is_purgeable):
            return
        ports.data_sets.replace(before, after)

    retry_on_conflict(attempt)


def erase(call: Call, owner_id: str, ports: DataPorts) -> None:
    """Erase all data sets and data of a user. An unknown user is not an error.

    Raises:
        UnauthorizedError: the caller may not erase this user's data.

    Source: data-api 8, DELETE for a user.
    """
    call.require(owner_id)
    erase_user(owner_id, call.now_ms, ports.data_sets)


def erase_user(user_id: str, now_ms: int, data_sets: DataSetStore) -> None:
    """Erase all data of a user, after the documents that some of it is derived from.

    Raises:
        UnavailableError: other requests erased the data each time at once.
    """
    documents_id = documents_owner_id(user_id)
    if data_sets.owner(documents_id).change_count:
        retry_on_conflict(lambda: data_sets.erase(documents_id, now_ms))
    retry_on_conflict(lambda: data_sets.erase(user_id, now_ms))


def _creator(call: Call, body: Any) -> str | None:
    """The user who creates a data set: the caller, or the one whom a server names, if it names any."""
    if not call.caller.is_server:
        return call.caller.user_id
    named = body.get("createdUserId") if isinstance(body, dict) else None
    return named if isinstance(named, str) and named else None


def _complete_description(description: Mapping[str, Any], call: Call, creator: str | None) -> dict[str, Any]:
    """The client's description with the members that the platform sets."""
    completed = dict(description)
    upload_id = completed.get("uploadId") or completed.get("id") or call.new_id()
    completed.setdefault("id", upload_id)
    completed["uploadId"] = upload_id
    completed["type"] = "upload"
    completed.setdefault("dataSetType", NORMAL)
    completed.setdefault("time", format_time(call.now_ms))
    if creator is not None:
        completed["createdUserId"] = completed["byUser"] = creator
    name, version = choose(
        (completed.get("deduplicator") or {}).get("name"),
        completed["dataSetType"],
        completed.get("deviceId"),
        completed.get("deviceManufacturers"),
        completed.get("deviceModel"),
    )
    completed["deduplicator"] = {"name": name, "version": version}
    return completed


def _apply_update(call: Call, before: DataSet, read_body: Callable[[], Any]) -> tuple[DataSet, bool]:
    """The data set after the update in the body, and whether the update closes it."""
    if not before.is_continuous:
        return before, True
    if not call.caller.is_server:
        if not _asks_to_close(read_body):
            raise UnauthorizedError
        return before, True
    changes = check_data_set_update(read_body)
    fields = {name: value for name, value in changes.items() if name != "state"}
    after = replace(before, description={**before.description, **fields})
    _require_small(after.description)
    if changes.get("state") == "closed":
        return after, True
    modified = replace(
        after,
        modified_time_ms=call.now_ms,
        revision=before.revision + 1,
        state_version=before.state_version + 1,
    )
    return modified, False


def _close(
    before: DataSet, owner: OwnerState, data_sets: Iterable[DataSet], now_ms: int, store: DataSetStore
) -> DataSet:
    return replace(
        before,
        modified_time_ms=now_ms,
        closed_time_ms=now_ms,
        close_sequence=owner.close_count + 1,
        truncated_at_close=truncated_at_close(before, data_sets, store),
        revision=before.revision + (1 if before.is_continuous else _UPDATES_BY_CLOSING),
        state_version=before.state_version + 1,
    )


def _require_small(description: Mapping[str, Any]) -> None:
    """Raise unless the description fits into its item."""
    if len(json_text.encode(description)) > DESCRIPTION_BYTES:
        raise TooLargeError(DESCRIPTION_BYTES, f"a data set may have at most {DESCRIPTION_BYTES} bytes")


def _asks_to_close(read_body: Callable[[], Any]) -> bool:
    """Whether the body says `closed`, as `dataState` or `state` or both, and nothing else."""
    try:
        body = read_body()
    except InvalidRequestError:
        return False
    return (
        isinstance(body, dict)
        and bool(body)
        and body.keys() <= {"dataState", "state"}
        and all(value == "closed" for value in body.values())
    )


def _require_deleter(call: Call, data_set: DataSet) -> None:
    """Raise unless the caller may delete the data set. Holders of `upload` may delete only what they uploaded.

    Source: data-api 1, row 8.
    """
    if data_set.description.get("byUser") != call.caller.user_id:
        call = replace(call, policy=call.policy.without(UPLOAD))
    call.require(data_set.owner_id)


def _find_or_refuse(data_set_id: str, ports: DataPorts) -> tuple[OwnerState, int]:
    """The owner of a data set, and the number of the last entry of its log."""
    head = ports.data_sets.head(data_set_id)
    if head is None:
        raise DataSetNotFoundError(data_set_id)
    owner = ports.data_sets.owner(head.owner_id)
    if owner.epoch != head.epoch:
        raise DataSetNotFoundError(data_set_id)
    return owner, head.last_number


def _by_id(data_set_id: str, data_sets: Sequence[DataSet]) -> DataSet:
    for data_set in data_sets:
        if data_set.id == data_set_id:
            return data_set
    raise DataSetNotFoundError(data_set_id)
