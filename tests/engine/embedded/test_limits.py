"""The limits of DynamoDB that the embedded engine holds, so that what passes here is not refused on AWS."""

from typing import Any

import pytest

from chalicelib.engine.conditions import equals, exists
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.faults import Faults
from chalicelib.engine.table import Check, Delete, Prefix, Put, Query, Range, Update, Write

KEY = {"pk": "p", "sk": "s"}
KB = 1024


def key(number: int) -> dict[str, str]:
    """The key of an item."""
    return {"pk": "p", "sk": f"{number:04d}"}


def test_an_item_has_up_to_400_kb_of_names_and_values(embedded: EmbeddedEngine) -> None:
    names_bytes = len("pkpsksbody")
    whole = KEY | {"body": b"x" * (400 * KB - names_bytes)}
    embedded.data.put(whole)
    assert embedded.data.get(KEY) == whole
    with pytest.raises(RuntimeError, match="400 KB"):
        embedded.data.put(KEY | {"body": b"x" * (400 * KB - names_bytes + 1)})
    with pytest.raises(RuntimeError, match="400 KB"):
        embedded.data.update(Update(KEY, set={"more": True}))
    assert embedded.data.get(KEY) == whole


@pytest.mark.parametrize(
    "wrong",
    [
        {"pk": "p"},
        {"sk": "s"},
        {"pk": "p", "sk": ""},
        {"pk": "", "sk": "s"},
        {"pk": "p", "sk": 1},
        {"pk": b"p", "sk": "s"},
        {"pk": "x" * 2049, "sk": "s"},
        {"pk": "p", "sk": "x" * 1025},
        {"pk": "p", "sk": "é" * 513},
    ],
    ids=str,
)
def test_a_key_is_of_two_texts_of_up_to_2048_and_1024_bytes(embedded: EmbeddedEngine, wrong: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="key"):
        embedded.data.put(wrong)
    with pytest.raises(RuntimeError, match="key"):
        embedded.data.get(wrong)
    with pytest.raises(RuntimeError, match="key"):
        embedded.data.delete(wrong)
    longest = {"pk": "x" * 2048, "sk": "é" * 512}
    embedded.data.put(longest)
    assert embedded.data.get(longest) == longest


def test_a_key_has_no_further_attribute(embedded: EmbeddedEngine) -> None:
    with pytest.raises(RuntimeError, match="no key"):
        embedded.data.get(KEY | {"name": "x"})


@pytest.mark.parametrize(
    "wrong", [{"created_time_ms": "1"}, {"awaiting": 1}, {"awaiting": ""}, {"created_time_ms": 2**64}]
)
def test_an_attribute_that_is_the_key_of_an_index_has_its_type(embedded: EmbeddedEngine, wrong: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="the key"):
        embedded.blobs.put(KEY | wrong)
    embedded.data.put(KEY | wrong)  # no index there
    assert embedded.data.get(KEY) == KEY | wrong


@pytest.mark.parametrize("number", [10**38 + 1, -(10**38) - 1])
def test_a_number_has_up_to_38_digits(embedded: EmbeddedEngine, number: int) -> None:
    with pytest.raises(RuntimeError, match="38"):
        embedded.data.put(KEY | {"number": number})
    embedded.data.put(KEY | {"number": 10**40})
    assert embedded.data.get(KEY) == KEY | {"number": 10**40}


def test_a_transaction_has_1_to_100_writes(embedded: EmbeddedEngine) -> None:
    for count in (0, 101):
        with pytest.raises(RuntimeError, match="1 to 100"):
            embedded.data.transact([Put(key(number)) for number in range(count)])
    assert list(embedded.data.query(Query("p"))) == []


@pytest.mark.parametrize(
    "second", [Put(key(1)), Update(key(1), set={"a": 1}), Delete(key(1)), Check(key(1), exists())], ids=str
)
def test_a_transaction_has_one_write_an_item(embedded: EmbeddedEngine, second: Write) -> None:
    with pytest.raises(RuntimeError, match="of one item"):
        embedded.data.transact([Put(key(1)), second])
    assert embedded.data.get(key(1)) is None


