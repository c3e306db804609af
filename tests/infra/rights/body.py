"""The body of one function: what its statements do and what its expressions may be."""

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.infra.rights.calling import Arguments, Call
from tests.infra.rights.library import returned
from tests.infra.rights.sources import imported
from tests.infra.rights.values import (
    NOTHING,
    Builtin,
    ClassObject,
    Client,
    Function,
    Instance,
    Items,
    Mapped,
    Member,
    Pages,
    Several,
    Text,
    Value,
    combined,
    concatenated,
    elements,
    join,
    merged,
    numbered,
    of,
    texts,
    under,
)

if TYPE_CHECKING:
    from tests.infra.rights.program import Program

ROUNDS = 2
"""How often a loop is gone round: what the first round binds, the second may use."""
NOT_CALLS = frozenset({"close", "exceptions", "meta"})
"""Members of clients that make no request."""


class Body:
    """Interprets one body with the variables around it."""

    def __init__(self, program: "Program", module: str, variables: dict[str, Value]) -> None:
        self._program = program
        self._module = module
        self._variables = variables
        self._returned: list[Value] = []
        self._yielded: list[Value] = []
        self._global: set[str] = set()

    def run(self, node: ast.FunctionDef | ast.Lambda) -> Value:
        """What the function returns."""
        if isinstance(node, ast.Lambda):
            return self.value(node.body)
        self._do(node.body)
        found = join(self._returned)
        return found | of(Several(join(self._yielded))) if self._yielded else found

    # Statements

    def _do(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._do_one(statement)

    def _do_one(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Expr(value=value):
                self.value(value)
            case ast.Assign(targets=targets, value=value):
                found = self.value(value)
                for target in targets:
                    self._bind(target, found)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                found = NOTHING if value is None else self.value(value)
                self._bind(target, found or self._program.annotated(self._module, annotation))
            case ast.AugAssign(target=target, value=value):
                self._bind(target, combined(self.value(target), self.value(value)))
            case ast.Return(value=value):
                self._returned.append(NOTHING if value is None else self.value(value))
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test)
                self._either(body, orelse)
            case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
                for _ in range(ROUNDS):
                    self._bind(target, elements(self.value(iterated)))
                    self._either(body, orelse)
            case ast.While(test=test, body=body, orelse=orelse):
                for _ in range(ROUNDS):
                    self.value(test)
                    self._either(body, orelse)
            case ast.With(items=items, body=body):
                for item in items:
                    entered = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, elements(entered) or entered)
                self._do(body)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._do([*body, *orelse])
                for handler in handlers:
                    self._either(handler.body, ())
                self._do(finalbody)
            case ast.Match(subject=subject, cases=cases):
                self._match(self.value(subject), cases)
            case ast.FunctionDef(name=name):
                self._variables[name] = of(self._function(name, statement))
            case ast.Import() | ast.ImportFrom():
                for name, (module, original) in imported(statement).items():
                    self._variables[name] = self._program.imported(module, original)
            case ast.Global(names=names):
                self._global |= set(names)
            case ast.Raise() | ast.Assert() | ast.Delete():
                for each in ast.iter_child_nodes(statement):
                    if isinstance(each, ast.expr):
                        self.value(each)

    def _either(self, *branches: Iterable[ast.stmt]) -> None:
        """Any of the branches is taken."""
        before = dict(self._variables)
        afters = []
        for branch in branches:
            self._variables.clear()
            self._variables.update(before)
            self._do(branch)
            afters.append(dict(self._variables))
        for name in {name for after in afters for name in after}:
            self._variables[name] = join(after.get(name, NOTHING) for after in afters)

    def _match(self, subject: Value, cases: Iterable[ast.match_case]) -> None:
        for case in cases:
            for node in ast.walk(case.pattern):
                match node:
                    case ast.MatchAs(name=str(name), pattern=ast.MatchClass(cls=cls)):
                        self._variables[name] = self._program.annotated(self._module, cls)
                    case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                        self._variables[name] = join((subject, elements(subject)))
            if case.guard is not None:
                self.value(case.guard)
            self._either(case.body, ())

    def _function(self, name: str, node: ast.FunctionDef | ast.Lambda) -> Function:
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        around = sorted(item for item in self._variables.items() if item[0] in used)
        return Function(self._module, name, node, around=tuple(around))

    def _bind(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name) if name in self._global:
                self._program.store(self._module, name, value)
            case ast.Name(id=name):
                self._variables[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._bind_each(targets, value)
            case ast.Starred(value=inner):
                self._bind(inner, of(Several(value)))
            case ast.Attribute(value=owner, attr=name):
                for each in self.value(owner):
                    if isinstance(each, Instance):
                        self._program.store(each.cls, name, value)
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                keys = self.value(key)
                self._variables[name] = frozenset(
                    each.with_item(keys, value) if isinstance(each, Mapped) else each
                    for each in self.value(ast.Name(name, ast.Load()))
                )
            case ast.Subscript(value=inner, slice=key):
                self.value(inner)
                self.value(key)

    def _bind_each(self, targets: list[ast.expr], value: Value) -> None:
        fitting = [each.items for each in value if isinstance(each, Items) and len(each.items) == len(targets)]
        rest = elements(frozenset(each for each in value if not isinstance(each, Items)))
        for index, target in enumerate(targets):
            self._bind(target, join([rest, *(items[index] for items in fitting)]))

    # Expressions

    def value(self, node: ast.expr) -> Value:
        """What an expression may be."""
        match node:
            case ast.Name(id=name):
                return self._variables[name] if name in self._variables else self._program.variable(self._module, name)
            case ast.Constant(value=constant):
                return of(Text(constant)) if isinstance(constant, str) else NOTHING
            case ast.JoinedStr(values=parts):
                return concatenated(self._part(part) for part in parts)
            case ast.Attribute(value=inner, attr=name):
                return join(self._attribute(each, name) for each in self.value(inner))
            case ast.Call():
                return self._call(node)
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values)
            case ast.List(elts=parts) | ast.Set(elts=parts):
                return of(Several(join(self._part(part) for part in parts)))
            case ast.Tuple(elts=parts):
                if any(isinstance(part, ast.Starred) for part in parts):
                    return of(Several(join(self._part(part) for part in parts)))
                return of(Items(tuple(self.value(part) for part in parts)))
            case ast.BinOp(left=left, right=right):
                return combined(self.value(left), self.value(right))
            case ast.BoolOp(values=parts):
                return join([self.value(part) for part in parts])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.value(test)
                return join((self.value(body), self.value(orelse)))
            case ast.Subscript(value=inner, slice=key):
                return self._item(self.value(inner), key)
            case ast.Lambda():
                return of(self._function("<lambda>", node))
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                return self._comprehended(node.generators, lambda: of(Several(self.value(element))))
            case ast.DictComp(key=key, value=ast.expr() as held):
                return self._comprehended(
                    node.generators, lambda: of(Mapped(frozenset({(self.value(key), self.value(held))})))
                )
            case ast.NamedExpr(target=target, value=value):
                found = self.value(value)
                self._bind(target, found)
                return found
            case ast.Yield(value=value):
                self._yielded.append(NOTHING if value is None else self.value(value))
            case ast.YieldFrom(value=value):
                self._yielded.append(elements(self.value(value)))
            case ast.Compare() | ast.UnaryOp() | ast.FormattedValue():
                for each in ast.iter_child_nodes(node):
                    if isinstance(each, ast.expr):
                        self.value(each)
        return NOTHING

    def _part(self, node: ast.expr) -> Value:
        match node:
            case ast.Starred(value=inner):
                return elements(self.value(inner))
            case ast.FormattedValue(value=inner):
                return self.value(inner)
        return self.value(node)

    def _dict(self, keys: list[ast.expr | None], values: list[ast.expr]) -> Value:
        parts = [
            self.value(value) if key is None else of(Mapped(frozenset({(self.value(key), self.value(value))})))
            for key, value in zip(keys, values, strict=True)
        ]
        return merged(parts)

    def _item(self, value: Value, key: ast.expr) -> Value:
        match key:
            case ast.Slice():
                return value
            case ast.Constant(value=int(index)):
                return join(numbered(each, index) for each in value)
        wanted = self.value(key)
        return join(under(each, wanted) for each in value)

    def _comprehended(self, generators: list[ast.comprehension], made: Callable[[], Value]) -> Value:
        before = dict(self._variables)
        for generator in generators:
            self._bind(generator.target, elements(self.value(generator.iter)))
            for test in generator.ifs:
                self.value(test)
        found = made()
        self._variables.clear()
        self._variables.update(before)
        return found

    def _attribute(self, atom: object, name: str) -> Value:
        match atom:
            case Client() | Pages():
                return NOTHING if name in NOT_CALLS else of(Member(atom, name))
            case Mapped() | Several() | Items():
                return of(Member(atom, name))
            case Builtin(full):
                return of(Builtin(f"{full}.{name}"))
        return self._program.attribute(atom, name)

    # Calls

    def _call(self, node: ast.Call) -> Value:
        called = self.value(node.func)
        arguments = Arguments(
            [self.value(each) for each in node.args if not isinstance(each, ast.Starred)],
            {each.arg: self.value(each.value) for each in node.keywords if each.arg is not None},
            join(elements(self.value(each.value)) for each in node.args if isinstance(each, ast.Starred)),
            merged([self.value(each.value) for each in node.keywords if each.arg is None]),
        )
        found = []
        for each in called:
            match each:
                case Function():
                    found.append(self._program.run(each, arguments))
                case ClassObject(cls):
                    found.append(self._program.make(cls, arguments))
                case Member(of=Client() | Pages()):
                    found.append(self._request(each, arguments, node))
                case Member():
                    found.append(self._of_container(each, arguments, node))
                case Builtin(name):
                    found.append(self._of_library(name.rpartition(".")[2], name, arguments))
        if not called:
            self._call_back(arguments)
        return join(found)

    def _request(self, member: Member, arguments: Arguments, node: ast.Call) -> Value:
        """A call of a client."""
        named = of(Mapped(frozenset((of(Text(name)), value) for name, value in arguments.named.items())))
        first = arguments.positional[0] if arguments.positional else NOTHING
        if member.name == "get_paginator":
            return of(*(Pages(member.of.service, text.text) for text in texts(first)))
        method = member.of.operation if isinstance(member.of, Pages) else member.name
        place = f"{self._module}:{node.lineno}"
        for form in merged((named, arguments.more_named)):
            if first:
                form = form.with_item(of(Text("ClientMethod")), first)
            self._program.calls.add(Call(member.of.service, method, form, place))
        if method == "get_queue_url":
            # A queue's address stands for its name.
            return _mapping("QueueUrl", arguments.named["QueueName"])
        if method == "list_objects_v2":
            # The keys that it finds begin as it was asked.
            keys = frozenset(Text(text.text, False) for text in texts(arguments.named.get("Prefix", NOTHING)))
            return of(Several(_mapping("Contents", of(Several(_mapping("Key", keys))))))
        return NOTHING

    def _of_container(self, member: Member, arguments: Arguments, node: ast.Call) -> Value:
        """A method of a list, a tuple or a mapping."""
        container = member.of
        given = join(arguments.positional)
        if member.name in ("append", "add", "extend", "update", "insert", "appendleft"):
            added = given if member.name in ("append", "add", "insert", "appendleft") else elements(given)
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                grown = merged((of(container), given)) if isinstance(container, Mapped) else NOTHING
                grown = grown or of(Several(join((elements(of(container)), added))))
                name = node.func.value.id
                self._variables[name] = join((self._variables.get(name, NOTHING), grown)) - of(container)
            return NOTHING
        if isinstance(container, Mapped):
            held = join(value for _, value in container.pairs)
            match member.name:
                case "get" | "pop" | "setdefault":
                    known = list(texts(arguments.positional[0])) if arguments.positional else []
                    found = join(container.at(text.text) for text in known) if known else held
                    return join((found, *arguments.positional[1:]))
                case "items":
                    return of(*(Several(of(Items(pair))) for pair in container.pairs))
                case "values":
                    return of(Several(held))
                case "keys":
                    return of(Several(elements(of(container))))
        if member.name in ("copy", "union"):
            return of(container) | given
        if member.name in ("pop", "popleft"):
            return elements(of(container))
        self._call_back(arguments)
        return NOTHING

    def _of_library(self, name: str, full: str, arguments: Arguments) -> Value:
        """A function or class that is not the project's. What it is given to call, it calls."""
        if full == "boto3.client":
            return of(*(Client(text.text) for text in texts(arguments.positional[0])))
        self._call_back(arguments)
        given = arguments.positional
        if name == "replace" and given:
            for each in given[0]:
                if isinstance(each, Instance):
                    self._program.make(each.cls, Arguments(named=arguments.named))
            return given[0]
        if name == "map" and len(given) > 1:
            return of(Several(self._called(given[0], [elements(each) for each in given[1:]])))
        if name == "getattr" and len(given) > 1:
            return join(self._attribute(each, text.text) for each in given[0] for text in texts(given[1]))
        return returned(name, given)

    def _called(self, called: Value, positional: list[Value]) -> Value:
        found = []
        for each in called:
            if isinstance(each, Function):
                found.append(self._program.run(each, Arguments(positional)))
            if isinstance(each, ClassObject):
                found.append(self._program.make(each.cls, Arguments(positional)))
        return join(found)

    def _call_back(self, arguments: Arguments) -> None:
        """Whoever is not known calls the functions that it is given."""
        for value in [*arguments.positional, *arguments.named.values(), arguments.more_positional]:
            self._called(frozenset(each for each in value if isinstance(each, Function)), [])


def _mapping(key: str, value: Value) -> Value:
    return of(Mapped(frozenset({(of(Text(key)), value)})))
