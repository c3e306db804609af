"""Each function may do what it does, no less and no more: its policy against its code. See docs/security.md, Rights."""

import ast
import copy
import fnmatch
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests.infra.conftest import Template, of_type
from tests.infra.rights.calling import Call
from tests.infra.rights.given import Policy, findings, for_events_and_log, given, given_by, listed, policy
from tests.infra.rights.needed import API, ARN, Calls, Right, UnknownCallError, calls_of, functions, needed
from tests.infra.rights.sources import PACKAGE, Module, application, source_of
from tests.infra.rights.values import Mapped, elements, texts

FUNCTIONS = (API, "dispatch_tasks", "on_metrics", "on_object_created", "run_task")
SERVICES = ("dynamodb", "kinesis", "s3", "secretsmanager", "sqs")
ANOTHER = {
    "dynamodb": "dynamodb:Scan",
    "kinesis": "kinesis:PutRecords",
    "logs": "logs:DeleteLogStream",
    "s3": "s3:DeleteObjectVersion",
    "secretsmanager": "secretsmanager:DeleteSecret",
    "sqs": "sqs:PurgeQueue",
}
"""An action of each service that no function needs."""


def table(name: str) -> str:
    """The ARN of a table, or of one of its indexes."""
    return ARN % ("dynamodb", f"table/strandline-${{Stage}}-{name}")


NEVER_COME_TO = {
    "dispatch_tasks": {
        Right("dynamodb:Query", table("tasks/index/created")): "the dispatcher looks for a job by its name only",
    },
    "run_task": {
        Right("dynamodb:PutItem", table("accounts")): "what the worker puts is a grant of nothing, which deletes it",
    },
}
"""Calls that stand behind a condition which never holds in a function; the source alone does not tell."""

ONLY_KEYS = {("on_metrics", "CountsAndLedgers"): ["metrics#*"]}
"""Statements that are limited to partitions: DynamoDB compares all keys of a request."""


@pytest.fixture(scope="session")
def calls() -> Mapping[str, Calls]:
    """What each function calls, as the code is written."""
    return {function: calls_of(function) for function in FUNCTIONS}


@pytest.fixture(scope="session")
def rights(calls: Mapping[str, Calls], application: Template) -> Mapping[str, Mapping[Right, str]]:
    """What each function needs, and what for."""
    return {
        function: {
            right: cause
            for right, cause in (found.rights() | for_events_and_log(application, function)).items()
            if right not in NEVER_COME_TO.get(function, {})
        }
        for function, found in calls.items()
    }


def found(function: str, rights: Mapping[str, Mapping[Right, str]], policy: Policy) -> list[str]:
    """What is wrong with a policy, in words."""
    return [str(each) for each in findings(function, rights[function], policy)]


