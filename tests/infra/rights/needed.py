"""The rights that each function needs: what its code calls, what brings it its events, and its log."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.blobs.blob import Collection
from chalicelib.config import Settings
from tests.infra.rights.body import Body
from tests.infra.rights.calling import Arguments, Call
from tests.infra.rights.program import Program
from tests.infra.rights.sources import PACKAGE, Module, application
from tests.infra.rights.values import Function, Instance, Mapped, Setting, Value, elements, join, of, texts

API = "api_handler"
EVENTS = ("lambda_function", "on_sqs_message", "schedule")
"""Decorators of Chalice that make a Lambda function; everything else that is decorated is of the API."""
ARN = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
STAGE = Settings(stage="${Stage}", account_id="${AWS::AccountId}", region="${AWS::Region}")
BUCKET = "arn:${AWS::Partition}:s3:::%s"
TRANSACTED = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
ON_ONE_TABLE = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
}
ON_TABLES = {"batch_get_item": "BatchGetItem", "batch_write_item": "BatchWriteItem"}
ON_OBJECTS = {
    "get_object": "GetObject",
    "head_object": "GetObject",
    "put_object": "PutObject",
    "put_object_tagging": "PutObjectTagging",
    "delete_object": "DeleteObject",
    "delete_objects": "DeleteObject",
}
LISTING = frozenset({"list_objects_v2"})
TELLING_ABSENCE = frozenset({"get_object", "head_object", "put_object_tagging"})
"""S3 says of an object that it is not there only to those who may list the bucket, and to others that they may not."""
KEYS_FROM_OUTSIDE = {f"{PACKAGE}.blobs.stores.contents": tuple(f"{collection}/" for collection in Collection)}
"""Where keys of objects come out of notices and of what is stored, the beginnings that they have."""
ON_SECRETS = {"get_secret_value": "GetSecretValue", "put_secret_value": "PutSecretValue"}
ON_QUEUES = {"get_queue_url": "GetQueueUrl", "send_message": "SendMessage"}
ON_STREAMS = {"put_record": "PutRecord"}


Entry = Function | tuple[str, ast.expr, Function]
"""A function that Lambda calls; or one that a decorator of a module registers."""


class UnknownCallError(Exception):
    """A call whose rights cannot be told: the tables above, or the way it is written, have to change."""

    def __init__(self, call: Call, reason: str) -> None:
        super().__init__(f"{call.place}: {call.service}.{call.method}: {reason}")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """An action on a resource, both as a policy has them."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Calls:
    """What the code of one function calls."""

    function: str
    calls: frozenset[Call]

    def rights(self) -> dict[Right, str]:
        """The rights that the calls need, each with a place that needs it."""
        return {right: call.place for call in sorted(self.calls, key=lambda each: each.place) for right in needed(call)}


def functions() -> set[str]:
    """The names of the application's functions."""
    return {function for function, _ in _entries(application())}


def calls_of(function: str, replaced: Mapping[str, str] | None = None) -> Calls:
    """What a function of the application calls. `replaced` has other sources for some modules."""
    modules = application(replaced)
    return Calls(function, _calls(modules, dict(_entries(modules))[function]))


def _entries(modules: Mapping[str, Module]) -> Iterator[tuple[str, list[Entry]]]:
    """The functions of the application, with what of its modules they run."""
    of_api: list[Entry] = []
    for module in modules.values():
        if not module.name.startswith((f"{PACKAGE}.api", f"{PACKAGE}.events")):
            continue
        for name, node in module.functions.items():
            function = Function(module.name, name, node)
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(attr=kind), keywords=keywords) if kind in EVENTS:
                        (named,) = [each.value for each in keywords if each.arg == "name"]
                        yield str(ast.literal_eval(named)), [function]
                    case ast.Call() if module.name.startswith(f"{PACKAGE}.api"):
                        of_api.append((module.name, decorator, function))
    application_class = modules[f"{PACKAGE}.api.application"].classes["StrandlineApp"]
    receiver = of(Instance(application_class.name))
    of_api.append(Function(application_class.module, "__call__", application_class.methods["__call__"], receiver))
    yield API, of_api


def _calls(modules: Mapping[str, Module], entries: list[Entry]) -> frozenset[Call]:
    program = Program(modules)
    services = Function(f"{PACKAGE}.services", "services", modules[f"{PACKAGE}.services"].functions["services"])
    before: object = None
    while before != program.stored:
        before = dict(program.stored)
        program.start_again()
        for entry in [services, *entries]:
            if isinstance(entry, Function):
                program.run(entry, Arguments())
            else:
                _decorate(program, *entry)
    return frozenset(program.calls)


