"""What an expression may be, as far as calls of AWS depend on it: clients, names, keys, objects and functions.

A value is the set of all that it may be; whatever cannot matter is left out, so the empty set is "anything else".
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

Value = frozenset[Any]
NOTHING: Value = frozenset()

MOST_FORMS = 32
"""Of one mapping: beyond, its forms are taken for one that has the keys of all."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, or how one begins."""

    text: str
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """What a member of `Settings` holds."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of one of the project's classes."""

    cls: str


@dataclass(frozen=True, slots=True)
class ClassObject:
    """One of the project's classes itself."""

    cls: str


@dataclass(frozen=True, slots=True)
class ModuleObject:
    """A module, of the project or not."""

    name: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function or class that is not the project's, by its full name."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """One of the project's functions, with the object that it is a method of and the variables around it."""

    module: str
    name: str
    node: ast.FunctionDef | ast.Lambda
    receiver: Value = NOTHING
    around: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """A client of a service of AWS."""

    service: str


@dataclass(frozen=True, slots=True)
class Member:
    """A method of a client or of a container."""

    of: Any
    name: str


@dataclass(frozen=True, slots=True)
class Pages:
    """A paginator of a client."""

    service: str
    operation: str


@dataclass(frozen=True, slots=True)
class Several:
    """A list, a set or an iterator."""

    elements: Value = NOTHING


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple."""

    items: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping: pairs of key and value."""

    pairs: frozenset[tuple[Value, Value]] = frozenset()

    def at(self, key: str) -> Value:
        """What stands under a text, or under keys that are not known."""
        return join(value for keys, value in self.pairs if Text(key) in keys or not keys)

    def with_item(self, key: Value, value: Value) -> "Mapped":
        """The mapping after an item was set; it replaces what stood under the same key."""
        kept = {(k, v) for k, v in self.pairs if not (k == key and key)}
        return Mapped(frozenset(kept | {(key, value)}))

    def merged(self, other: "Mapped") -> "Mapped":
        """Both; the other's items win."""
        theirs = {key for key, _ in other.pairs if key}
        return Mapped(frozenset({pair for pair in self.pairs if pair[0] not in theirs} | other.pairs))


ESSENTIAL = (Setting, Instance, ClassObject, ModuleObject, Function, Client)


def join(values: Iterable[Value]) -> Value:
    """What any of them may be."""
    joined: Value = NOTHING.union(*values)
    forms = [each for each in joined if isinstance(each, Mapped)]
    if len(forms) <= MOST_FORMS:
        return joined
    return (joined - set(forms)) | {Mapped(frozenset().union(*(form.pairs for form in forms)))}


def essence(value: Value) -> Value:
    """The objects, functions, clients and settings in a value, at most one container deep, and no texts."""
    direct = frozenset(each for each in value if isinstance(each, ESSENTIAL))
    inner = join(_leaves(each) for each in value)
    held = of(Several(inner), Mapped(frozenset({(NOTHING, inner)}))) if inner else NOTHING
    return direct | held


def _leaves(atom: Any) -> Value:
    match atom:
        case Several(found):
            parts = [found]
        case Items(items):
            parts = list(items)
        case Mapped(pairs):
            parts = [part for pair in pairs for part in pair]
        case _:
            return NOTHING
    return join(
        [
            frozenset(each for part in parts for each in part if isinstance(each, ESSENTIAL)),
            *(_leaves(each) for part in parts for each in part),
        ]
    )


def of(*atoms: Any) -> Value:
    """A value that is one of these."""
    return frozenset(atoms)


def elements(value: Value) -> Value:
    """What iterating over a value may yield."""
    return join(_elements(each) for each in value)


def _elements(atom: Any) -> Value:
    match atom:
        case Several(found):
            return found
        case Items(items):
            return join(items)
        case Mapped(pairs):
            return join(key for key, _ in pairs)
    return NOTHING


def merged(values: Iterable[Value]) -> Value:
    """Mappings one over the other, in each combination of their forms."""
    forms = [[each for each in value if isinstance(each, Mapped)] or [Mapped()] for value in values]
    found = []
    for some in product(*forms):
        whole = Mapped()
        for each in some:
            whole = whole.merged(each)
        found.append(of(whole))
    return join(found)


def texts(value: Value) -> Iterator[Text]:
    """The texts that a value may be."""
    return (each for each in value if isinstance(each, Text))


def concatenated(parts: Iterable[Value]) -> Value:
    """The texts that parts make up: each as far as it is known."""
    begun = {Text("")}
    for part in parts:
        known = list(texts(part))
        begun = {
            after
            for text in begun
            for after in (
                [text]
                if not text.is_whole
                else [Text(text.text + more.text, more.is_whole) for more in known] or [Text(text.text, False)]
            )
        }
    return frozenset(text for text in begun if text.text or text.is_whole)


def combined(left: Value, right: Value) -> Value:
    """What an operator makes of two values: texts and sequences one after the other, mappings one over the other."""
    if any(isinstance(each, Mapped) for each in left | right):
        return merged((left, right))
    if any(True for _ in texts(left)):
        return concatenated((left, right))
    held = elements(left | right)
    return of(Several(held)) if held else left | right


def under(atom: Any, key: Value) -> Value:
    """What stands in a container under a key."""
    known = list(texts(key))
    match atom:
        case Mapped() if known:
            return join(atom.at(text.text) for text in known)
        case Mapped(pairs):
            return join(value for _, value in pairs)
    return elements(of(atom))


def numbered(atom: Any, index: int) -> Value:
    """What stands at a place in a container."""
    match atom:
        case Items(items) if -len(items) <= index < len(items):
            return items[index]
    return under(atom, NOTHING)
