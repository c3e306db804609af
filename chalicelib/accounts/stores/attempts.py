"""Counters of sign-in attempts in the accounts table, removed by DynamoDB after their window."""

from collections.abc import Sequence

from chalicelib.accounts.ports import Counter
from chalicelib.accounts.stores.keys import attempts_key
from chalicelib.config import Settings
from chalicelib.engine import dynamodb


class DynamoSignInAttempts:
    """The port `SignInAttempts` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def count(self, counters: Sequence[Counter]) -> Counter | None:
        """One conditional write for each counter, so that no two attempts take the same place."""
        for counter in counters:
            try:
                self._add(counter, 1, only_below=counter.most)
            except dynamodb.ConditionRefusedError:
                return counter
        return None

    def uncount(self, counters: Sequence[Counter]) -> None:
        """One write for each counter."""
        for counter in counters:
            self._add(counter, -1)

    def _add(self, counter: Counter, attempts: int, only_below: int | None = None) -> None:
        values = {":attempts": {"N": str(attempts)}, ":ends": {"N": str(counter.ends_s)}}
        condition = {}
        if only_below is not None:
            values[":most"] = {"N": str(only_below)}
            condition = {"ConditionExpression": "attribute_not_exists(attempts) OR attempts < :most"}
        with dynamodb.refusals():
            dynamodb.client(self._settings).update_item(
                TableName=self._table,
                Key=attempts_key(counter.key, counter.starts_s),
                UpdateExpression="ADD attempts :attempts SET expires_at_s = :ends",
                ExpressionAttributeValues=values,
                **condition,  # type: ignore[arg-type]  # one of the optional strings
            )
