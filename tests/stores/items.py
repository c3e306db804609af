"""The items of a table of either engine, read without the stores."""

from typing import Any

from chalicelib.config import Settings
from chalicelib.engine.aws.attribute_values import from_values
from chalicelib.engine.definitions import TableDefinition
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.engine import Engine
from chalicelib.engine.table import Item
from tests.engine.stage import sdk
from tests.fakes import engine as memory


def stored_items(engine: Engine, table: TableDefinition) -> list[Item]:
    """All items of a table, in any order."""
    if isinstance(engine, EmbeddedEngine):
        return memory.stored_items(engine, table)
    settings = Settings(stage="test")
    pages: Any = sdk(settings).get_paginator("scan").paginate(TableName=getattr(settings, f"{table.name}_table"))
    return [dict(from_values(item)) for page in pages for item in page["Items"]]
