"""Metadata in the accounts table: one item for each collection, with its values as JSON."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.ports import Collection
from chalicelib.accounts.stores.keys import METADATA_PREFIX, collection_key, user_pk
from chalicelib.config import Settings
from chalicelib.engine import dynamodb
from chalicelib.errors import InvalidRequestError

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item


def collection_item(user_id: str, name: str, collection: Collection) -> "Item":
    """The item of a collection."""
    return collection_key(user_id, name) | {
        "user_id": {"S": user_id},
        "name": {"S": name},
        "values": {"S": orjson.dumps(collection.values).decode()},
        "version": {"N": str(collection.version)},
    }


def collection_from_item(item: "Item") -> Collection:
    """The collection of an item."""
    return Collection(orjson.loads(item["values"]["S"]), int(item["version"]["N"]))


class DynamoProfiles:
    """The port `Profiles` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def find(self, user_id: str, name: str) -> Collection | None:
        """One read."""
        if not fits_key(user_id) or not fits_key(name):
            return None
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(
                TableName=self._table, Key=collection_key(user_id, name), ConsistentRead=True
            )
        return collection_from_item(found["Item"]) if "Item" in found else None

    def find_many(self, user_ids: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """One batch for each hundred collections."""
        keys = [collection_key(user_id, name) for user_id in dict.fromkeys(user_ids) for name in dict.fromkeys(names)]
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for item in dynamodb.batch_get(dynamodb.client(self._settings), self._table, keys):
            found.setdefault(item["user_id"]["S"], {})[item["name"]["S"]] = collection_from_item(item).values
        return found

    def replace(self, user_id: str, name: str, old: Collection | None, new: Collection) -> bool:
        """One conditional write."""
        if not fits_key(user_id) or not fits_key(name):
            raise InvalidRequestError("a user id or the name of a collection is empty or too long")
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if old is not None:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(old.version)}},
            }
        try:
            with dynamodb.refusals():
                dynamodb.client(self._settings).put_item(
                    TableName=self._table, Item=collection_item(user_id, name, new), **condition
                )
        except dynamodb.ConditionRefusedError:
            return False
        return True

    def delete_all(self, user_id: str) -> None:
        """One query, and one write for each collection."""
        if not fits_key(user_id):
            return
        client = dynamodb.client(self._settings)
        for item in dynamodb.query_all(
            client, self._table, user_pk(user_id), METADATA_PREFIX, ProjectionExpression="pk, sk"
        ):
            with dynamodb.refusals():
                client.delete_item(TableName=self._table, Key={"pk": item["pk"], "sk": item["sk"]})
