"""Keys and items of the log in DynamoDB's form, for stores that do not speak `engine/table.py` yet."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

from chalicelib.engine.attribute_values import from_values, to_values
from chalicelib.engine.table import Key
from chalicelib.log.data_set import DataSetHead
from chalicelib.log.stores import data_sets, keys

Arguments = ParamSpec("Arguments")
Item = Mapping[str, Any]


def _in_values(make: Callable[Arguments, Key]) -> Callable[Arguments, dict[str, Any]]:
    def make_in_values(*args: Arguments.args, **kwargs: Arguments.kwargs) -> dict[str, Any]:
        return to_values(make(*args, **kwargs))

    return make_in_values


head_key = _in_values(keys.head_key)
data_set_key = _in_values(keys.data_set_key)
entry_key = _in_values(keys.entry_key)


def head_from_item(item: Item) -> DataSetHead:
    """See `data_sets.head_from_item`."""
    return data_sets.head_from_item(from_values(item))
