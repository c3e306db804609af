"""The old way to upload, which a few old drivers of the Uploader still use: one array holds the description of a data
set, as a record of type `upload`, and its records, which name it by `uploadId`. Source: data-api 11, clients 5.

There is no close, and a driver may come again with what it sent before; so the data set is continuous, and of records
with the same identity in it the first stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.access.call import Call
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.errors import DataSetExistsError, MalformedJsonError, UnauthorizedError
from chalicelib.log.ports import DataPorts
from chalicelib.model.data import check_data
from chalicelib.model.deduplicators import DATASET_DROP_HASH
from chalicelib.model.tables.data_sets import CREATION
from chalicelib.uploads.add import append_data

UPLOAD = "upload"
_KNOWN = frozenset(field.name for field in CREATION.fields)


@dataclass(frozen=True, slots=True)
class _Upload:
    """What one request says of one data set. `items` has a null where the request has something else, so that errors
    point to the right place of the body."""

    upload_id: str
    description: Mapping[str, Any]
    items: Sequence[Any]


def upload_data(call: Call, owner_id: str, read_body: Callable[[], Any], ports: DataPorts) -> list[int]:
    """Stores records and describes the data sets that they name; answers an empty array.

    The API documents promise the places of duplicates; to know them would take reading all that is stored, and no
    client reads them.

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
    """What a body says of each data set; records that name none are of the one that is described, or of a new one."""
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
    """Opens the data set unless it is open. What old descriptions hold beyond today's is dropped."""
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