def test_these_are_all_functions(application: Template) -> None:
    assert len(of_type(application, "AWS::Serverless::Function")) == len(FUNCTIONS)
    assert functions() == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_does_and_nothing_else(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    assert found(function, rights, policy(function)) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_packaged_role_has_just_that_policy(function: str, application: Template) -> None:
    role = of_type(application, "AWS::IAM::Role")[f"{function.title().replace('_', '')}Role"]
    assert [each["PolicyDocument"] for each in role["Policies"]] == [policy(function)]
    assert not role.get("ManagedPolicyArns")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_given_twice(function: str) -> None:
    pairs = [right for statement in policy(function)["Statement"] for right in given_by(statement)]
    assert len(pairs) == len(set(pairs))
    names = [statement["Sid"] for statement in policy(function)["Statement"]]
    assert len(names) == len(set(names))


# Both directions, on every policy: what is taken away is missed, what is added stands out.


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_statement_that_is_taken_away_is_missed(function: str, rights: Mapping[str, Mapping[Right, str]]) -> None:
    whole = policy(function)
    assert whole["Statement"]
    for statement in whole["Statement"]:
        rest = {**whole, "Statement": [each for each in whole["Statement"] if each is not statement]}
        said = found(function, rights, rest)
        taken = list(given_by(statement))
        assert len(said) == len(taken)
        for right in taken:
            assert any(f"lacks {right.action} on {right.resource}, which " in line for line in said), right


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_action_that_is_taken_away_is_missed_by_name(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    for index, statement in enumerate(policy(function)["Statement"]):
        for action in listed(statement["Action"]):
            changed: Any = copy.deepcopy(policy(function))
            kept = [each for each in listed(statement["Action"]) if each != action]
            changed["Statement"][index]["Action"] = kept
            said = found(function, rights, changed)
            assert len(said) == len(listed(statement["Resource"])), action
            assert all(line.startswith(f"policy-{function}.json lacks {action} on ") for line in said), said


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_action_that_is_added_stands_out_with_its_statement(
    function: str, rights: Mapping[str, Mapping[Right, str]]
) -> None:
    everything = {right.action for needs in rights.values() for right in needs}
    for index, statement in enumerate(policy(function)["Statement"]):
        has = listed(statement["Action"])
        service = has[0].partition(":")[0]
        of_others = {action for action in everything if action.startswith(f"{service}:")}
        resources = [right.resource for right in given_by(statement)]
        for action in sorted((of_others | {ANOTHER[service], f"{service}:*"}) - set(has)):
            changed: Any = copy.deepcopy(policy(function))
            changed["Statement"][index]["Action"] = [*has, action]
            already = {right for right in given(policy(function)) if right.action == action}
            added = {Right(action, resource) for resource in resources} - already
            said = found(function, rights, changed)
            assert said == [
                f"policy-{function}.json gives {right.action} on {right.resource} in its statement {statement['Sid']}, "
                "and nothing needs it"
                for right in sorted(added)
            ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_wider_resource_stands_out(function: str, rights: Mapping[str, Mapping[Right, str]]) -> None:
    for index, statement in enumerate(policy(function)["Statement"]):
        for wider in ("*", "arn:${AWS::Partition}:s3:::strandline-${Stage}-${AWS::AccountId}-${AWS::Region}/*"):
            changed: Any = copy.deepcopy(policy(function))
            changed["Statement"][index]["Resource"] = {"Fn::Sub": wider}
            said = found(function, rights, changed)
            for action in listed(statement["Action"]):
                assert any(f"gives {action} on {wider} in its statement {statement['Sid']}" in line for line in said)


# What is derived follows the code.


@pytest.mark.parametrize(
    ("method", "functions"),
    [
        ("blobs.stores.blobs:find", {"api_handler", "on_object_created", "run_task"}),
        ("metrics.stores.counts:ledger", {"on_metrics"}),
        ("tasks.stores.slots:take", {"dispatch_tasks", "run_task"}),
        ("accounts.stores.attempts:uncount", {"api_handler"}),
    ],
)
def test_a_new_call_in_an_adapter_is_seen_in_the_functions_that_reach_it(method: str, functions: set[str]) -> None:
    module, _, name = method.partition(":")
    lines = source_of(f"{PACKAGE}.{module}").splitlines()
    (start,) = [index for index, line in enumerate(lines) if line.startswith(f"    def {name}(")]
    lines.insert(start + 1, "        dynamodb_client(self._settings).scan(TableName=self._settings.accounts_table)")
    lines.append("from chalicelib.engine.dynamodb import client as dynamodb_client")
    changed = {f"{PACKAGE}.{module}": "\n".join(lines)}
    right = Right("dynamodb:Scan", table("accounts"))
    assert {function for function in FUNCTIONS if right in calls_of(function, changed).rights()} == functions


def test_a_new_type_of_task_gives_rights_to_the_worker_only(calls: Mapping[str, Calls]) -> None:
    registry = f"{PACKAGE}.jobs"
    added = (
        "\ndef _new(run, services):\n    services.accounts.find(run.task.id)\n"
        "\nTASK_TYPES = registry([*TASK_TYPES.values(), TaskType(name='a.new', function=_new, typical_s=1)])\n"
    )
    changed = {registry: source_of(registry) + added}
    for function in FUNCTIONS:
        new = calls_of(function, changed).rights().keys() - calls[function].rights().keys()
        assert new == ({Right("dynamodb:GetItem", table("accounts"))} if function == "run_task" else set()), function


def test_a_call_that_is_made_no_more_is_needed_no_more(calls: Mapping[str, Calls]) -> None:
    archive = f"{PACKAGE}.metrics.stores.archive"
    changed = {archive: source_of(archive).replace(".put_object(", ".get_object(")}
    (gone,) = calls["on_metrics"].rights().keys() - calls_of("on_metrics", changed).rights().keys()
    assert gone.action == "s3:PutObject"


@pytest.mark.parametrize(("written", "instead"), [(".update_item(", ".update_table("), ("self._table,", "counters,")])
def test_a_call_whose_rights_cannot_be_told_is_refused(written: str, instead: str) -> None:
    attempts = f"{PACKAGE}.accounts.stores.attempts"
    assert written in source_of(attempts)
    with pytest.raises(UnknownCallError, match=r"stores\.attempts"):
        calls_of(API, {attempts: source_of(attempts).replace(written, instead)}).rights()


def test_no_call_of_aws_is_out_of_sight(calls: Mapping[str, Calls]) -> None:
    """Every call of a client in a module that the application imports was come to from some function."""
    places = {call.place for found in calls.values() for call in found.calls}
    modules = application()
    called = {place for name in _imported(modules, f"{PACKAGE}.services") for place in _requests(modules[name])}
    assert len(called) > 40
    assert called - places == set()


def _imported(modules: Mapping[str, Module], name: str) -> set[str]:
    """The modules that a module imports, and what they import."""
    found, left = set(), [name]
    while left:
        module = left.pop()
        if module in modules and module not in found:
            found.add(module)
            for origin, original in modules[module].imports.values():
                left += [origin, f"{origin}.{original}"]
    return found


def _requests(module: Module) -> Iterator[str]:
    """The places where a method is called that a client of a service has."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _methods():
            yield f"{module.name}:{node.lineno}"


@cache
def _methods() -> set[str]:
    session = get_session()
    names = {xform_name(name) for service in SERVICES for name in session.get_service_model(service).operation_names}
    return names | {"paginate", "generate_presigned_url"}


def test_what_is_never_come_to_is_in_the_code_and_not_in_the_policy(calls: Mapping[str, Calls]) -> None:
    for function, excepted in NEVER_COME_TO.items():
        assert excepted.keys() <= calls[function].rights().keys()
        assert not excepted.keys() & given(policy(function)).keys()


# What goes beyond actions and resources.


def test_statements_are_limited_to_the_partitions_that_their_function_uses(calls: Mapping[str, Calls]) -> None:
    limited = {
        (function, statement["Sid"]): statement["Condition"]
        for function in FUNCTIONS
        for statement in policy(function)["Statement"]
        if "Condition" in statement
    }
    assert limited == {
        place: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}} for place, keys in ONLY_KEYS.items()
    }
    for (function, name), patterns in ONLY_KEYS.items():
        (statement,) = [each for each in policy(function)["Statement"] if each["Sid"] == name]
        of_statement = [call for call in calls[function].calls if needed(call) & set(given_by(statement))]
        assert of_statement
        for call in of_statement:
            partitions = list(_partitions(call))
            assert partitions, call.place
            assert all(any(fnmatch.fnmatch(key, pattern) for pattern in patterns) for key in partitions), call.place


def _partitions(call: Call) -> Iterator[str]:
    """How the partition keys of a call begin."""
    writes = [
        each for item in elements(call.arguments.at("TransactItems")) for _, value in item.pairs for each in value
    ]
    for write in [call.arguments, *(each for each in writes if isinstance(each, Mapped))]:
        for key in write.at("Key") | write.at("Item"):
            if isinstance(key, Mapped):
                for value in key.at("pk"):
                    yield from (text.text for text in texts(value.at("S")))


def test_every_resource_is_of_the_stage() -> None:
    """Names of another stage begin differently: a bucket's with its own name, a log group's with its own path."""
    for function in FUNCTIONS:
        for right in given(policy(function)):
            assert "${Stage}" in right.resource
            name = right.resource.split(":", 5)[5]
            assert "*" not in name.removesuffix("/*").removesuffix(":*"), right
            assert "*" not in right.action
