"""Adding data for a client that wants what is right to be stored although something else is wrong.

By default an add is all or nothing, so that one bad record keeps all others of its request out, again and again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.access.call import Caller, GrantReader
from chalicelib.errors import FieldError, InvalidFieldsError
from chalicelib.log.ports import DataSetHeads, RecordLog
from chalicelib.uploads import add as ingest


def add_data(
    caller: Caller,
    data_set_id: str,
    read_items: Callable[[], Any],
    *,
    heads: DataSetHeads,
    log: RecordLog,
    grants: GrantReader,
    now_ms: int,
    new_id: Callable[[], str],
) -> list[FieldError]:
    """Adds what is right of the data, by one entry, and says what is wrong with the rest; empty when nothing is.

    Pointers lead into the body as it was sent. Everything else is as in `ingest.add_data`, refusals of the request as
    a whole included.
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
            ingest.add_data(
                caller,
                data_set_id,
                read_others,
                heads=heads,
                log=log,
                grants=grants,
                now_ms=now_ms,
                new_id=new_id,
            )
        except InvalidFieldsError as refused:
            # Faults of one kind hide those of another, so the others are looked at again.
            places = _places(refused.errors)
            if not places - left_out:
                raise
            left_out |= places
            faults += refused.errors
        else:
            return faults


def _places(faults: Sequence[FieldError]) -> set[int]:
    """The elements of the body that faults are in."""
    first = [(fault.pointer or "/").split("/")[1] for fault in faults]
    return {int(place) for place in first if place.isdecimal()}
