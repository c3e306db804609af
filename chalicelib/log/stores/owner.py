"""The item of a user's counters, and its writes, which are parts of transactions of the data table.

Most writes of data raise the counter that polling readers compare. The item also holds the owner's freshness, in an
attribute for each data set with a slot and for each client. Attribute names are short, since each add pays for the item
by the kilobyte. They contain the epoch, so a late add of an erased epoch is not read in the next one.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import json_text
from chalicelib.encoding.raw_deflate import BEST_COMPRESSION, deflate, inflate
from chalicelib.engine.conditions import Condition, all_of, equals, exists
from chalicelib.engine.table import Check, Item, Update
from chalicelib.log.data_set import OwnerState
from chalicelib.log.freshness import Freshness, Ingested, Newest, NewestByType
from chalicelib.log.stores.growth import BYTES, Growth
from chalicelib.log.stores.keys import owner_key

Changes = Mapping[str, bytes | int | bool | None]
"""New values of attributes, by name; None for an attribute to remove."""
NO_CHANGES: Changes = {}
NO_GROWTH = Growth()

_PRESET_DICTIONARY = (
    b'"alert""basal""bloodKetone""bolus""calculator""cgmSettings""controllerSettings""controllerStatus""deviceEvent"'
    b'"deviceStatus""dosingDecision""food""insulin""physicalActivity""pumpSettings""pumpStatus""reportedState""smbg"'
    b'"water""wizard""cbg":[17],'
)
"""The preset dictionary of stored values, which makes names cost little. They cannot be read with another one, so it
never changes."""


def owner_from_item(owner_id: str, item: Item | None) -> OwnerState:
    """The owner whose counters an item of `owner_key` holds; None for an owner without any data."""
    item = item or {}
    epoch = item.get("epoch", 0)
    return OwnerState(
        owner_id,
        epoch,
        close_count=item.get("closings", 0),
        has_sources="has_sources" in item,
        change_count=item.get("changes", 0),
        state_count=item.get("states", 0),
        stored_bytes=item.get(BYTES, 0),
        freshness=_freshness(item, epoch),
    )


def owner_check(owner_id: str, epoch: int) -> Check:
    """The part of a transaction that refuses it once the owner's data of this epoch was erased."""
    return Check(owner_key(owner_id), _has_counter("epoch", epoch))


def owner_growth(owner_id: str, epoch: int, growth: Growth) -> Update:
    """The update by which a write that readers cannot notice counts what it adds to the owner's data of an epoch."""
    condition = all_of(_has_counter("epoch", epoch), *growth.conditions)
    return Update(owner_key(owner_id), add=growth.added, condition=condition, return_stored=True)


def owner_change(
    owner_id: str,
    *,
    seen: Mapping[str, int],
    states: int = 0,
    set_to: Changes = NO_CHANGES,
    has: str | None = None,
    growth: Growth = NO_GROWTH,
) -> Update:
    """The update by which a write that readers can notice raises the owner's `changes`.

    Args:
        seen: counters that must still have these values; one that was never written counts as 0.
        states: how many states of data sets the write adds.
        set_to: what else to change.
        has: an attribute that must be there.
        growth: what the write adds to the owner's data.
    """
    conditions = [*(_has_counter(name, value) for name, value in seen.items()), *growth.conditions]
    if has is not None:
        conditions.append(exists(has))
    return Update(
        owner_key(owner_id),
        set={name: value for name, value in set_to.items() if value is not None},
        add={"changes": 1, **({"states": states} if states else {}), **growth.added},
        remove=[name for name, value in set_to.items() if value is None],
        condition=all_of(*conditions) if conditions else None,
        return_stored=True,
    )


def slot_name(epoch: int, data_set_id: str) -> str:
    """The name of the attribute that is the slot of a data set."""
    return f"{_slot_prefix(epoch)}{data_set_id}"


def slot_value(ingested: Ingested) -> bytes:
    """The value of the slot of a data set."""
    return _pack([ingested.client, ingested.last_number, _newest_as_json(ingested.newest)])


def freshness_changes(owner: OwnerState, after: Freshness) -> dict[str, bytes | None]:
    """The attributes that differ from those of the owner's freshness, as `Changes`."""
    old, new = _attributes(owner.epoch, owner.freshness), _attributes(owner.epoch, after)
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | {name: None for name in old if name not in new}


def newest_value(newest: NewestByType) -> bytes:
    """The newest times of a client or of a data set, as an attribute holds them."""
    return _pack(_newest_as_json(newest))


def newest_from_value(value: bytes) -> NewestByType:
    """The newest times that a value of `newest_value` holds."""
    return _newest_from_json(_unpack(value))


def _attributes(epoch: int, freshness: Freshness) -> dict[str, bytes]:
    slots = {slot_name(epoch, name): slot_value(ingested) for name, ingested in freshness.data_sets.items()}
    clients = {f"{_client_prefix(epoch)}{name}": newest_value(newest) for name, newest in freshness.clients.items()}
    return slots | clients


def _freshness(item: Item, epoch: int) -> Freshness:
    slot, client_prefix = _slot_prefix(epoch), _client_prefix(epoch)
    data_sets = {}
    for name, value in item.items():
        if name.startswith(slot):
            client, last_number, newest = _unpack(value)
            data_sets[name.removeprefix(slot)] = Ingested(client, last_number, _newest_from_json(newest))
    return Freshness(
        data_sets,
        {
            name.removeprefix(client_prefix): newest_from_value(value)
            for name, value in item.items()
            if name.startswith(client_prefix)
        },
    )


def _slot_prefix(epoch: int) -> str:
    return f"d{epoch}#"


def _client_prefix(epoch: int) -> str:
    return f"c{epoch}#"


def _newest_as_json(newest: NewestByType) -> dict[str, list[int]]:
    # Most data is stored soon after its time: the difference has fewer digits.
    return {name: [times.time_ms, times.stored_time_ms - times.time_ms] for name, times in newest.items()}


def _newest_from_json(newest: Mapping[str, list[int]]) -> NewestByType:
    return {name: Newest(time_ms, time_ms + later_ms) for name, (time_ms, later_ms) in newest.items()}


def _pack(value: object) -> bytes:
    return deflate(json_text.encode(value), BEST_COMPRESSION, _PRESET_DICTIONARY)


def _unpack(value: bytes) -> Any:
    return json_text.decode(inflate(value, _PRESET_DICTIONARY))


def _has_counter(name: str, value: int) -> Condition:
    """A counter has this value; one that was never written counts as 0."""
    return equals(name, value, or_absent=value == 0)
