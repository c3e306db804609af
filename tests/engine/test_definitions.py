"""The tables that stores know are those that the template creates."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

from chalicelib.engine.definitions import TABLES, KeyAttribute, TableDefinition
from tools.project import STATEFUL_TEMPLATE

KINDS = {"HASH": 0, "RANGE": 1}


@pytest.fixture(scope="module")
def created() -> dict[str, Mapping[str, Any]]:
    """The properties of the template's tables, by the last part of their names."""
    resources = load(str(STATEFUL_TEMPLATE))["Resources"].values()
    tables = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::DynamoDB::Table"]
    return {table["TableName"]["Fn::Sub"].removeprefix("strandline-${Stage}-"): table for table in tables}


def key_of(table: Mapping[str, Any], schema: list[Mapping[str, str]]) -> list[KeyAttribute]:
    """The attributes of a key, the partition's first."""
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    names = [key["AttributeName"] for key in sorted(schema, key=lambda key: KINDS[key["KeyType"]])]
    return [KeyAttribute(name, types[name]) for name in names]


def indexes_of(table: Mapping[str, Any]) -> Iterator[tuple[str, list[KeyAttribute], object]]:
    """Name, key and projection of each index."""
    for index in table.get("GlobalSecondaryIndexes", ()):
        projection = index["Projection"]
        held = {
            "ALL": "all",
            "KEYS_ONLY": (),
            "INCLUDE": tuple(projection.get("NonKeyAttributes", ())),
        }
        yield index["IndexName"], key_of(table, index["KeySchema"]), held[projection["ProjectionType"]]


def test_the_template_creates_these_tables_and_no_other(created: dict[str, Mapping[str, Any]]) -> None:
    assert sorted(created) == sorted(definition.name for definition in TABLES)


@pytest.mark.parametrize("definition", TABLES, ids=lambda attribute: attribute.name)
def test_a_table_has_the_keys_indexes_and_expiration_of_its_definition(
    definition: TableDefinition, created: dict[str, Mapping[str, Any]]
) -> None:
    table = created[definition.name]
    key = [definition.partition] if definition.sort is None else [definition.partition, definition.sort]
    assert key_of(table, table["KeySchema"]) == key
    assert list(indexes_of(table)) == [
        (index.name, [index.partition, index.sort], index.projection) for index in definition.indexes
    ]
    expiration = table.get("TimeToLiveSpecification")
    assert (expiration and expiration["AttributeName"]) == definition.expires_at