def test_a_transaction_has_up_to_4_mb(embedded: EmbeddedEngine) -> None:
    writes = [Put(key(number) | {"body": b"x" * 390 * KB}) for number in range(11)]
    with pytest.raises(RuntimeError, match="4 MB"):
        embedded.data.transact(writes)
    assert list(embedded.data.query(Query("p"))) == []
    embedded.data.transact(writes[:10])
    embedded.data.batch_write(writes)
    assert len(list(embedded.data.query(Query("p", attributes=("sk",))))) == 11


def test_a_batch_has_one_write_an_item(embedded: EmbeddedEngine) -> None:
    with pytest.raises(RuntimeError, match="of one item"):
        embedded.data.batch_write([Put(key(1)), Delete(key(1))])
    assert embedded.data.get(key(1)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        Update(KEY),
        Update(KEY, set={"a": 1}, remove=("a",)),
        Update(KEY, set={"a": 1}, add={"a": 1}),
        Update(KEY, set_if_absent={"a": 1}, add={"a": 1}),
        Update(KEY, set={"sk": "t"}),
        Update(KEY, remove=("pk",)),
        Update(KEY, add={"text": 1}),
    ],
    ids=str,
)
def test_an_update_that_dynamodb_would_refuse_changes_nothing(embedded: EmbeddedEngine, wrong: Update) -> None:
    item = KEY | {"text": "x"}
    embedded.data.put(item)
    with pytest.raises(RuntimeError, match="an update"):
        embedded.data.update(wrong)
    with pytest.raises(RuntimeError, match="an update"):
        embedded.data.transact([Put(key(1)), wrong])
    assert list(embedded.data.query(Query("p"))) == [item]


@pytest.mark.parametrize(
    "wrong",
    [
        Query(""),
        Query("p", Prefix("")),
        Query("p", Range(at_least="b", at_most="a")),
        Query("p", where=exists("sk")),
        Query("p", where=equals("pk", "p")),
    ],
    ids=str,
)
def test_a_query_that_dynamodb_would_refuse_is_refused(embedded: EmbeddedEngine, wrong: Query) -> None:
    with pytest.raises(RuntimeError):
        embedded.data.query(wrong)


def test_a_query_of_an_index_asks_for_no_attribute_that_the_index_lacks(embedded: EmbeddedEngine) -> None:
    with pytest.raises(RuntimeError, match="does not hold"):
        embedded.tasks.query(Query("due", index="due", attributes=("pk", "state")))


def test_a_call_of_a_query_looks_at_up_to_1_mb(embedded: EmbeddedEngine, faults: Faults) -> None:
    for number in range(7):
        embedded.data.put(key(number) | {"body": b"x" * 300 * KB})
    faults.calls.clear()
    assert len(list(embedded.data.query(Query("p")))) == 7
    assert faults.calls == {"Query": 3}


def test_calls_of_batches_have_up_to_100_keys_and_25_writes(embedded: EmbeddedEngine, faults: Faults) -> None:
    embedded.data.batch_write([Put(key(number)) for number in range(60)])
    embedded.data.batch_get([key(number) for number in range(201)])
    assert faults.calls == {"BatchWriteItem": 3, "BatchGetItem": 3}


def test_items_expire_for_readers_only_when_they_are_swept(embedded: EmbeddedEngine) -> None:
    now_s = embedded.now_ms() // 1000
    years_s = 6 * 365 * 24 * 3600
    for name, expires_at_s in (("old", now_s - 1), ("now", now_s), ("ancient", now_s - years_s)):
        embedded.accounts.put({"pk": "p", "sk": name, "expires_at_s": expires_at_s})
    embedded.accounts.put({"pk": "p", "sk": "text", "expires_at_s": "1"})
    embedded.blobs.put({"pk": "p", "sk": "never", "expires_at_s": 1})
    assert embedded.accounts.get({"pk": "p", "sk": "old"}) is not None
    assert embedded.tables.sweep(embedded.now_ms()) == 1
    assert [item["sk"] for item in embedded.accounts.query(Query("p"))] == ["ancient", "now", "text"]
    assert embedded.blobs.get({"pk": "p", "sk": "never"}) is not None


def test_more_expired_items_than_one_transaction_removes(embedded: EmbeddedEngine) -> None:
    embedded.data.batch_write([Put(key(number) | {"expires_at_s": 1_799_999_999}) for number in range(1001)])
    assert embedded.tables.sweep(embedded.now_ms()) == 1001
    assert list(embedded.data.query(Query("p"))) == []
