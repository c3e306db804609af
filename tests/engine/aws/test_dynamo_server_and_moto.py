"""The server that stands in for DynamoDB and moto give the same replies to whatever the engine sends."""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import count, product
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.config import Settings
from chalicelib.engine.aws import dynamodb
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.conditions import (
    Condition,
    absent,
    all_of,
    any_of,
    at_most,
    equals,
    exists,
    greater_than,
    less_than,
    not_equals,
    starts_with,
)
from chalicelib.engine.definitions import ACCOUNTS, BLOBS, TASKS
from chalicelib.engine.errors import ConditionFailedError, TransactionRefusedError
from chalicelib.engine.table import Check, Delete, Prefix, Put, Query, Range, Table, Update, Write
from tests.engine.stage import create_tables
from tests.fakes.dynamodb import expressions
from tests.fakes.dynamodb.refusals import code_of
from tests.fakes.dynamodb.server import dynamo_server

SETTINGS = Settings(stage="test")
EXAMPLES = 40
STEPS = 10
TEXTS = ("", "a", "a#1", "b", "é\U0001f600")
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(TEXTS),
    "number": st.one_of(st.integers(-3, 3), st.integers(-(10**30), 10**30)),
    "flag": st.booleans(),
    "body": st.binary(max_size=4),
    "texts": st.lists(st.sampled_from(TEXTS), max_size=2),
}
"""Attributes, each of one type: moto fails at a comparison of values of two."""
SORT_KEYS = ("a", "a#1", "é")
_examples = count()


class Both:
    """Sends each request to both, and compares what comes back."""

    def __init__(self) -> None:
        self._server = dynamo_server(SETTINGS)
        self._moto = dynamodb.transport(SETTINGS)

    def __call__(self, operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        """The reply of the server."""
        mine, theirs = (_outcome(sender, operation, request) for sender in (self._server.send, self._moto.send))
        assert _comparable(mine) == _comparable(theirs), (operation, request)
        if isinstance(mine, ClientError):
            with engine_errors():
                raise mine
        reply: Mapping[str, Any] = mine
        return reply


def _outcome(send: Any, operation: str, request: dict[str, Any]) -> Any:
    try:
        return send(operation, request)
    except ClientError as error:
        return error


def _comparable(outcome: Any) -> Any:
    """The part that has to be the same: of refusals codes and what is stored, of replies items, a batch in any order.

    moto names no last key of a full page if nothing follows. DynamoDB may: "The only way to know when you have reached
    the end of the result set is when LastEvaluatedKey is empty" (API reference of Query)."""
    if isinstance(outcome, ClientError):
        response: Any = outcome.response
        reasons = [(reason["Code"], reason.get("Item")) for reason in response.get("CancellationReasons", ())]
        return code_of(outcome), reasons, response.get("Item")
    found = {
        name: sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
        for name, items in outcome.get("Responses", {}).items()
        if items
    }
    return found, outcome.get("Items"), outcome.get("Count"), outcome.get("Item"), outcome.get("UnprocessedItems")


@pytest.fixture(scope="module")
def _tables_of_moto() -> Any:
    with mock_aws():
        dynamodb.forget_clients()
        create_tables(SETTINGS)
        yield
    dynamodb.forget_clients()


def conditions() -> st.SearchStrategy[Condition]:
    """Conditions of the seam, on attributes that are there or not."""
    names = st.sampled_from((*VALUES, "count", "missing"))
    ordered = st.one_of(
        st.builds(lambda make, value: make("number", value), ORDERS, VALUES["number"]),
        st.builds(lambda make, value: make("text", value), ORDERS, VALUES["text"]),
    )
    equal = st.sampled_from(sorted(VALUES.keys() - {"texts"})).flatmap(
        lambda name: st.builds(
            lambda make, value: make(name, value), st.sampled_from((equals, not_equals)), VALUES[name]
        )
    )
    or_absent = st.builds(lambda value: equals("number", value, or_absent=True), VALUES["number"])
    simple = st.one_of(
        ordered,
        equal,
        or_absent,
        st.builds(exists, names),
        st.builds(absent, names),
        st.builds(starts_with, st.just("text"), st.sampled_from(TEXTS[1:])),
    )
    joined = st.lists(simple, min_size=2, max_size=3)
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.builds(lambda parts: all_of(*parts), st.lists(inner, min_size=2, max_size=3)),
            st.builds(lambda parts: any_of(*parts), joined),
        ),
        max_leaves=4,
    )


