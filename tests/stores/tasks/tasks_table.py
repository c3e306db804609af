"""The tasks table, with keys and indexes as they are deployed."""

from functools import cache
from typing import Any

from cfnlint.decode.cfn_yaml import load

from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import client
from tools.project import STATEFUL_TEMPLATE


def create_tasks_table(settings: Settings) -> None:
    """Makes the table of a stage."""
    client(settings).create_table(TableName=settings.tasks_table, **_definition())


@cache
def _definition() -> dict[str, Any]:
    table = load(str(STATEFUL_TEMPLATE))["Resources"]["TasksTable"]["Properties"]
    return {
        name: table[name] for name in ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
    }
