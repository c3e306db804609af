"""The identity hash of a datum: equal for the same reading of the same device, or of the same data set.

Source: dedup 4.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

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


def identity_hash(datum: Datum, owner_id: str, scope_id: str) -> str:
    """Base64 of the SHA-256 of the identity fields: 44 characters.

    `scope_id` is the record's device, or the data set. The time is the one that was sent, with its offset.
    """
    body = datum.body
    datum_type = body["type"]
    fields = [owner_id, scope_id, datum.sent_time, datum_type]
    fields.extend(_text(body[name]) for name in _MORE_FIELDS.get(datum_type, ()))
    return base64.b64encode(hashlib.sha256("|".join(fields).encode()).digest()).decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else plain_decimal(float(value))
