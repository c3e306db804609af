"""Tables that reply at once, so that the cost of the DynamoDB client can be told from the cost of DynamoDB.

They store items by key, end the pages of a query at 1 MB as DynamoDB does, carry out the measured requests, and count
what DynamoDB would charge. Conditions are assumed to hold, because nobody else writes.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.stubs.dynamodb_costs import (
    ITEM_OVERHEAD_BYTES,
    PAGE_BYTES,
    TRANSACTION_FACTOR,
    item_bytes,
    read_units,
    write_units,
)
from bench.stubs.dynamodb_expressions import filter_condition, key_condition, updated

Item = dict[str, Any]


@dataclass(slots=True)
class _Partition:
    """The items of a partition, by sort key, with their sizes."""

    items: dict[str, tuple[Item, int]] = field(default_factory=dict)
    sort_keys: list[str] = field(default_factory=list)

    def put(self, sort_key: str, item: Item, size_bytes: int) -> None:
        if sort_key not in self.items:
            insort(self.sort_keys, sort_key)
        self.items[sort_key] = item, size_bytes

    def delete(self, sort_key: str) -> None:
        if self.items.pop(sort_key, None) is not None:
            del self.sort_keys[bisect_left(self.sort_keys, sort_key)]

    def from_to(self, first: str | None, *, is_forward: bool) -> Iterator[str]:
        """The sort keys after `first` in either direction; all of them for None."""
        keys = self.sort_keys if is_forward else self.sort_keys[::-1]
        return (key for key in keys if first is None or (key > first if is_forward else key < first))


class Tables:
    """The items by table and key, and the requests counted since they were last read."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, _Partition]] = defaultdict(lambda: defaultdict(_Partition))
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0

    def kept_bytes(self) -> dict[str, int]:
        """The storage of each table in bytes."""
        return {
            table: sum(
                size_bytes + ITEM_OVERHEAD_BYTES
                for partition in partitions.values()
                for _, size_bytes in partition.items.values()
            )
            for table, partitions in self._tables.items()
        }

    def answer(self, operation: str, request: Item) -> Item:
        """Reply as DynamoDB would."""
        self.calls[operation] += 1
        match operation:
            case "GetItem":
                item = self._read(request["TableName"], request["Key"], request)
                return {} if item is None else {"Item": item}
            case "PutItem":
                self._write({"Put": request})
                return {}
            case "UpdateItem":
                item = self._write({"Update": request})
                return {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {}
            case "DeleteItem":
                self._write({"Delete": request})
                return {}
            case "BatchGetItem":
                wanted = request["RequestItems"].items()
                return {"Responses": {table: self._read_all(table, asked) for table, asked in wanted}}
            case "BatchWriteItem":
                for table, writes in request["RequestItems"].items():
                    for write in writes:
                        ((kind, content),) = write.items()
                        self._write({kind.removesuffix("Request"): {"TableName": table, **content}})
                return {"UnprocessedItems": {}}
            case "TransactWriteItems":
                for write in request["TransactItems"]:
                    self._write(write, factor=TRANSACTION_FACTOR)
                return {}
            case "Query":
                return self._query(request)
        raise NotImplementedError(operation)

    def _partition(self, table: str, key: Item) -> tuple[_Partition, str]:
        return self._tables[table][key["pk"]["S"]], key.get("sk", {"S": ""})["S"]

    def _read(self, table: str, key: Item, asked: Mapping[str, Any]) -> Item | None:
        partition, sort_key = self._partition(table, key)
        item, size_bytes = partition.items.get(sort_key, (None, 0))
        self.read_units += read_units(size_bytes, is_consistent=asked.get("ConsistentRead", False))
        return item

    def _read_all(self, table: str, asked: Item) -> list[Item]:
        found = [self._read(table, key, asked) for key in asked["Keys"]]
        return [item for item in found if item is not None]

    def _write(self, write: Item, factor: int = 1) -> Item | None:
        ((kind, content),) = write.items()
        key = content["Item"] if kind == "Put" else content["Key"]
        partition, sort_key = self._partition(content["TableName"], key)
        before, before_bytes = partition.items.get(sort_key, (None, 0))
        item, size_bytes = before, before_bytes
        if kind == "Delete":
            partition.delete(sort_key)
            item = None
        elif kind != "ConditionCheck":
            if kind == "Put":
                item = content["Item"]
            else:
                names, values = (content.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values"))
                item = updated(before or dict(key), content["UpdateExpression"], names, values)
            size_bytes = item_bytes(item)
            partition.put(sort_key, item, size_bytes)
        self.write_units += factor * write_units(max(before_bytes, size_bytes))
        return item

    def _query(self, request: Item) -> Item:
        if "IndexName" in request:
            raise NotImplementedError(request)
        names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
        expression = " ".join(names.get(word, word) for word in request["KeyConditionExpression"].split())
        pk, is_selected = key_condition(expression, values)
        partition = self._tables[request["TableName"]][pk]
        after = request["ExclusiveStartKey"]["sk"]["S"] if "ExclusiveStartKey" in request else None
        page: list[Item] = []
        answer: Item = {"Items": page}
        size_bytes = 0
        for sort_key in filter(is_selected, partition.from_to(after, is_forward=request.get("ScanIndexForward", True))):
            item, of_item_bytes = partition.items[sort_key]
            is_full = size_bytes + of_item_bytes > PAGE_BYTES or len(page) == request.get("Limit")
            if page and is_full:
                answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk")}
                break
            page.append(item)
            size_bytes += of_item_bytes
        self.read_units += read_units(size_bytes, is_consistent=request.get("ConsistentRead", False))
        if "FilterExpression" in request:
            answer["Items"] = [*filter(filter_condition(request["FilterExpression"], names, values), page)]
        return answer | {"Count": len(answer["Items"])}