def _decorate(program: Program, module: str, decorator: ast.expr, function: Function) -> None:
    made = Body(program, module, {}).value(decorator)
    for each in made:
        if isinstance(each, Function):
            program.run(each, Arguments([of(function)]))
    if not any(isinstance(each, Function) for each in made):
        program.run(function, Arguments())


def needed(call: Call) -> set[Right]:
    """The rights that a call needs: one or more.

    Raises:
        UnknownCallError: they cannot be told.
    """
    match call.service:
        case "dynamodb":
            rights = set(_of_tables(call))
        case "s3":
            rights = set(_of_objects(call))
        case "secretsmanager":
            rights = {_right(call, ON_SECRETS, f"secret:{name}-??????") for name in _names(call, "SecretId")}
        case "sqs":
            named = "QueueName" if call.method == "get_queue_url" else "QueueUrl"
            rights = {_right(call, ON_QUEUES, name) for name in _names(call, named)}
        case "kinesis":
            rights = {_right(call, ON_STREAMS, f"stream/{name}") for name in _names(call, "StreamName")}
        case _:
            raise UnknownCallError(call, "the service is not known here")
    if not rights:
        raise UnknownCallError(call, "it cannot be told of what")
    return rights


def _right(call: Call, actions: Mapping[str, str], resource: str, method: str | None = None) -> Right:
    action = actions.get(method or call.method)
    if action is None:
        raise UnknownCallError(call, "the method is not known here")
    return Right(f"{call.service}:{action}", ARN % (call.service, resource))


def _of_tables(call: Call) -> Iterator[Right]:
    arguments = call.arguments
    if call.method.startswith("transact_"):
        for item in _mappings(elements(arguments.at("TransactItems"))):
            for kinds, parts in item.pairs:
                names = {name for part in _mappings(parts) for name in _named(call, part.at("TableName"))}
                for kind in texts(kinds):
                    yield from (_right(call, TRANSACTED, f"table/{name}", kind.text) for name in names)
    elif call.method in ON_TABLES:
        tables = join(keys for items in _mappings(arguments.at("RequestItems")) for keys, _ in items.pairs)
        yield from (_right(call, ON_TABLES, f"table/{name}") for name in _named(call, tables))
    else:
        indexes = [f"/index/{index.text}" for index in texts(arguments.at("IndexName"))] or [""]
        for name in _names(call, "TableName"):
            yield from (_right(call, ON_ONE_TABLE, f"table/{name}{index}") for index in indexes)


def _of_objects(call: Call) -> Iterator[Right]:
    if call.method == "generate_presigned_url":
        # No request is made, but S3 asks for the rights of who signed.
        for method in texts(call.arguments.at("ClientMethod")):
            for arguments in _mappings(call.arguments.at("Params")):
                yield from _on_objects(call, method.text, arguments)
        return
    if call.method in TELLING_ABSENCE | LISTING:
        yield from (Right("s3:ListBucket", BUCKET % name) for name in _names(call, "Bucket"))
    if call.method not in LISTING:
        yield from _on_objects(call, call.method, call.arguments)


def _on_objects(call: Call, method: str, arguments: Mapped) -> Iterator[Right]:
    if method not in ON_OBJECTS:
        raise UnknownCallError(call, "the method is not known here")
    actions = [ON_OBJECTS[method]] + (["PutObjectTagging"] if arguments.at("Tagging") else [])
    for name in _named(call, arguments.at("Bucket")):
        for prefix in _prefixes(call, arguments):
            yield from (Right(f"s3:{action}", f"{BUCKET % name}/{prefix}*") for action in actions)


def _prefixes(call: Call, arguments: Mapped) -> set[str]:
    """The first parts of the keys of objects."""
    several = join(each.at("Objects") for each in _mappings(arguments.at("Delete")))
    keys = join([arguments.at("Key"), *(each.at("Key") for each in _mappings(elements(several)))])
    known = {text.text.partition("/") for text in texts(keys)}
    found = {first + slash for first, slash, _ in known if slash} or set(
        KEYS_FROM_OUTSIDE.get(call.place.partition(":")[0], ())
    )
    if not found:
        raise UnknownCallError(call, "it cannot be told how the keys begin")
    return found


def _names(call: Call, argument: str) -> set[str]:
    return _named(call, call.arguments.at(argument))


def _named(call: Call, value: Value) -> set[str]:
    """The physical names of what the settings name."""
    found = {str(getattr(STAGE, each.name)) for each in value if isinstance(each, Setting)}
    if not found:
        raise UnknownCallError(call, "it cannot be told of what")
    return found


def _mappings(value: Value) -> list[Mapped]:
    return [each for each in value if isinstance(each, Mapped)]
