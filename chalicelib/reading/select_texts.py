"""Selects the records of one tile by their texts, so that only those that a text leaves in doubt are parsed.

The texts are JSON without spaces (`json_text.encode`): a record whose member has a value holds the bytes of that
member. Source: data-api 9, filters.
"""

import re
from collections.abc import Collection, Sequence

from chalicelib import json_text
from chalicelib.encoding.gzip_splice import DeflatedLines, inflated, lines_with, size_bytes, split_lines
from chalicelib.frozen import frozen
from chalicelib.reading.query import DataQuery
from chalicelib.reading.select import DOSING_DECISION, cuts
from chalicelib.reading.source_filters import CBG
from chalicelib.tiles.tile import Tile, TileKey

_SAMPLE_INTERVAL = re.compile(rb'"sampleInterval":(\d+)')


@frozen
class _WantedMember:
    """A member that a record must have, and the values of which it must have one."""

    name: str
    values: Collection[str]

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """Matches in each record that is wanted, and in those that have the member in an inner object alone."""
        members = (json_text.encode({self.name: value})[1:-1] for value in self.values)
        return re.compile(b"|".join(map(re.escape, members)))

    def selects(self, text: bytes) -> bool:
        """Whether a record is wanted."""
        return json_text.decode(text).get(self.name) in self.values


def select_texts(tile: Tile, key: TileKey, query: DataQuery) -> DeflatedLines | tuple[bytes, ...]:
    """The visible records of a tile that match the query's own filters, in the order of the reply.

    The lines come back as they are stored where the query drops none of them.
    """
    wanted = _wanted(key.type, query)
    minimum_ms = query.sample_interval_minimum_ms if key.type == CBG else 0
    if cuts(query, key.day):
        texts: Sequence[bytes] = tile.texts_between(query.start_ms, query.end_ms)
    elif wanted:
        texts = lines_with(inflated(tile.lines), wanted[0].pattern)
    elif minimum_ms > 0:
        lines = inflated(tile.lines)
        if not _has_faster(lines, minimum_ms):
            return tile.lines
        texts = split_lines(lines)
    else:
        return tile.lines
    texts = [text for text in texts if all(member.selects(text) for member in wanted)]
    kept = tuple(text for text in texts if minimum_ms <= 0 or not _is_faster(text, minimum_ms))
    return tile.lines if size_bytes(kept) == tile.lines.size_bytes else kept


def _wanted(name: str, query: DataQuery) -> list[_WantedMember]:
    """The members that a record of this type must have."""
    found = []
    if query.sub_types is not None:
        found.append(_WantedMember("subType", query.sub_types))
    if query.device_id is not None:
        found.append(_WantedMember("deviceId", {query.device_id}))
    if query.reasons is not None and name == DOSING_DECISION:
        found.append(_WantedMember("reason", query.reasons))
    return found


def _has_faster(lines: bytes, minimum_ms: int) -> bool:
    """Whether any reading of inflated lines is sampled faster than a minimum."""
    return any(_is_faster(text, minimum_ms) for text in lines_with(lines, _SAMPLE_INTERVAL))


def _is_faster(text: bytes, minimum_ms: int) -> bool:
    """Whether a reading has a sample interval below a minimum."""
    if all(int(interval_ms) >= minimum_ms for interval_ms in _SAMPLE_INTERVAL.findall(text)):
        return False
    interval_ms = json_text.decode(text).get("sampleInterval")
    return interval_ms is not None and interval_ms < minimum_ms
