"""Uploads as a few old drivers of the Uploader send them: one array holds the description of a data set, as a record of
type `upload`, and its records, which refer to it by `uploadId`. Source: data-api 11, clients 5.

Such a driver never closes a data set, and may send the same records again. So the data set is continuous, and of
records with the same identity the first one is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.access.call import Call
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.errors import DataSetExistsError, MalformedJsonError, UnauthorizedError
from chalicelib.frozen import frozen
from chalicelib.log.ports import DataPorts
from chalicelib.model.data import check_data
from chalicelib.model.deduplicators import DATASET_DROP_HASH
from chalicelib.model.tables.data_sets import CREATION
from chalicelib.uploads.add import append_data

UPLOAD = "upload"
_KNOWN = frozenset(field.name for field in CREATION.fields)


@frozen
class _Upload:
    """The part of a request that concerns one data set. `items` has a null for every other item of the request, so that
    the pointers of errors are right."""

    upload_id: str
    description: Mapping[str, Any]
    items: Sequence[Any]


def upload_data(call: Call, owner_id: str, read_body: Callable[[], Any], ports: DataPorts) -> list[int]:
    """Add records, and open the data sets that they refer to; returns an empty list.

    The API's documents promise the indexes of duplicates. Finding them would take reading all stored data, and no
    client uses them.

    Raises:
        UnauthorizedError: the caller is a server or may not upload for this user, or a data set is another user's.
        MalformedJsonError: the body is neither a record nor an array.
        InvalidFieldsError: data breaks the data model; nothing was stored.
    """
    call.require(owner_id)
    uploads = _uploads(read_body(), call.new_id)
    for upload in uploads:
        check_data(upload.items, call.new_id)
    for upload in uploads:
        _open(call, owner_id, upload, ports)
        append_data(call, upload.upload_id, partial(list, upload.items), ports)
    return []


def _uploads(body: Any, new_id: Callable[[], str]) -> list[_Upload]:
    """The upload for each data set. Records without `uploadId` belong to the first one that is described, or to a new
    one."""
    items = body if isinstance(body, list) else [body]
    if not isinstance(body, list | dict):
        raise MalformedJsonError
    described = {str(item["uploadId"]): item for item in items if _is_upload(item) and item.get("uploadId")}
    unnamed = next(iter(described), "") or new_id()
    names = [_name(item, unnamed) for item in items]
    return [
        _Upload(
            name,
            described.get(name, {}),
            [item if of == name and not _is_upload(item) else None for item, of in zip(items, names, strict=True)],
        )
        for name in dict.fromkeys(names)
    ]


def _is_upload(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == UPLOAD


def _name(item: Any, unnamed: str) -> str:
    name = item.get("uploadId") if isinstance(item, dict) else None
    return name if isinstance(name, str) and name else unnamed


def _open(call: Call, owner_id: str, upload: _Upload, ports: DataPorts) -> None:
    """Open the data set unless it exists. Members of the description that the data model does not know are dropped."""
    head = ports.data_sets.head(upload.upload_id)
    if head is not None and head.owner_id != owner_id:
        raise UnauthorizedError
    if head is not None:
        return
    body = {name: value for name, value in upload.description.items() if name in _KNOWN}
    body |= {
        "uploadId": upload.upload_id,
        "dataSetType": "continuous",
        "deduplicator": {"name": DATASET_DROP_HASH},
    }
    body.pop("id", None)
    try:
        data_sets.create(call, owner_id, lambda: body, ports)
    except DataSetExistsError:
        return
