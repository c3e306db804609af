"""The application as it would run: its objects, functions and module variables, by abstract interpretation.

Every function that an entry point reaches is interpreted with what its arguments may be, and every call of a client of
AWS on the way is kept with its arguments. Branches are all taken, loops twice, and the fields of a class are those of
all its objects together. Where the flow of an object is lost, the annotation says what it is.
"""

import ast
from collections.abc import Mapping, Sequence

from tests.infra.rights.body import Body
from tests.infra.rights.calling import Arguments, Call
from tests.infra.rights.sources import PACKAGE, Class, Module
from tests.infra.rights.values import (
    NOTHING,
    Builtin,
    ClassObject,
    Client,
    Function,
    Instance,
    Mapped,
    ModuleObject,
    Setting,
    Several,
    Text,
    Value,
    essence,
    join,
    of,
)

SETTINGS = f"{PACKAGE}.config:Settings"
CLIENT_TYPES = "mypy_boto3_"
PASSED_OVER = (f"{PACKAGE}.model", f"{PACKAGE}.api.operations", f"{PACKAGE}.access.policy", f"{PACKAGE}.json_text")
"""Packages that hold no port and no client: what their functions return is what they are annotated with."""
DEEPEST = 3
"""How often one function may be on the stack: a recursion has shown all that it does by then."""
SEQUENCES = frozenset(
    {"list", "set", "frozenset", "tuple", "Sequence", "Iterable", "Iterator", "Collection", "Generator"}
)
MAPPINGS = frozenset(["dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"])


