"""Adding data to a data set, and deleting some of it by selectors. Source: data-api 8, dedup 5."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.access.call import Call
from chalicelib.errors import (
    DataSetClosedError,
    DataSetNotFoundError,
    FieldError,
    InvalidFieldsError,
    InvalidSelectorsError,
    MalformedJsonError,
)
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.entry import (
    EntryKind,
    NewEntry,
    SelectorKind,
    Selectors,
    encode_data,
    encode_selectors,
)
from chalicelib.log.freshness import newest_times_ms
from chalicelib.log.identity_hash import MissingDeviceIdError, identity_hashes
from chalicelib.log.ports import DataPorts
from chalicelib.model.data import Datum, check_data
from chalicelib.model.errors import VALUE_NOT_EXISTS
from chalicelib.model.text_formats import DATA_ID
from chalicelib.model.times import parse_time

_REVISION_ONCE_ACTIVATED = 1
_MAX_ORIGIN_ID_LENGTH = 100
_MAX_HASH_LENGTH = 1000


def add_data(call: Call, data_set_id: str, read_items: Callable[[], Any], ports: DataPorts) -> None:
    """Adds data to a data set: all of it or nothing, by one entry of its log.

    A repeated request is a later entry, with which the deduplicator deals.

    Args:
        read_items: the JSON value of the body; called only for a caller who may add to an open data set.

    Raises:
        DataSetNotFoundError, UnauthorizedError, DataSetClosedError: in this order.
        MalformedJsonError: the body is not JSON, or not an array.
        InvalidFieldsError: data breaks the data model.

    Source: data-api 5 and 8.
    """
    head = _writable(call, data_set_id, ports)
    items = read_items()
    if items is None:
        items = []
    if not isinstance(items, list):
        raise MalformedJsonError
    data = check_data(items, call.new_id)
    if not data:
        _require_current(head, ports)
        return
    hashes = _hashes(items, data, head)
    # Data of a normal data set is seen only once closing has activated it, so it is kept as it looks then.
    revision = None if head.is_continuous else _REVISION_ONCE_ACTIVATED
    entry = NewEntry(EntryKind.ADD, call.now_ms, encode_data(data, head.id, hashes, revision))
    ports.log.append(head, entry, newest_times_ms((datum.body["type"], datum.time_ms) for datum in data))


def add_valid_data(call: Call, data_set_id: str, read_items: Callable[[], Any], ports: DataPorts) -> list[FieldError]:
    """Adds the data without faults by one entry, and returns the faults of the rest in the order of checking.

    For clients that prefer lenient handling: by default one bad record keeps all others of its request out, again and
    again. Pointers lead into the body as it was sent.

    Raises:
        The errors of `add_data`, when the request is refused as a whole.
    """
    left_out: set[int] = set()
    faults: list[FieldError] = []

    def read_others() -> Any:
        items = read_items()
        if not isinstance(items, list):
            return items
        return [None if place in left_out else item for place, item in enumerate(items)]

    while True:
        try:
            add_data(call, data_set_id, read_others, ports)
        except InvalidFieldsError as refused:
            # Faults of one kind hide those of another, so the others are looked at again.
            places = _places(refused.errors)
            if not places - left_out:
                raise
            left_out |= places
            faults += refused.errors
        else:
            return faults


def delete_data(call: Call, data_set_id: str, read_selectors: Callable[[], Any], ports: DataPorts) -> None:
    """Deletes the data of a data set that selectors name; those that name none are no error.

    Raises:
        DataSetNotFoundError, UnauthorizedError, DataSetClosedError: in this order.
        MalformedJsonError: the body is not JSON.
        InvalidSelectorsError: it is not an array of selectors of one kind, or empty.

    Source: data-api 8, dedup 5.
    """
    head = _writable(call, data_set_id, ports)
    selectors = parse_selectors(read_selectors())
    ports.log.append(head, NewEntry(EntryKind.DELETE, call.now_ms, encode_selectors(selectors)))


def parse_selectors(value: Any) -> Selectors:
    """The selectors of a body: a non-empty array of `{"id"}`, `{"origin": {"id"}}` or `{"deduplicator": {"hash"}}`.

    `time`, of the datum or its origin, may stand beside an id; its form is checked and no more.

    Raises:
        InvalidSelectorsError: there is anything else, or more than one kind.
    """
    if not isinstance(value, list) or not value:
        raise InvalidSelectorsError
    parsed = [_selector(selector) for selector in value]
    kinds = {kind for kind, _ in parsed}
    if len(kinds) > 1:
        raise InvalidSelectorsError
    return Selectors(kinds.pop(), frozenset(value for _, value in parsed))


def _selector(selector: Any) -> tuple[SelectorKind, str]:
    if not isinstance(selector, dict):
        raise InvalidSelectorsError
    given = [name for name in ("id", "origin", "deduplicator") if selector.get(name) is not None]
    if len(given) != 1 or (selector.get("time") is not None and given != ["id"]):
        raise InvalidSelectorsError
    if given == ["id"]:
        _require_time(selector)
        return SelectorKind.ID, _text(selector["id"], DATA_ID.accepts)
    if given == ["origin"]:
        origin = _object(selector["origin"])
        _require_time(origin)
        return SelectorKind.ORIGIN, _text(origin.get("id"), lambda text: 1 <= len(text) <= _MAX_ORIGIN_ID_LENGTH)
    deduplicator = _object(selector["deduplicator"])
    return SelectorKind.HASH, _text(deduplicator.get("hash"), lambda text: 1 <= len(text) <= _MAX_HASH_LENGTH)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidSelectorsError
    return value


def _text(value: Any, is_valid: Callable[[str], object]) -> str:
    if not isinstance(value, str) or not is_valid(value):
        raise InvalidSelectorsError
    return value


def _require_time(value: Mapping[str, Any]) -> None:
    if value.get("time") is not None:
        _text(value["time"], lambda text: parse_time(text) is not None)


def _places(faults: Sequence[FieldError]) -> set[int]:
    """The elements of the body that faults are in."""
    first = [(fault.pointer or "/").split("/")[1] for fault in faults]
    return {int(place) for place in first if place.isdecimal()}


def _writable(call: Call, data_set_id: str, ports: DataPorts) -> DataSetHead:
    head = ports.data_sets.head(data_set_id)
    if head is None:
        raise DataSetNotFoundError(data_set_id)
    call.require(head.owner_id)
    if head.is_closed:
        _require_current(head, ports)
        raise DataSetClosedError(data_set_id)
    return head


def _require_current(head: DataSetHead, ports: DataPorts) -> None:
    """Erasing leaves the heads: where the log is not asked, which knows, the owner is."""
    if not ports.data_sets.is_current(head):
        raise DataSetNotFoundError(head.id)


def _hashes(items: Sequence[Any], data: Sequence[Datum], head: DataSetHead) -> list[str] | None:
    try:
        return identity_hashes(data, head.deduplicator, head.owner_id, head.id)
    except MissingDeviceIdError as error:
        pointer = _pointer(items, data, error.row) + "/deviceId"
        meta = {"type": str(data[error.row].body["type"])}
        raise InvalidFieldsError((VALUE_NOT_EXISTS.at(pointer, meta=meta),)) from error


def _pointer(items: Sequence[Any], data: Sequence[Datum], row: int) -> str:
    """Where in the body a datum stands; embedded ones stand behind the posted ones, known by the id that they left."""
    posted = [place for place, item in enumerate(items) if item is not None]
    if row < len(posted):
        return f"/{posted[row]}"
    embedded_id = data[row].body["id"]
    for place, datum in zip(posted, data, strict=False):
        for name in ("bolus", "status"):
            if datum.body.get(name) == embedded_id:
                return f"/{place}/{name}"
    return ""
