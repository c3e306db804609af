"""Items of tiles in a table, read without the stores."""

import hashlib

from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.table import Item, Query
from chalicelib.tiles.stores.keys import tiles_partition
from tests.stores.log.test_data_stores import ANNA


def noise(seed: str, count: int) -> str:
    """Text that hardly shrinks."""
    return "".join(hashlib.sha256(f"{seed}{index}".encode()).hexdigest() for index in range(count // 64 + 1))[:count]


def sort_keys(settings: Settings, partition: str) -> list[str]:
    """The sort keys of a partition."""
    return [item["sk"] for item in items(settings, partition)]


def items(settings: Settings, partition: str) -> list[Item]:
    """The items of a partition."""
    return list(aws_engine(settings).data.query(Query(partition)))


def stored_tiles(settings: Settings) -> list[str]:
    """The items of Anna's tiles."""
    return sort_keys(settings, tiles_partition(ANNA, 0))