class Program:
    """One run of the application from the entry points that are called on it."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self.calls: set[Call] = set()
        self.stored: dict[tuple[str, str], Value] = {}
        """What the fields of a class, or the variables of a module, were set to."""
        self._done: dict[object, Value] = {}
        self._variables: dict[tuple[str, str], Value] = {}
        self._stack: list[ast.AST] = []
        self._implementations: dict[str, Value] = {}

    def start_again(self) -> None:
        """Forget what functions returned: since then, fields may have been found to hold more."""
        self._done.clear()
        self._variables.clear()
        self._implementations.clear()

    def store(self, owner: str, name: str, value: Value) -> None:
        """A field, or a module's variable, may have this value, too. Texts matter in stores and engine only."""
        if ".stores." not in owner and not owner.startswith(f"{PACKAGE}.engine"):
            value = essence(value)
        self.stored[owner, name] = join((self.stored.get((owner, name), NOTHING), value))

    def class_of(self, name: str) -> Class:
        """A class by its name in the program."""
        module, _, short = name.partition(":")
        return self.modules[module].classes[short]

    def lineage(self, name: str) -> list[Class]:
        """A class and those of the project that it is derived from, nearest first."""
        found = [self.class_of(name)]
        for base in found[0].node.bases:
            for each in self.annotated(found[0].module, base):
                if isinstance(each, Instance):
                    found += self.lineage(each.cls)
        return found

    def variable(self, module_name: str, name: str) -> Value:
        """What a name of a module stands for."""
        module = self.modules.get(module_name)
        if module is None:
            return of(Builtin(f"{module_name}.{name}"))
        if name in module.functions:
            return of(Function(module_name, name, module.functions[name]))
        if name in module.classes:
            return of(ClassObject(module.classes[name].name))
        if name in module.imports:
            return self.imported(*module.imports[name])
        if f"{module_name}.{name}" in self.modules:
            return of(ModuleObject(f"{module_name}.{name}"))
        if name in module.assigned:
            return self._assigned(module, name)
        return of(Builtin(name))

    def imported(self, module_name: str, name: str | None) -> Value:
        """What an import brings."""
        if name is None:
            return of(ModuleObject(module_name))
        if f"{module_name}.{name}" in self.modules:
            return of(ModuleObject(f"{module_name}.{name}"))
        return self.variable(module_name, name)

    def _assigned(self, module: Module, name: str) -> Value:
        key = (module.name, name)
        if key not in self._variables:
            self._variables[key] = NOTHING
            found = [self.stored.get(key, NOTHING)]
            if not module.name.startswith(PASSED_OVER):
                body = Body(self, module.name, {})
                found += [body.value(each.value) for each in module.assigned[name] if each.value is not None]
            if not any(found):
                annotations = [each.annotation for each in module.assigned[name] if isinstance(each, ast.AnnAssign)]
                found = [self.annotated(module.name, annotation) for annotation in annotations]
            self._variables[key] = join(found)
        return self._variables[key]

    def annotated(self, module_name: str, annotation: ast.expr | None) -> Value:
        """What an annotation says that a value may be."""
        match annotation:
            case ast.Constant(value=str(text)):
                return self.annotated(module_name, ast.parse(text, mode="eval").body)
            case ast.BinOp(left=left, right=right):
                return join((self.annotated(module_name, left), self.annotated(module_name, right)))
            case ast.Name(id=name):
                return self._named(module_name, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                imports = self.modules[module_name].imports
                return self._named(".".join(filter(None, imports.get(module, (module, None)))), name)
            case ast.Subscript(value=value, slice=inner):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                kind = ast.unparse(value).rpartition(".")[2]
                if kind in SEQUENCES:
                    return of(Several(join(self.annotated(module_name, part) for part in parts)))
                if kind in MAPPINGS:
                    return of(Mapped(frozenset({(NOTHING, self.annotated(module_name, parts[-1]))})))
        return NOTHING

    def _named(self, module_name: str, name: str) -> Value:
        module = self.modules.get(module_name)
        if module is None:
            is_client = module_name.startswith(CLIENT_TYPES) and name.endswith("Client")
            return of(Client(module_name.removeprefix(CLIENT_TYPES))) if is_client else NOTHING
        if name in module.classes:
            return of(Instance(module.classes[name].name))
        if name in module.imports:
            origin, original = module.imports[name]
            return NOTHING if original is None else self._named(origin, original)
        if name in module.assigned:
            return self.annotated(module_name, module.assigned[name][0].value)
        return NOTHING

    def attribute(self, atom: object, name: str) -> Value:
        """A member of a module, of an object or of a class."""
        match atom:
            case ModuleObject(module):
                return self.variable(module, name)
            case Instance(cls):
                return self._member(cls, name)
            case ClassObject(cls):
                return self._class_member(cls, name)
        return NOTHING

    def _member(self, cls: str, name: str) -> Value:
        lineage = self.lineage(cls)
        if self._is_protocol(cls):
            return join(self._member(each.cls, name) for each in self.implementing(cls))
        for each in lineage:
            if name in each.methods:
                return self._method(each, name, of(Instance(cls)))
        if cls == SETTINGS:
            return of(Setting(name))
        held = join(self.stored.get((each.name, name), NOTHING) for each in lineage)
        if held:
            return held
        return join(
            self.annotated(each.module, each.fields[name].annotation) for each in lineage if name in each.fields
        )

    def _method(self, owner: Class, name: str, receiver: Value) -> Value:
        node = owner.methods[name]
        decorators = {ast.unparse(each) for each in node.decorator_list}
        if decorators & {"property", "cached_property"}:
            if owner.name == SETTINGS:
                return of(Setting(name))
            return self.run(Function(owner.module, name, node, receiver), Arguments())
        return of(Function(owner.module, name, node, NOTHING if "staticmethod" in decorators else receiver))

    def _class_member(self, cls: str, name: str) -> Value:
        for each in self.lineage(cls):
            if name in each.methods:
                node = each.methods[name]
                is_of_class = "classmethod" in {ast.unparse(decorator) for decorator in node.decorator_list}
                return of(Function(each.module, name, node, of(ClassObject(cls)) if is_of_class else NOTHING))
        is_enum = any("Enum" in ast.unparse(base) for each in self.lineage(cls) for base in each.node.bases)
        return of(Instance(cls)) if is_enum else NOTHING

    def _is_protocol(self, cls: str) -> bool:
        return any("Protocol" in map(ast.unparse, each.node.bases) for each in self.lineage(cls))

    def implementing(self, protocol: str) -> Value:
        """Objects of the classes that have all members of a protocol and were made by the application."""
        if protocol not in self._implementations:
            wanted = self._members(protocol)
            made = frozenset(each for each in join(self.stored.values()) if isinstance(each, Instance))
            self._implementations[protocol] = frozenset(
                each for each in made if not self._is_protocol(each.cls) and wanted <= self._members(each.cls)
            )
        return self._implementations[protocol]

    def _members(self, cls: str) -> set[str]:
        names: set[str] = set()
        for each in self.lineage(cls):
            names |= each.methods.keys() | each.fields.keys()
        return {name for name in names if not name.startswith("_")}

    def make(self, cls: str, arguments: Arguments) -> Value:
        """An object of a class."""
        made = of(Instance(cls))
        lineage = self.lineage(cls)
        for each in lineage:
            if "__init__" in each.methods:
                self.run(Function(each.module, "__init__", each.methods["__init__"], made), arguments)
                return made
        if cls != SETTINGS and any(each.is_dataclass for each in lineage):
            self._fill(lineage, arguments)
            for each in lineage:
                if "__post_init__" in each.methods:
                    self.run(Function(each.module, "__post_init__", each.methods["__post_init__"], made), Arguments())
        return made

    def _fill(self, lineage: Sequence[Class], arguments: Arguments) -> None:
        names = [(each.name, name) for each in reversed(lineage) for name in each.fields]
        owners = {name: owner for owner, name in names}
        for (owner, name), value in zip(names, arguments.positional, strict=False):
            self.store(owner, name, value)
        for name, value in arguments.named.items():
            if name in owners:
                self.store(owners[name], name, value)
        for name, owner in owners.items():
            self.store(owner, name, join(each.at(name) for each in arguments.more_named if isinstance(each, Mapped)))

    def run(self, function: Function, arguments: Arguments) -> Value:
        """What a function returns; its calls of AWS are kept."""
        variables = self._bound(function, arguments)
        returned = None if isinstance(function.node, ast.Lambda) else function.node.returns
        if function.module.startswith(PASSED_OVER):
            return self.annotated(function.module, returned)
        key = (function, frozenset(variables.items()))
        if key not in self._done:
            self._done[key] = NOTHING
            if self._stack.count(function.node) >= DEEPEST:
                return self.annotated(function.module, returned)
            self._stack.append(function.node)
            result = Body(self, function.module, dict(function.around) | variables).run(function.node)
            self._stack.pop()
            self._done[key] = result or self.annotated(function.module, returned)
        return self._done[key] or self.annotated(function.module, returned)

    def _bound(self, function: Function, arguments: Arguments) -> dict[str, Value]:
        """The parameters of a function: what is given, or the default, or what the annotation says."""
        given = function.node.args
        names = [*given.posonlyargs, *given.args]
        positional = [*([function.receiver] if function.receiver else []), *arguments.positional]
        more = [each for each in arguments.more_named if isinstance(each, Mapped)]
        bound = dict(zip([name.arg for name in names], positional, strict=False))
        if arguments.more_positional:
            bound |= {name.arg: arguments.more_positional for name in names[len(positional) :]}
        bound |= arguments.named
        for name in [*names, *given.kwonlyargs]:
            mapped = join(each.at(name.arg) for each in more)
            if name.arg in bound or mapped:
                bound[name.arg] = join((bound.get(name.arg, NOTHING), mapped)) or self._expected(function, name)
            else:
                bound[name.arg] = self._default(function, name)
        if given.vararg is not None:
            bound[given.vararg.arg] = of(Several(join([*positional[len(names) :], arguments.more_positional])))
        if given.kwarg is not None:
            known = {name.arg for name in [*names, *given.kwonlyargs]}
            mine = Mapped(frozenset((of(Text(name)), bound.pop(name)) for name in arguments.named.keys() - known))
            bound[given.kwarg.arg] = frozenset(mine.merged(each) for each in more or [Mapped()])
        return bound

    def _default(self, function: Function, name: ast.arg) -> Value:
        given = function.node.args
        names = [*given.posonlyargs, *given.args]
        defaults = dict(zip(reversed(names), reversed(given.defaults), strict=False))
        default = (defaults | dict(zip(given.kwonlyargs, given.kw_defaults, strict=True))).get(name)
        if default is None:
            return self._expected(function, name)
        return Body(self, function.module, {}).value(default)

    def _expected(self, function: Function, name: ast.arg) -> Value:
        return self.annotated(function.module, name.annotation)
