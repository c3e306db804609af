"""The old way to upload, of a few drivers of the Uploader. Source: data-api 11, clients 5.

The description of a data set, as a record of type `upload`, and its records, which refer to it by `uploadId`, come in
one array or in several. Such a driver reads the whole memory of a device each time, names a new data set in each
session and never closes one. So the data sets are continuous, and of equal records in all of them readers see the one
that was stored first. See docs/adr/0016.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.access.call import Call
from chalicelib.conflicts import retry_on_conflict
from chalicelib.data_sets.lifecycle import describe, opened, redescribed
from chalicelib.errors import (
    DataSetClosedError,
    InvalidFieldsError,
    MalformedJsonError,
    UnauthorizedError,
)
from chalicelib.frozen import frozen
from chalicelib.log.data_set import DataSet, DataSetHead, OwnerState, head_of
from chalicelib.log.freshness import client_of
from chalicelib.log.ports import MAX_DATA_SET_WRITES, DataPorts, DataSetWrite
from chalicelib.model.data import Datum, check_data
from chalicelib.model.deduplicators import DATASET_DROP_HASH
from chalicelib.model.dropped import DroppedMembers, dropped_members
from chalicelib.model.errors import between, length_out_of_range, type_not
from chalicelib.model.tables.data_sets import CREATION, SERVICE_FIELDS
from chalicelib.uploads.add import data_hashes, new_entry, newest_of

UPLOAD = "upload"
_DESCRIBED = frozenset(field.name for field in CREATION.fields) - SERVICE_FIELDS
"""The members of a description that are taken; others are dropped."""
_KNOWN = frozenset(field.name for field in CREATION.fields) | SERVICE_FIELDS
_OF_THIS_ROUTE = {"dataSetType": "continuous", "deduplicator": {"name": DATASET_DROP_HASH}}
_FIXED = frozenset({"id", "uploadId", "createdUserId", "byUser", "type", *_OF_THIS_ROUTE})
"""The members that a later description does not change."""


@frozen
class _Upload:
    """The part of a request that concerns one data set. `items` has a null for every other item of the request, so that
    the pointers of errors are right. `described` names the members of the description that the client sent."""

    upload_id: str
    items: Sequence[Any]
    data: Sequence[Datum]
    description: Mapping[str, Any]
    described: frozenset[str]
    dropped: Sequence[str]
    """The members of the description that were dropped."""


def upload_data(call: Call, owner_id: str, read_body: Callable[[], Any], ports: DataPorts) -> DroppedMembers:
    """Add records, open the data sets that they refer to, and describe them, all at once; returns dropped members.

    A description may come before, with or after its records, and again.

    Raises:
        UnauthorizedError: the caller is a server or may not upload for this user, or a data set is another user's.
        MalformedJsonError: the body is neither a record nor an array.
        InvalidFieldsError: data breaks the data model, or there are too many data sets.
        DataSetClosedError: a data set is closed. In all these cases nothing was stored.
    """
    call.require(owner_id)
    uploads = _uploads(call, read_body())

    def attempt() -> None:
        owner = ports.data_sets.owner(owner_id)
        writes = [_write(call, owner, upload, ports) for upload in uploads]
        ports.log.commit(owner, [write for write in writes if write is not None])

    retry_on_conflict(attempt)
    records = (item for upload in uploads for item in upload.items)
    return dropped_members(records, (name for upload in uploads for name in upload.dropped))


def _uploads(call: Call, body: Any) -> list[_Upload]:
    """The checked upload for each data set. Records without `uploadId` belong to the first one that is described, or to
    a new one."""
    if not isinstance(body, list | dict):
        raise MalformedJsonError
    items = body if isinstance(body, list) else [body]
    try:
        return _checked_uploads(call, items)
    except InvalidFieldsError as refused:
        if items is body:
            raise
        errors = [replace(error, pointer=_within_record(error.pointer)) for error in refused.errors]
        raise InvalidFieldsError(errors) from refused


def _checked_uploads(call: Call, items: Sequence[Any]) -> list[_Upload]:
    places: dict[str, list[int]] = {}
    described: dict[str, int] = {}
    unnamed: list[int] = []
    for index, item in enumerate(items):
        upload_id = _upload_id(item, index)
        if upload_id and _is_upload(item):
            described.setdefault(upload_id, index)
        if upload_id:
            places.setdefault(upload_id, []).append(index)
        elif item is not None:
            unnamed.append(index)
        if len(places) > MAX_DATA_SET_WRITES:
            fault = length_out_of_range(len(places), between(1, MAX_DATA_SET_WRITES))
            raise InvalidFieldsError([fault.at(f"/{index}/uploadId")])
    if unnamed:
        places.setdefault(next(iter(described), "") or call.new_id(), []).extend(unnamed)
    return [_upload(call, upload_id, items, indexes) for upload_id, indexes in places.items()]


def _upload(call: Call, upload_id: str, items: Sequence[Any], indexes: Sequence[int]) -> _Upload:
    records: list[Any] = [None] * (max(indexes) + 1)
    body: dict[str, Any] | None = None
    at = indexes[0]
    for index in indexes:
        if not _is_upload(items[index]):
            records[index] = items[index]
        elif body is None:
            body, at = items[index], index
    members = {name: value for name, value in (body or {}).items() if name in _DESCRIBED and name != "id"}
    try:
        description = describe(call, members | _OF_THIS_ROUTE | {"uploadId": upload_id})
    except InvalidFieldsError as refused:
        errors = [replace(error, pointer=f"/{at}{error.pointer or ''}") for error in refused.errors]
        raise InvalidFieldsError(errors) from refused
    dropped = [name for name, value in (body or {}).items() if value is not None and name not in _KNOWN]
    data = check_data(records, call.new_id)
    return _Upload(upload_id, records, data, description, frozenset(members) - _FIXED, dropped)


def _upload_id(item: Any, index: int) -> str:
    """The data set that an item names; empty if it names none."""
    upload_id = item.get("uploadId") if isinstance(item, dict) else None
    if upload_id is None or isinstance(upload_id, str):
        return upload_id or ""
    raise InvalidFieldsError([type_not("string", upload_id).at(f"/{index}/uploadId")])


def _is_upload(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == UPLOAD


def _within_record(pointer: str | None) -> str | None:
    """A pointer into the only element of an array, as one into that element."""
    return None if pointer is None else pointer.removeprefix("/0") or None


def _write(call: Call, owner: OwnerState, upload: _Upload, ports: DataPorts) -> DataSetWrite | None:
    """The change of an upload to its data set; None for nothing."""
    head = ports.data_sets.head(upload.upload_id)
    if head is None or not ports.data_sets.is_current(head):
        created = opened(call, owner, upload.description, is_legacy=True)
        return replace(_with_entry(call, owner, head_of(created), upload), created=created, replaced=head)
    if head.owner_id != owner.id:
        raise UnauthorizedError
    changed = _changed(call, owner, upload, ports) if upload.described else None
    if not upload.data and changed is None:
        return None
    if head.is_closed:
        raise DataSetClosedError(head.id)
    if changed is not None:
        head = replace(head, client=client_of(changed.description))
    return replace(_with_entry(call, owner, head, upload), changed=changed)


def _changed(call: Call, owner: OwnerState, upload: _Upload, ports: DataPorts) -> DataSet | None:
    """The data set as its description describes it now; None if that changes nothing, or another route opened it."""
    before = next(data_set for data_set in ports.data_sets.of_owner(owner) if data_set.id == upload.upload_id)
    if not (before.is_continuous and before.deduplicator == DATASET_DROP_HASH):
        return None
    members = {name: value for name, value in upload.description.items() if name in upload.described}
    after = redescribed(call, before, members)
    return None if after is before else after


def _with_entry(call: Call, owner: OwnerState, head: DataSetHead, upload: _Upload) -> DataSetWrite:
    if not upload.data:
        return DataSetWrite(head)
    hashes = data_hashes(upload.items, upload.data, head)
    sequence = owner.change_count if head.is_legacy else None
    entry = new_entry(call, head, upload.data, hashes, sequence)
    return DataSetWrite(head, entry=entry, newest_times_ms=newest_of(upload.data))
