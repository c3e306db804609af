"""Creates, lists, changes and deletes data sources. Source: data-api 10."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.conflicts import WriteConflictError, retry_on_conflict
from chalicelib.data_sources.data_source import CONNECTED, DISCONNECTED, ERROR, DataSource, as_data_source
from chalicelib.data_sources.ports import DataSourcePorts
from chalicelib.errors import ConflictError, InvalidFieldsError, NotFoundError
from chalicelib.model.checks.bodies import check_data_source, check_data_source_update
from chalicelib.model.errors import value_not_before
from chalicelib.model.query import IntegerField, check_query
from chalicelib.model.tables.data_sources import QUERY
from chalicelib.model.times import parse_time

FUTURE_TOLERATED_MS = 1_000
"""The tolerance for times in the future, because clocks differ (errors 2.3)."""
_TIMES = ("earliestDataTime", "latestDataTime", "lastImportTime")
_CLEARED = {CONNECTED: ("error",), DISCONNECTED: ("providerSessionId", "error"), ERROR: ()}
_REVISION = {"revision": IntegerField(low=0)}


def create(call: Call, user_id: str, read_body: Callable[[], Any], ports: DataSourcePorts) -> dict[str, Any]:
    """Create a data source that is not connected yet, and return it; for servers.

    Raises:
        UnauthorizedError: the caller is not a server.
        MalformedJsonError, InvalidFieldsError: the body does not describe a data source.
        ConflictError: an earlier request with the same idempotency key made another one.
    """
    call.require()
    fields = check_data_source(read_body())
    source = DataSource(call.new_id(), user_id, call.now_ms, fields | {"state": DISCONNECTED})
    if not ports.sources.add(source):
        source = _created_before(source, ports)
    return as_data_source(source, to_server=True)


def _created_before(source: DataSource, ports: DataSourcePorts) -> DataSource:
    """The data source that an earlier request for the same one made. If it was changed since, only its provider is
    compared.

    Raises:
        ConflictError: it is another one.
    """
    earlier = ports.sources.find(source.id)
    if earlier is None or (earlier.user_id, earlier.provider) != (source.user_id, source.provider):
        raise ConflictError(source.id)
    if earlier.revision == source.revision and earlier.fields != source.fields:
        raise ConflictError(source.id)
    return earlier


def list_of_user(
    call: Call, user_id: str, parameters: Mapping[str, Sequence[str]], ports: DataSourcePorts
) -> list[dict[str, Any]]:
    """One page of the data sources of a user, newest first.

    Raises:
        UnauthorizedError: the caller is another user.
        InvalidFieldsError: a parameter is unknown or invalid.
    """
    call.require(user_id)
    query = check_query(parameters, QUERY)
    page, size = query.pop("page"), query.pop("size")
    found = [
        source
        for source in ports.sources.of_user(user_id)
        if all(source.fields.get(name) == value for name, value in query.items())
    ]
    return [_present(call, source) for source in found[page * size : (page + 1) * size]]


def get(call: Call, source_id: str, ports: DataSourcePorts) -> dict[str, Any]:
    """One data source.

    Raises:
        NotFoundError, UnauthorizedError: in this order.
    """
    source = ports.sources.find(source_id)
    if source is None:
        raise NotFoundError(source_id)
    call.require(source.user_id)
    return _present(call, source)


def get_of_session(call: Call, provider_session_id: str, ports: DataSourcePorts) -> dict[str, Any]:
    """The data source of a session with a provider; for servers.

    Raises:
        NotFoundError: there is none.
    """
    call.require()
    source = ports.sources.of_session(provider_session_id)
    if source is None:
        raise NotFoundError
    return _present(call, source)


def update(
    call: Call,
    source_id: str,
    parameters: Mapping[str, Sequence[str]],
    read_body: Callable[[], Any],
    ports: DataSourcePorts,
) -> dict[str, Any]:
    """Change a data source and return it; for servers. Connecting removes the error, disconnecting also the session.

    Raises:
        MalformedJsonError, InvalidFieldsError: the body does not describe a change.
        NotFoundError: there is none with this id, or it has another revision than the one asked for.
        ConflictError: another data source of this user and provider is connected or in error.
        UnavailableError: each attempt met another change.
    """
    call.require()
    revision = check_query(parameters, _REVISION).get("revision")
    changes = check_data_source_update(read_body())
    _require_no_future(changes, call.now_ms)

    def attempt() -> DataSource:
        before = _find_or_refuse(source_id, revision, ports)
        after = _changed(before, changes, call.now_ms)
        if not ports.sources.replace(before, after):
            raise WriteConflictError
        return after

    return _present(call, retry_on_conflict(attempt))


def _changed(source: DataSource, changes: Mapping[str, Any], now_ms: int) -> DataSource:
    """A data source after a change."""
    fields = {**source.fields, **changes}
    for name in _CLEARED[fields["state"]]:
        if name not in changes:
            fields.pop(name, None)
    return replace(source, fields=fields, modified_time_ms=now_ms, revision=source.revision + 1)


def delete(call: Call, source_id: str, parameters: Mapping[str, Sequence[str]], ports: DataSourcePorts) -> None:
    """Remove a data source, but not its data; for servers.

    Raises:
        NotFoundError: there is none with this id, or it has another revision than the one asked for.
        UnavailableError: each attempt met a change.
    """
    call.require()
    revision = check_query(parameters, _REVISION).get("revision")

    def attempt() -> None:
        if not ports.sources.remove(_find_or_refuse(source_id, revision, ports)):
            raise WriteConflictError

    retry_on_conflict(attempt)


def delete_of_user(call: Call, user_id: str, ports: DataSourcePorts) -> None:
    """Remove all data sources of a user, but not their data; for servers.

    Raises:
        UnavailableError: each attempt met a change of one of them.
    """
    call.require()
    remove_all(user_id, ports)


def remove_all(user_id: str, ports: DataSourcePorts) -> None:
    """Remove all data sources of a user, also those that are changed at the same time.

    Raises:
        UnavailableError: each attempt met a change of one of them.
    """

    def attempt() -> None:
        removed = [ports.sources.remove(source) for source in ports.sources.of_user(user_id)]
        if not all(removed):
            raise WriteConflictError

    retry_on_conflict(attempt)


def _find_or_refuse(source_id: str, revision: int | None, ports: DataSourcePorts) -> DataSource:
    source = ports.sources.find(source_id)
    if source is None or revision not in (None, source.revision):
        raise NotFoundError(source_id)
    return source


def _require_no_future(changes: Mapping[str, Any], now_ms: int) -> None:
    """Raise if a time of the changes lies in the future."""
    faults = []
    for name in _TIMES:
        moment = parse_time(changes.get(name, ""))
        if moment is not None and moment.epoch_ms > now_ms + FUTURE_TOLERATED_MS:
            faults.append(value_not_before(changes[name]).at("/" + name))
    if faults:
        raise InvalidFieldsError(faults)


def _present(call: Call, source: DataSource) -> dict[str, Any]:
    return as_data_source(source, to_server=call.caller.is_server)
