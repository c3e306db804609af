"""Slots of task types in DynamoDB: an item each, there as long as somebody holds it."""

from chalicelib.config import Settings
from chalicelib.engine import dynamodb
from chalicelib.tasks.ports import Slot
from chalicelib.tasks.stores.keys import slot_key


class DynamoTaskSlots:
    """The port `TaskSlots` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.tasks_table

    def take(self, task_type: str, at_once: int, holder: str, from_ms: int, until_ms: int) -> Slot | None:
        """One conditional write for each slot, until one succeeds."""
        for number in range(at_once):
            try:
                with dynamodb.refusals():
                    dynamodb.client(self._settings).put_item(
                        TableName=self._table,
                        Item=slot_key(task_type, number) | {"holder": {"S": holder}, "until_ms": {"N": str(until_ms)}},
                        ConditionExpression="attribute_not_exists(pk) OR until_ms < :from",
                        ExpressionAttributeValues={":from": {"N": str(from_ms)}},
                    )
            except dynamodb.ConditionRefusedError:
                continue
            return Slot(task_type, number, holder, from_ms, until_ms)
        return None

    def release(self, task_type: str, number: int, holder: str) -> None:
        """One conditional write."""
        try:
            with dynamodb.refusals():
                dynamodb.client(self._settings).delete_item(
                    TableName=self._table,
                    Key=slot_key(task_type, number),
                    ConditionExpression="holder = :holder",
                    ExpressionAttributeValues={":holder": {"S": holder}},
                )
        except dynamodb.ConditionRefusedError:
            return
