"""Refused uploads in DynamoDB: an item each, which goes by itself."""

from chalicelib import json_text
from chalicelib.config import Settings
from chalicelib.engine.dynamodb import batch_delete, client, query_pages, refusals
from chalicelib.log.stores.keys import refusals_partition
from chalicelib.log.stores.legacy import refusal_key
from chalicelib.uploads.ports import KEPT_FOR_MS, Refusal, RefusedError


class DynamoRefusals:
    """Implements `uploads.ports.Refusals`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def add(self, refusal: Refusal) -> None:
        """One put."""
        kept = {
            "dataSetId": refusal.data_set_id,
            "clientName": refusal.client_name,
            "clientVersion": refusal.client_version,
            "action": refusal.action,
            "errorCount": refusal.error_count,
            "errors": [[error.code, error.pointer] for error in refusal.errors],
        }
        with refusals():
            client(self._settings).put_item(
                TableName=self._settings.data_table,
                Item={
                    **refusal_key(refusal.owner_id, refusal.time_ms, refusal.id),
                    "id": {"S": refusal.id},
                    "time_ms": {"N": str(refusal.time_ms)},
                    "kept": {"B": json_text.encode(kept)},
                    "expires_at_s": {"N": str((refusal.time_ms + KEPT_FOR_MS) // 1000)},
                },
            )

    def of_owner(self, owner_id: str, since_ms: int, most: int) -> list[Refusal]:
        """One query; what has expired and is still there is left out."""
        with refusals():
            page = client(self._settings).query(
                TableName=self._settings.data_table,
                KeyConditionExpression="pk = :pk AND sk >= :since",
                ExpressionAttributeValues={
                    ":pk": {"S": refusals_partition(owner_id)},
                    ":since": {"S": f"{since_ms:013d}"},
                },
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=most,
            )
        found = []
        for item in page["Items"]:
            kept = json_text.decode(item["kept"]["B"])
            found.append(
                Refusal(
                    id=item["id"]["S"],
                    owner_id=owner_id,
                    time_ms=int(item["time_ms"]["N"]),
                    data_set_id=kept["dataSetId"],
                    client_name=kept["clientName"],
                    client_version=kept["clientVersion"],
                    action=kept["action"],
                    error_count=kept["errorCount"],
                    errors=tuple(RefusedError(code, pointer) for code, pointer in kept["errors"]),
                )
            )
        return found

    def remove_all(self, owner_id: str) -> None:
        """One query, and one write for each 25."""
        dynamodb, table = client(self._settings), self._settings.data_table
        items = query_pages(
            dynamodb,
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": refusals_partition(owner_id)}},
            ProjectionExpression="pk, sk",
        )
        batch_delete(dynamodb, table, list(items))
