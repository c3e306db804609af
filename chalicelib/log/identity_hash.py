"""The identity hash of a datum: equal for the same reading of the same device, or of the same data set.

Source: dedup 4.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.log.data_set import DataSetHead
from chalicelib.model.data import Datum
from chalicelib.model.deduplicators import DATASET_DROP_HASH, DEVICE_DEACTIVATE_HASH
from chalicelib.model.rendering import plain_decimal

_SUB_TYPE = ("subType",)
_VALUE = ("units", "value")
_MORE_FIELDS: Mapping[str, Sequence[str]] = {
    "basal": ("deliveryType",),
    "bolus": _SUB_TYPE,
    "deviceEvent": _SUB_TYPE,
    "cbg": _VALUE,
    "smbg": _VALUE,
    "bloodKetone": _VALUE,
}


class MissingDeviceIdError(Exception):
    """A datum has no `deviceId` under a deduplicator that hashes it; `row` is the index of the datum."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def identity_hashes(data: Sequence[Datum], deduplicator: str, owner_id: str, data_set_id: str) -> list[str] | None:
    """The hash of each datum, or None under a deduplicator that does not hash.

    Raises:
        MissingDeviceIdError: the scope is the device, and a datum names none.
    """
    if deduplicator == DATASET_DROP_HASH:
        return [identity_hash(datum, owner_id, data_set_id) for datum in data]
    if deduplicator != DEVICE_DEACTIVATE_HASH:
        return None
    hashes = []
    for row, datum in enumerate(data):
        device_id = datum.body.get("deviceId")
        if device_id is None:
            raise MissingDeviceIdError(row)
        hashes.append(identity_hash(datum, owner_id, device_id))
    return hashes


def hashes_in(head: DataSetHead, data: Sequence[Datum]) -> list[str] | None:
    """The hash of each datum in this data set, or None if its deduplicator does not hash.

    Raises:
        MissingDeviceIdError: as `identity_hashes`.
    """
    if head.is_legacy:
        return [old_upload_hash(datum, head.owner_id, head.id) for datum in data]
    return identity_hashes(data, head.deduplicator, head.owner_id, head.id)


def identity_hash(datum: Datum, owner_id: str, scope_id: str) -> str:
    """Base64 of the SHA-256 of the identity fields: 44 characters.

    `scope_id` is the record's device, or the data set. The time is the one that was sent, with its offset.
    """
    return _digest(datum, owner_id, scope_id, datum.sent_time)


def old_upload_hash(datum: Datum, owner_id: str, data_set_id: str) -> str:
    """The same with the instant in UTC, by which the old way to upload knows a record in all data sets of a user.

    A record without a device is known within its data set only. Source: data-api 11.
    """
    scope_id = datum.body.get("deviceId") or f"data set {data_set_id}"
    return _digest(datum, owner_id, scope_id, datum.body["time"])


def _digest(datum: Datum, owner_id: str, scope_id: str, time: str) -> str:
    body = datum.body
    datum_type = body["type"]
    fields = [owner_id, scope_id, time, datum_type]
    fields.extend(_text(body[name]) for name in _MORE_FIELDS.get(datum_type, ()))
    return base64.b64encode(hashlib.sha256("|".join(fields).encode()).digest()).decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else plain_decimal(float(value))
