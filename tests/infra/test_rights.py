"""The declared rights of each function are those that its use cases need. See docs/security.md, Rights.

Two recordings are made: one of the application as it is, and one with changes, each of which has to be found.
"""

import fnmatch
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.accounts.stores.attempts import StoredSignInAttempts
from chalicelib.blobs.stores.blobs import StoredBlobs
from chalicelib.engine.aws import clients
from chalicelib.jobs import TASK_TYPES
from chalicelib.metrics.stores.archive import StoredEventArchive
from chalicelib.metrics.stores.counts import StoredEventCounts
from chalicelib.tasks.stores.slots import StoredTaskSlots
from chalicelib.tasks.types import TaskType
from tests.infra.rights.declared import API, FUNCTIONS, PARTITIONS, declared, declared_on
from tests.infra.rights.recorder import UnknownRequestError, name_of
from tests.infra.rights.recording import Recording, differences, record
from tests.infra.rights.right import Right, objects_arn, table_arn
from tests.infra.rights.stage import SETTINGS, Stage, store_methods
from tests.infra.rights.use_cases import accounts, blobs, metrics, tasks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEVER_CALLED = {
    "accounts.stores.passwords:Argon2Passwords.hash": "calls nobody, and costs much; a fake stands in",
    "accounts.stores.passwords:Argon2Passwords.needs_rehash": "the same",
    "accounts.stores.passwords:Argon2Passwords.verify": "the same",
    "metrics.stores.stream:DroppedEvents.put": "stands for a stage without a stream, and calls nobody",
}
"""Public methods of stores that no use case calls, with the reason."""

SCANS: Mapping[tuple[type, str], tuple[str, set[str]]] = {
    (StoredSignInAttempts, "uncount"): ("accounts", {API}),
    (StoredBlobs, "find"): ("blobs", {API, "on_object_created", "run_task"}),
    (StoredEventCounts, "ledger"): ("data", {"on_metrics"}),
    (StoredTaskSlots, "take"): ("tasks", {"dispatch_tasks", "run_task"}),
}
"""Methods that make another call in the changed application: of which table, and which functions reach them."""
NEW_TYPE = "strandline.diagnostics.new"


@pytest.fixture(scope="session")
def recorded() -> Recording:
    """The rights that the use cases of the application need."""
    return record()


@pytest.fixture(scope="session")
def changed() -> Recording:
    """The rights that some use cases need when stores make other calls and a type of task is added."""
    with pytest.MonkeyPatch.context() as patch:
        for (store, name), (table, _) in SCANS.items():
            _scan_before(patch, store, name, table)
        patch.setattr(StoredEventArchive, "write", lambda *_: None)
        patch.setitem(TASK_TYPES, NEW_TYPE, TaskType(NEW_TYPE, _read_an_account, typical_s=1))
        return record(
            (
                accounts.sessions,
                blobs.blobs,
                blobs.notices,
                metrics.batches,
                tasks.dispatcher,
                tasks.waking,
                tasks.all_types,
                _new_type,
            )
        )


def test_the_use_cases_of_each_function_need_just_what_is_declared(recorded: Recording) -> None:
    found = [
        difference
        for function in FUNCTIONS
        for difference in differences(function, recorded.rights[function], declared(function))
    ]
    assert found == []


def test_a_function_uses_just_its_partitions_of_a_table(recorded: Recording) -> None:
    for (function, resource), patterns in PARTITIONS.items():
        for right in declared_on(function, resource):
            keys = recorded.partitions[function, right]
            assert keys
            assert all(key and any(fnmatch.fnmatch(key, pattern) for pattern in patterns) for key in keys), right


def test_use_cases_cover_all_operations_and_types_of_tasks(recorded: Recording) -> None:
    assert recorded.missing == set()


def test_use_cases_cover_all_methods_of_stores(recorded: Recording) -> None:
    methods = {name_of(method) for _, _, method in store_methods()}
    assert len(methods) > 100
    assert methods - recorded.methods == NEVER_CALLED.keys()


