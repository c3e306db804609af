"""The source of the application: its modules, classes and functions by name."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.project import ROOT

PACKAGE = "chalicelib"


@dataclass(slots=True)
class Class:
    """A class: where it stands, what it is made from, and what its body defines."""

    module: str
    node: ast.ClassDef
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    fields: dict[str, ast.AnnAssign] = field(default_factory=dict)
    """Annotated names, in order."""

    @property
    def name(self) -> str:
        """Its name in the program."""
        return f"{self.module}:{self.node.name}"

    @property
    def is_dataclass(self) -> bool:
        """Whether its fields are the arguments of its constructor."""
        return any("dataclass" in ast.unparse(decorator) for decorator in self.node.decorator_list)


@dataclass(slots=True)
class Module:
    """A module: what each name of it is bound to."""

    name: str
    tree: ast.Module
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """The module and the name in it; None for the module itself."""
    assigned: dict[str, list[ast.Assign | ast.AnnAssign]] = field(default_factory=dict)


def application(replaced: Mapping[str, str] | None = None) -> dict[str, Module]:
    """The modules of the application by name. `replaced` has other sources for some of them."""
    modules = dict(_as_written())
    for name, source in (replaced or {}).items():
        modules[name] = module_of(name, source)
    return modules


@cache
def _as_written() -> Mapping[str, Module]:
    return {name: module_of(name, path.read_text()) for name, path in _files()}


def source_of(name: str) -> str:
    """The source of a module as it is written."""
    return dict(_files())[name].read_text()


def _files() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def module_of(name: str, source: str) -> Module:
    """A module by its source."""
    module = Module(name, ast.parse(source))
    _collect(module, module.tree.body)
    return module


def _collect(module: Module, body: list[ast.stmt]) -> None:
    for statement in body:
        match statement:
            case ast.FunctionDef():
                module.functions[statement.name] = statement
            case ast.ClassDef():
                module.classes[statement.name] = _class(module.name, statement)
            case ast.Import() | ast.ImportFrom():
                module.imports |= imported(statement)
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                module.assigned.setdefault(target, []).append(statement)
            case ast.If() | ast.With():
                _collect(module, statement.body)
            case ast.Try():
                _collect(module, statement.body)


def imported(statement: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    """What an import binds."""
    if isinstance(statement, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: (alias.name if alias.asname else alias.name.split(".")[0], None)
            for alias in statement.names
        }
    return {alias.asname or alias.name: (statement.module or "", alias.name) for alias in statement.names}


def _class(module: str, node: ast.ClassDef) -> Class:
    found = Class(module, node)
    for statement in node.body:
        match statement:
            case ast.FunctionDef():
                found.methods[statement.name] = statement
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.fields[name] = statement
    return found
