"""Adding data to a data set, and deleting data that selectors name. Source: data-api 8, dedup 5."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib.access.call import Call
from chalicelib.errors import (
    DataSetClosedError,
    DataSetNotFoundError,
    FieldError,
    InvalidFieldsError,
    MalformedJsonError,
    UnauthorizedError,
)
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.entry import EntryKind, NewEntry, encode_data, encode_selectors
from chalicelib.log.freshness import newest_times_ms
from chalicelib.log.identity_hash import MissingDeviceIdError, hashes_in
from chalicelib.log.outline import outline_of
from chalicelib.log.ports import DataPorts
from chalicelib.model.data import Datum, check_data
from chalicelib.model.dropped import DroppedMembers, dropped_members
from chalicelib.model.errors import VALUE_NOT_EXISTS
from chalicelib.uploads.lenient import valid_data
from chalicelib.uploads.ports import UploadPorts
from chalicelib.uploads.rejections import ADD, DELETE, recording_rejections
from chalicelib.uploads.selectors import parse_selectors

_REVISION_ONCE_ACTIVATED = 1


class AddedData(NamedTuple):
    """The result of adding data: the errors of what was refused, and the members that the data model dropped."""

    errors: Sequence[FieldError] = ()
    dropped: DroppedMembers = DroppedMembers()


def add_data(call: Call, data_set_id: str, read_items: Callable[[], Any], ports: UploadPorts) -> AddedData:
    """Add all data of a request to a data set, or none of it, as one entry of its log.

    A repeated request becomes another entry; the deduplicator removes the duplicates. A rejection is recorded for the
    owner of the data set.

    Args:
        read_items: the JSON value of the body; called only if the caller may add to the data set and it is open.

    Raises:
        DataSetNotFoundError, UnauthorizedError, DataSetClosedError: in this order.
        MalformedJsonError: the body is not JSON, or not an array.
        InvalidFieldsError: data breaks the data model.

    Source: data-api 5 and 8.
    """
    head = _writable_head(call, data_set_id, ports.data)
    with recording_rejections(call, ADD, head, ports):
        items = _append(call, head, read_items(), ports.data)
    return AddedData(dropped=dropped_members(items))


def append_data(call: Call, data_set_id: str, read_items: Callable[[], Any], ports: DataPorts) -> None:
    """Add data as `add_data` does, without recording a rejection."""
    _append(call, _writable_head(call, data_set_id, ports), read_items(), ports)


def add_valid_data(call: Call, data_set_id: str, read_items: Callable[[], Any], ports: UploadPorts) -> AddedData:
    """Add the valid data of a request as one entry, and return the errors of the rest in the order of the body.

    This is for clients that prefer lenient handling: with `add_data`, one bad record keeps out all others of its
    request each time that it is sent. Pointers of errors lead into the body that was sent. The last error says how many
    more records were refused, if there are too many to name them.

    Raises:
        The errors of `add_data`, if the request is refused as a whole.
    """
    head = _writable_head(call, data_set_id, ports.data)
    with recording_rejections(call, ADD, head, ports) as record:
        added = _append_valid(call, head, read_items(), ports.data)
        record(added.errors)
    return added


def delete_data(call: Call, data_set_id: str, read_selectors: Callable[[], Any], ports: UploadPorts) -> None:
    """Delete the data of a data set that selectors name. Selectors that match no data are ignored.

    Raises:
        DataSetNotFoundError, UnauthorizedError, DataSetClosedError: in this order.
        MalformedJsonError: the body is not JSON.
        InvalidSelectorsError: it is not an array of selectors of one kind, or empty.

    Source: data-api 8, dedup 5.
    """
    head = _writable_head(call, data_set_id, ports.data)
    with recording_rejections(call, DELETE, head, ports):
        selectors = parse_selectors(read_selectors())
        ports.data.log.append(head, NewEntry(EntryKind.DELETE, call.now_ms, encode_selectors(selectors)))


def _writable_head(call: Call, data_set_id: str, ports: DataPorts) -> DataSetHead:
    """The head of an open data set to which the caller may write."""
    head = ports.data_sets.head(data_set_id)
    if head is None:
        raise DataSetNotFoundError(data_set_id)
    try:
        call.require(head.owner_id)
    except UnauthorizedError:
        _require_current(head, ports)
        raise
    if head.is_closed:
        _require_current(head, ports)
        raise DataSetClosedError(data_set_id)
    return head


def _require_current(head: DataSetHead, ports: DataPorts) -> None:
    """Raise unless the data set is of the owner's epoch. Erasing leaves the heads; an append to the log detects it."""
    if not ports.data_sets.is_current(head):
        raise DataSetNotFoundError(head.id)


def _append(call: Call, head: DataSetHead, sent: Any, ports: DataPorts) -> list[Any]:
    """Append the data that was sent, and return its items."""
    items = _array(sent)
    data = check_data(items, call.new_id)
    _store(call, head, data, data_hashes(items, data, head), ports)
    return items


def _append_valid(call: Call, head: DataSetHead, items: Any, ports: DataPorts) -> AddedData:
    valid = valid_data(_array(items), head.deduplicator, call.new_id)
    _store(call, head, valid.data, hashes_in(head, valid.data), ports)
    return AddedData(valid.errors, dropped_members(valid.items))


def _array(items: Any) -> list[Any]:
    if items is None:
        return []
    if not isinstance(items, list):
        raise MalformedJsonError
    return items


def _store(
    call: Call, head: DataSetHead, data: Sequence[Datum], hashes: Sequence[str] | None, ports: DataPorts
) -> None:
    """Append data to the log of a data set, as one entry."""
    if not data:
        _require_current(head, ports)
        return
    sequence = ports.data_sets.owner(head.owner_id).change_count if head.is_legacy else None
    ports.log.append(head, new_entry(call, head, data, hashes, sequence), newest_of(data))


def new_entry(
    call: Call, head: DataSetHead, data: Sequence[Datum], hashes: Sequence[str] | None, sequence: int | None
) -> NewEntry:
    """The entry that adds data to a data set; `sequence` is the owner's count of changes, for old uploads."""
    # Data of a normal data set becomes visible when closing activates it, so it is stored as it is then.
    revision = None if head.is_continuous else _REVISION_ONCE_ACTIVATED
    body = encode_data(data, head.id, hashes, revision, sequence)
    return NewEntry(EntryKind.ADD, call.now_ms, body, outline_of(data))


def newest_of(data: Sequence[Datum]) -> dict[str, int]:
    """The newest time of each type of these data."""
    return newest_times_ms((datum.body["type"], datum.time_ms) for datum in data)


def data_hashes(items: Sequence[Any], data: Sequence[Datum], head: DataSetHead) -> list[str] | None:
    """The hashes of the data of these items in a data set.

    Raises:
        InvalidFieldsError: a datum has no device id, which the hash needs.
    """
    try:
        return hashes_in(head, data)
    except MissingDeviceIdError as error:
        pointer = _pointer(items, data, error.row) + "/deviceId"
        meta = {"type": str(data[error.row].body["type"])}
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at(pointer, meta=meta),)) from error


def _pointer(items: Sequence[Any], data: Sequence[Datum], row: int) -> str:
    """The pointer to a datum in the body. Embedded data comes after all posted data; its datum holds its id."""
    posted = [index for index, item in enumerate(items) if item is not None]
    if row < len(posted):
        return f"/{posted[row]}"
    embedded_id = data[row].body["id"]
    for index, datum in zip(posted, data, strict=False):
        for name in ("bolus", "status"):
            if datum.body.get(name) == embedded_id:
                return f"/{index}/{name}"
    return ""