def test_a_right_that_is_not_declared_is_reported_with_its_use_case(recorded: Recording) -> None:
    for function in FUNCTIONS:
        for right in declared(function):
            (found,) = differences(function, recorded.rights[function], declared(function) - {right})
            use_case = recorded.rights[function][right]
            assert found == (
                f"{function} needs {right.action} on {right.resource} for {use_case}, and it is not declared"
            )


def test_a_declared_right_that_is_not_needed_is_reported(recorded: Recording) -> None:
    everything = {right for function in FUNCTIONS for right in declared(function)}
    for function in FUNCTIONS:
        for right in everything - declared(function):
            (found,) = differences(function, recorded.rights[function], declared(function) | {right})
            assert found.startswith(f"{function} is declared to need {right.action} on {right.resource}, and no ")


# The recording follows the code.


@pytest.mark.parametrize(("store", "name"), SCANS)
def test_a_new_call_in_a_store_is_seen_in_the_functions_that_reach_it(
    changed: Recording, store: type, name: str
) -> None:
    table, functions = SCANS[store, name]
    right = Right("dynamodb:Scan", table_arn(table))
    assert {function for function in FUNCTIONS if right in changed.rights[function]} == functions
    for function in functions:
        assert any(
            right.resource in found for found in differences(function, changed.rights[function], declared(function))
        )


def test_a_new_type_of_task_gives_rights_to_the_worker_only(changed: Recording) -> None:
    scans = {Right("dynamodb:Scan", table_arn(table)) for table, _ in SCANS.values()}
    for function in FUNCTIONS:
        new = changed.rights[function].keys() - declared(function) - scans
        assert new == ({Right("dynamodb:BatchGetItem", table_arn("accounts"))} if function == "run_task" else set())


def test_a_removed_call_is_no_longer_needed(changed: Recording) -> None:
    right = Right("s3:PutObject", objects_arn("metrics/"))
    (found,) = [
        found
        for found in differences("on_metrics", changed.rights["on_metrics"], declared("on_metrics"))
        if "no use case" in found
    ]
    assert found == f"on_metrics is declared to need {right.action} on {right.resource}, and no use case needs it"


def test_an_operation_or_a_type_of_task_without_a_use_case_is_reported(
    changed: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"oidc.tokens", "data.erase"} <= changed.missing
    assert not {"sessions.login", "strandline.data.purge"} & changed.missing
    monkeypatch.setitem(TASK_TYPES, "another", TaskType("another", _read_an_account, typical_s=1))
    assert "another" in changed.missing


def test_a_request_whose_rights_are_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(*_: Any) -> None:
        _dynamodb().describe_table(TableName=SETTINGS.accounts_table)

    monkeypatch.setattr(StoredSignInAttempts, "uncount", describe)
    with pytest.raises(UnknownRequestError, match=f"dynamodb:DescribeTable, made by {API} in accounts.sessions"):
        record((accounts.sessions,))


def _scan_before(patch: pytest.MonkeyPatch, store: type, name: str, table: str) -> None:
    method = getattr(store, name)

    def scanning(*arguments: Any, **named: Any) -> Any:
        _dynamodb().scan(TableName=getattr(SETTINGS, f"{table}_table"))
        return method(*arguments, **named)

    patch.setattr(store, name, scanning)


def _read_an_account(*_: Any) -> None:
    _dynamodb().batch_get_item(RequestItems={SETTINGS.accounts_table: {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "b"}}]}})


def _dynamodb() -> "DynamoDBClient":
    client: Any = clients.session().create_client("dynamodb", region_name=SETTINGS.region)
    found: DynamoDBClient = client
    return found


def _new_type(stage: Stage) -> None:
    """A task of the type that was added."""
    stage.request("POST", "/v1/tasks", {"type": NEW_TYPE}, token=stage.server)
    stage.run_tasks()
    assert stage.logged("task run")[-1]["task_type"] == NEW_TYPE