ORDERS = st.sampled_from((less_than, at_most, greater_than))
ATTRIBUTES = st.fixed_dictionaries({}, optional=dict(VALUES) | {"count": st.integers(0, 9)})
MAYBE = st.one_of(st.none(), conditions() | st.sampled_from([exists(), absent()]))
FILTERS = st.one_of(st.none(), conditions())


class Steps:
    """Random operations on the tables of one example, in partitions of its own."""

    def __init__(self, data: st.DataObject) -> None:
        self._draw = data.draw
        self._prefix = next(_examples)
        tables = dynamodb.DynamoTables(SETTINGS, Both())
        self._tables = tables
        self._accounts, self._tasks, self._blobs = map(tables.table, (ACCOUNTS, TASKS, BLOBS))

    def fill(self) -> None:
        """Store an item at most keys."""
        for partition, sort in product("ab", SORT_KEYS):
            key = {"pk": f"{self._prefix}{partition}", "sk": sort}
            self._accounts.put(key | {"count": 1} | self._draw(ATTRIBUTES))

    def step(self) -> None:
        """One operation; what it raises is what both raised."""
        operations = [self._query, self._query_index, self._write, self._write, self._write_many, self._write_many]
        with suppress(ConditionFailedError, TransactionRefusedError):
            self._draw(st.sampled_from(operations))()

    def read_all(self) -> None:
        """Read all items."""
        for partition in "ab":
            items = list(self._accounts.query(Query(f"{self._prefix}{partition}")))
            self._accounts.batch_get([{name: item[name] for name in ("pk", "sk")} for item in items])
        self._read()

    def _read(self) -> None:
        self._accounts.get(self._key(), may_lag=self._draw(st.booleans()))
        keys = [(ACCOUNTS, self._key()), (TASKS, self._task_key()), (ACCOUNTS, self._key())]
        self._tables.batch_get(keys)

    def _query(self) -> None:
        list(
            self._accounts.query(
                Query(
                    self._partition(),
                    self._draw(SORT_RANGES),
                    where=self._draw(FILTERS),
                    newest_first=self._draw(st.booleans()),
                    limit=self._draw(st.none() | st.integers(1, 4)),
                    first_page=self._draw(st.none() | st.integers(1, 3)),
                    attributes=self._draw(st.sampled_from([(), ("sk",), ("number", "missing"), ("pk", "text")])),
                    may_lag=self._draw(st.booleans()),
                )
            )
        )

    def _query_index(self) -> None:
        newest_first, limit = self._draw(st.booleans()), self._draw(st.none() | st.integers(1, 2))
        where = self._draw(st.sampled_from([None, equals("type", "x"), absent("type"), starts_with("type", "x")]))
        created = Query(self._partition(), index="created", where=where, newest_first=newest_first, limit=limit)
        bounds = self._draw(st.sampled_from([None, Range(below=2), Range(at_least=-1, at_most=3)]))
        awaiting = Query(self._partition(), bounds, "awaiting-content", newest_first=newest_first, limit=limit)
        for table, query in ((self._tasks, created), (self._blobs, awaiting)):
            list(table.query(query))

    def _write(self) -> None:
        write, table = self._draw(st.sampled_from([(self._put, self._accounts), (self._put_task, self._tasks)]))
        write(table)

    def _put(self, table: Table) -> None:
        written = self._written()
        if isinstance(written, Put):
            table.put(written.item, written.condition, return_stored=written.return_stored)
        elif isinstance(written, Update):
            table.update(written)
        elif isinstance(written, Delete):
            table.delete(written.key, written.condition, return_stored=written.return_stored)

    def _put_task(self, table: Table) -> None:
        number = self._draw(st.integers(0, 3))
        order = {"created_pk": self._partition(), "created_sk": f"{self._draw(st.integers(0, 1))}{number}"}
        item = self._task_key(number) | self._draw(st.sampled_from([{}, order, order | {"type": "x"}]))
        table.put(item | self._draw(ATTRIBUTES))
        number_key = {"awaiting": self._partition(), "created_time_ms": self._draw(st.integers(-2, 2)) * 4 + number}
        self._blobs.put(self._key(str(number)) | self._draw(st.sampled_from([{}, number_key])))

    def _write_many(self) -> None:
        written = (self._written() for _ in range(self._draw(st.integers(1, 3))))
        writes = {tuple(_key_of(write).items()): write for write in written}
        if self._draw(st.booleans()):
            self._accounts.transact(list(writes.values()))
            return
        plain = (write for write in writes.values() if isinstance(write, Put | Delete))
        self._accounts.batch_write([Put(w.item) if isinstance(w, Put) else Delete(w.key) for w in plain])

    def _written(self) -> Write:
        condition, key, is_told = self._draw(MAYBE), self._key(), self._draw(st.booleans())
        kind = self._draw(st.sampled_from([Update, Update, Put, Delete, Check]))
        if kind is Put:
            return Put(key | self._draw(ATTRIBUTES), condition, is_told)
        if kind is Delete:
            return Delete(key, condition, is_told)
        if kind is Check:
            return Check(key, exists() if condition is None else condition, is_told)
        names = self._draw(st.permutations(sorted(VALUES)))
        first, second, third = names[:3]
        return Update(
            key,
            set={first: self._draw(VALUES[first])},
            set_if_absent={second: self._draw(VALUES[second])} if self._draw(st.booleans()) else {},
            add={"count": self._draw(st.integers(-2, 2))} if self._draw(st.booleans()) else {},
            remove=(third, "missing") if self._draw(st.booleans()) else (),
            condition=condition,
            return_stored=is_told,
        )

    def _partition(self) -> str:
        return f"{self._prefix}{self._draw(st.sampled_from('ab'))}"

    def _key(self, sort: str | None = None) -> dict[str, Any]:
        return {"pk": self._partition(), "sk": sort or self._draw(st.sampled_from(SORT_KEYS))}

    def _task_key(self, number: int | None = None) -> dict[str, Any]:
        return {"pk": f"{self._prefix}-{self._draw(st.integers(0, 3)) if number is None else number}"}


SORT_RANGES = st.sampled_from(
    [
        None,
        None,
        Prefix("a"),
        Prefix("a#"),
        Range(at_least="a#1"),
        Range(above="a#1"),
        Range(at_most="b"),
        Range(below="b"),
        Range(at_least="a#1", at_most="b"),
    ]
)


def _key_of(write: Write) -> dict[str, Any]:
    item = write.item if isinstance(write, Put) else write.key
    return {name: item[name] for name in ("pk", "sk")}


@pytest.mark.usefixtures("_tables_of_moto")
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_both_reply_the_same_to_what_the_engine_sends(data: st.DataObject) -> None:
    steps = Steps(data)
    steps.fill()
    for _ in range(STEPS):
        steps.step()
    steps.read_all()


@pytest.mark.usefixtures("_tables_of_moto")
def test_a_different_reply_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dynamodb.DynamoTables(SETTINGS, Both()).table(ACCOUNTS)
    key = {"pk": "planted", "sk": "a"}
    table.update(Update(key, add={"count": 1}))
    monkeypatch.setattr(expressions, "_sum", lambda _stored, added: added)
    table.update(Update(key, add={"count": 1}))
    with pytest.raises(AssertionError, match="GetItem"):
        table.get(key)
