"""The item of a user's counters, and the writes of it that go into transactions of the data table.

Most writes of data raise a counter there, which readers that poll compare. They also keep what came in, as an attribute
for each data set that has a place and one for each client; attribute names are short, since each add pays for the item
by the kilobyte. They hold the epoch: what an add leaves that met an erasing is not read as of the next epoch.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import json_text
from chalicelib.encoding.raw_deflate import BEST_COMPRESSION, deflate, inflate
from chalicelib.log.data_set import DataOwner
from chalicelib.log.freshness import CameIn, Freshness, Newest, NewestByType
from chalicelib.log.stores.keys import owner_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

Item = dict[str, Any]

_PRESET_DICTIONARY = (
    b'"alert""basal""bloodKetone""bolus""calculator""cgmSettings""controllerSettings""controllerStatus""deviceEvent"'
    b'"deviceStatus""dosingDecision""food""insulin""physicalActivity""pumpSettings""pumpStatus""reportedState""smbg"'
    b'"water""wizard""cbg":[17],'
)
"""Makes names cost little. Stored values can be read with this very dictionary only, so it never changes."""


def owner_from_item(owner_id: str, item: Item | None) -> DataOwner:
    """The owner that an item of `owner_key` tells of; None is one without any data."""
    item = item or {}
    epoch = _counter(item, "epoch")
    return DataOwner(
        owner_id,
        epoch,
        closings=_counter(item, "closings"),
        has_sources="has_sources" in item,
        changes=_counter(item, "changes"),
        states=_counter(item, "states"),
        freshness=_freshness(item, epoch),
    )


def owner_check(table: str, owner_id: str, epoch: int) -> "TransactWriteItemTypeDef":
    """The part of a transaction that lets it through only while nothing of the owner's was erased."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": owner_key(owner_id),
            "ConditionExpression": _is_or_absent("epoch", epoch),
            "ExpressionAttributeValues": {":epoch": {"N": str(epoch)}},
        }
    }


def owner_change(
    table: str,
    owner_id: str,
    *,
    seen: Mapping[str, int],
    states: int = 0,
    set_to: Mapping[str, Any] | None = None,
    has: str | None = None,
) -> "UpdateTypeDef":
    """The update by which a write that readers can notice raises the owner's `changes`.

    Args:
        seen: counters that must have these values; one that was never written counts as 0.
        states: how many states data sets get by it.
        set_to: new values of other attributes, None for those to remove.
        has: an attribute that must be there.
    """
    names, values = {}, {":one": {"N": "1"}} | {f":{name}": {"N": str(value)} for name, value in seen.items()}
    conditions = [_is_or_absent(name, value) for name, value in seen.items()]
    if has is not None:
        names["#has"] = has
        conditions.append("attribute_exists(#has)")
    added, set_parts, removed = ["changes :one"], [], []
    if states:
        added.append("states :states")
        values[":states"] = {"N": str(states)}
    for place, (name, value) in enumerate((set_to or {}).items()):
        names[f"#a{place}"] = name
        if value is None:
            removed.append(f"#a{place}")
        else:
            set_parts.append(f"#a{place} = :a{place}")
            values[f":a{place}"] = value
    parts = (("ADD", added), ("SET", set_parts), ("REMOVE", removed))
    update: UpdateTypeDef = {
        "TableName": table,
        "Key": owner_key(owner_id),
        "UpdateExpression": " ".join(f"{word} {', '.join(each)}" for word, each in parts if each),
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if names:
        update["ExpressionAttributeNames"] = names
    if conditions:
        update["ConditionExpression"] = " AND ".join(conditions)
    return update


def place_name(epoch: int, data_set_id: str) -> str:
    """The attribute of a data set that has a place."""
    return f"{_places(epoch)}{data_set_id}"


def place_value(came_in: CameIn) -> Item:
    """What the attribute of a data set holds."""
    return _packed([came_in.client, came_in.last_number, _newest_as_json(came_in.newest)])


def freshness_changes(owner: DataOwner, after: Freshness) -> Item:
    """The attributes that differ from what they were, with their new values; None for those to remove."""
    old, new = _attributes(owner.epoch, owner.freshness), _attributes(owner.epoch, after)
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | {name: None for name in old if name not in new}


def newest_value(newest: NewestByType) -> Item:
    """What the attribute of a client holds, and that of a data set's head."""
    return _packed(_newest_as_json(newest))


def newest_from_value(value: Item) -> NewestByType:
    """What `newest_value` made a value of."""
    return _newest_from_json(_unpacked(value))


def _attributes(epoch: int, freshness: Freshness) -> Item:
    places = {place_name(epoch, name): place_value(came_in) for name, came_in in freshness.data_sets.items()}
    clients = {f"{_clients(epoch)}{name}": newest_value(newest) for name, newest in freshness.clients.items()}
    return places | clients


def _freshness(item: Item, epoch: int) -> Freshness:
    places, clients = _places(epoch), _clients(epoch)
    data_sets = {}
    for name, value in item.items():
        if name.startswith(places):
            client, last_number, newest = _unpacked(value)
            data_sets[name.removeprefix(places)] = CameIn(client, last_number, _newest_from_json(newest))
    return Freshness(
        data_sets,
        {name.removeprefix(clients): newest_from_value(item[name]) for name in item if name.startswith(clients)},
    )


def _places(epoch: int) -> str:
    return f"d{epoch}#"


def _clients(epoch: int) -> str:
    return f"c{epoch}#"


def _newest_as_json(newest: NewestByType) -> dict[str, list[int]]:
    # Most data comes in soon after its time: the difference has fewer digits.
    return {name: [it.time_ms, it.stored_time_ms - it.time_ms] for name, it in newest.items()}


def _newest_from_json(newest: Mapping[str, list[int]]) -> NewestByType:
    return {name: Newest(time_ms, time_ms + later_ms) for name, (time_ms, later_ms) in newest.items()}


def _packed(value: object) -> Item:
    return {"B": deflate(json_text.encode(value), BEST_COMPRESSION, _PRESET_DICTIONARY)}


def _unpacked(value: Item) -> Any:
    return json_text.decode(inflate(bytes(value["B"]), _PRESET_DICTIONARY))


def _counter(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _is_or_absent(name: str, value: int) -> str:
    """The condition that a counter has this value; one that was never written counts as 0."""
    return f"({name} = :{name} OR attribute_not_exists({name}))" if value == 0 else f"{name} = :{name}"
