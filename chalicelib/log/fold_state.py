"""What the fold makes of a data set besides its entries, as a short text: two that are equal fold alike."""

import hashlib
from collections.abc import Iterable

from chalicelib import json_text
from chalicelib.log.data_set import DataSet
from chalicelib.log.truncation import truncates, truncations

_DIGITS = 16


def fold_states(every: Iterable[DataSet]) -> dict[str, str]:
    """The state of each data set whose data can be seen, by id; given all data sets of the owner."""
    every = list(every)
    truncating = [data_set for data_set in every if truncates(data_set)]
    return {data_set.id: _state(data_set, truncating) for data_set in every if can_be_seen(data_set)}


def can_be_seen(data_set: DataSet) -> bool:
    """Whether anything of its log is visible, or will be without its being closed."""
    return data_set.is_active and not data_set.is_gone


def _state(data_set: DataSet, truncating: Iterable[DataSet]) -> str:
    cuts = [(it.close_order, it.device_id, it.last_number) for it in truncations(data_set, truncating)]
    state = (data_set.deduplicator, data_set.device_id, data_set.close_order, data_set.cut_off, cuts)
    return hashlib.sha256(json_text.encode(state)).hexdigest()[:_DIGITS]
