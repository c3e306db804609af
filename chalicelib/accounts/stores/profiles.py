"""Metadata in the accounts table: one item for each collection, with its values as JSON text."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from chalicelib.access.user_ids import fits_key
from chalicelib.accounts.ports import MetadataCollection
from chalicelib.accounts.stores.keys import METADATA_PREFIX, collection_key, user_pk
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.conditions import absent, equals
from chalicelib.engine.errors import ConditionFailedError
from chalicelib.engine.table import Item, Prefix, Query, Table
from chalicelib.errors import InvalidRequestError


def collection_item(user_id: str, name: str, collection: MetadataCollection) -> Item:
    """The item of a collection."""
    return collection_key(user_id, name) | {
        "user_id": user_id,
        "name": name,
        "values": orjson.dumps(collection.values).decode(),
        "version": collection.version,
    }


def collection_from_item(item: Item) -> MetadataCollection:
    """The collection of an item."""
    return MetadataCollection(orjson.loads(item["values"]), item["version"])


class StoredProfiles:
    """The port `Profiles` on the accounts table."""

    def __init__(self, accounts: Table) -> None:
        self._accounts = accounts

    def find(self, user_id: str, name: str) -> MetadataCollection | None:
        """One read."""
        if not fits_key(user_id) or not fits_key(name):
            return None
        item = self._accounts.get(collection_key(user_id, name))
        return None if item is None else collection_from_item(item)

    def find_many(self, user_ids: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, Mapping[str, Any]]]:
        """One batch for each hundred collections."""
        keys = [collection_key(user_id, name) for user_id in dict.fromkeys(user_ids) for name in dict.fromkeys(names)]
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for item in self._accounts.batch_get(keys):
            if item is not None:
                found.setdefault(item["user_id"], {})[item["name"]] = collection_from_item(item).values
        return found

    def count(self, user_id: str) -> int:
        """One query."""
        if not fits_key(user_id):
            return 0
        return len([*self._accounts.query(Query(user_pk(user_id), Prefix(METADATA_PREFIX), attributes=("sk",)))])

    def replace(self, user_id: str, name: str, old: MetadataCollection | None, new: MetadataCollection) -> None:
        """One conditional write."""
        if not fits_key(user_id) or not fits_key(name):
            raise InvalidRequestError("a user id or the name of a collection is empty or too long")
        is_unchanged = absent() if old is None else equals("version", old.version)
        try:
            self._accounts.put(collection_item(user_id, name, new), is_unchanged)
        except ConditionFailedError as error:
            raise WriteConflictError from error

    def delete_all(self, user_id: str) -> None:
        """One query, and one write for each collection."""
        if not fits_key(user_id):
            return
        for key in self._accounts.query(Query(user_pk(user_id), Prefix(METADATA_PREFIX), attributes=("pk", "sk"))):
            self._accounts.delete(key)
