"""The valid part of posted data, for clients that prefer lenient handling."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.errors import FieldError, InvalidFieldsError, more_errors
from chalicelib.model.data import Datum, FastPathMiss, NewId, check_element, read_datum
from chalicelib.model.deduplicators import DEVICE_DEACTIVATE_HASH
from chalicelib.model.errors import VALUE_NOT_EXISTS

MAX_NAMED_ERRORS = 1_000
"""The number of faults after which refused records are only counted."""
_MEMBER_OF_EMBEDDED = {"bolus": "bolus", "deviceEvent": "status"}
"""The member that holds an embedded datum, by the datum's type."""


class ValidData(NamedTuple):
    """The valid data of a request, embedded ones last, and the errors of the rest in the order of the body. `items` are
    the valid elements as sent."""

    data: list[Datum]
    errors: list[FieldError]
    items: list[Any]


def valid_data(items: Sequence[Any], deduplicator: str, new_id: NewId) -> ValidData:
    """The valid data of an array for a data set with this deduplicator. A record is refused with all that it embeds.

    After `MAX_NAMED_ERRORS` faults, records are read by the fast path alone, and those that it cannot read are refused.
    So a body of faulty data costs about as much as one of valid data.
    """
    needs_device_id = deduplicator == DEVICE_DEACTIVATE_HASH
    data: list[Datum] = []
    embedded: list[Datum] = []
    errors: list[FieldError] = []
    valid: list[Any] = []
    unnamed = 0
    for index, item in enumerate(items):
        if item is None:
            continue
        is_full = len(errors) >= MAX_NAMED_ERRORS
        if is_full and not (isinstance(item, dict) and item.get("type")):
            unnamed += 1
            continue
        own_embedded: list[Datum] = []
        try:
            datum = _read(items, index, new_id, own_embedded, is_full=is_full)
            if needs_device_id:
                _require_device_ids([datum, *own_embedded], f"/{index}")
        except FastPathMiss:
            unnamed += 1
        except InvalidFieldsError as refused:
            unnamed += is_full
            errors += () if is_full else refused.errors
        else:
            data.append(datum)
            embedded += own_embedded
            valid.append(item)
    if unnamed:
        errors.append(more_errors(f"{unnamed} more records were refused"))
    return ValidData(data + embedded, errors, valid)


def _read(items: Sequence[Any], index: int, new_id: NewId, embedded: list[Datum], *, is_full: bool) -> Datum:
    """An element as stored; data embedded in it are appended to `embedded`.

    Raises:
        InvalidFieldsError: it has faults.
        FastPathMiss: the fast path cannot read it, and there is no room for faults.
    """
    try:
        return read_datum(items[index], new_id, embedded)
    except FastPathMiss:
        if is_full:
            raise
        return check_element(items, index, new_id, embedded)


def _require_device_ids(data: Sequence[Datum], pointer: str) -> None:
    """Raise unless a datum and those embedded in it have device ids, which the deduplicator hashes."""
    errors = []
    for position, datum in enumerate(data):
        if datum.body.get("deviceId") is None:
            at = f"{pointer}/{_MEMBER_OF_EMBEDDED[datum.body['type']]}" if position else pointer
            errors.append(VALUE_NOT_EXISTS.at(f"{at}/deviceId", meta={"type": str(datum.body["type"])}))
    if errors:
        raise InvalidFieldsError(errors)
