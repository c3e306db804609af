"""The grammar of expressions, as far as the engine emits it: texts become trees, whose names and values are
placeholders.

    condition  = conjunction { OR conjunction }
    conjunction = term { AND term }
    term       = "(" condition ")" | name sign value | name BETWEEN value AND value | function
    function   = attribute_exists(name) | attribute_not_exists(name) | begins_with(name, value)
    update     = { SET set { "," set } | ADD name value { "," name value } | REMOVE name { "," name } }
    set        = name "=" value | name "=" if_not_exists(name, value)

It is a part of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from chalicelib.frozen import frozen
from tests.fakes.dynamodb.refusals import UnsupportedError

Tree = TypeVar("Tree")

_TOKEN = re.compile(r"(?P<name>#\w+)|(?P<value>:\w+)|(?P<word>[A-Za-z_]+)|(?P<sign><>|<=|>=|[=<>(),])|(?P<blank>\s+)")
SIGNS = frozenset({"=", "<>", "<", "<=", ">", ">="})
MAX_TREES = 1_000


@frozen
class Comparison:
    """A name, one of `SIGNS`, and a value."""

    name: str
    sign: str
    value: Any


@frozen
class Between:
    """A name and two values, which are in the range themselves."""

    name: str
    least: Any
    most: Any


@frozen
class BeginsWith:
    """A name and a prefix."""

    name: str
    prefix: Any


@frozen
class Presence:
    """An attribute is there, or is not."""

    name: str
    is_there: bool


@frozen
class AllOf:
    """Several conditions that all have to hold."""

    parts: "tuple[Condition, ...]"


@frozen
class AnyOf:
    """Several conditions of which one has to hold."""

    parts: "tuple[Condition, ...]"


Condition = Comparison | Between | BeginsWith | Presence | AllOf | AnyOf


@frozen
class Set:
    """An attribute that gets a value; where `if_absent` is given, only if that attribute is not there."""

    name: str
    value: Any
    if_absent: str | None = None


@frozen
class Add:
    """A number that is added to an attribute."""

    name: str
    value: Any


@frozen
class Remove:
    """An attribute that is removed."""

    name: str


Action = Set | Add | Remove


class Token(NamedTuple):
    """A part of an expression: a name, a value, a word or a sign. The end is a sign without text."""

    kind: str
    text: str


@lru_cache(MAX_TREES)
def condition(text: str) -> Condition:
    """The tree of a condition, a filter or a key condition.

    Raises:
        UnsupportedError: it has something that the grammar does not have.
    """
    parser = _Parser(text)
    return parser.whole(parser.condition)


@lru_cache(MAX_TREES)
def update(text: str) -> tuple[Action, ...]:
    """The actions of an update.

    Raises:
        UnsupportedError: see `condition`.
    """
    parser = _Parser(text)
    return parser.whole(parser.update)


@lru_cache(MAX_TREES)
def projection(text: str) -> tuple[str, ...]:
    """The names of a projection.

    Raises:
        UnsupportedError: see `condition`.
    """
    parser = _Parser(text)
    return parser.whole(lambda: tuple(parser.listed(lambda: parser.take("name"))))


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise UnsupportedError(f"{text[at]!r} in the expression {text}")
        if found.lastgroup != "blank":
            yield Token(found.lastgroup, found[0])
        at = found.end()
    yield Token("sign", "")


class _Parser:
    """Reads the tokens of one expression, each once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self, read: Callable[[], Tree]) -> Tree:
        """The result of `read` for all tokens."""
        tree = read()
        self.take("sign", "")
        return tree

    def take(self, kind: str, text: str | None = None) -> str:
        """The text of the next token, which has to be of a kind."""
        token = self._tokens[self._at]
        if token.kind != kind or (text is not None and token.text != text):
            raise UnsupportedError(f"{token.text!r} in the expression {self._text}")
        self._at += 1
        return token.text

    def listed(self, read: Callable[[], Tree]) -> list[Tree]:
        """The results of `read` for each part of a list with commas."""
        parts = [read()]
        while self._took("sign", ","):
            parts.append(read())
        return parts

    def condition(self) -> Condition:
        """Conjunctions of which one has to hold."""
        parts = [self._conjunction()]
        while self._took("word", "OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def update(self) -> tuple[Action, ...]:
        """Clauses, each of which comes once."""
        readers: dict[str, Callable[[], Action]] = {"SET": self._set, "ADD": self._add, "REMOVE": self._remove}
        actions: list[Action] = []
        while not actions or self._next().kind == "word":
            word = self.take("word")
            read = readers.pop(word, None)
            if read is None:
                raise UnsupportedError(f"{word} in the expression {self._text}")
            actions += self.listed(read)
        return tuple(actions)

    def _conjunction(self) -> Condition:
        parts = [self._term()]
        while self._took("word", "AND"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _term(self) -> Condition:
        if self._took("sign", "("):
            inner = self.condition()
            self.take("sign", ")")
            return inner
        if self._next().kind == "word":
            return self._function(self.take("word"))
        name = self.take("name")
        if self._took("word", "BETWEEN"):
            least = self.take("value")
            self.take("word", "AND")
            return Between(name, least, self.take("value"))
        sign = self.take("sign")
        if sign not in SIGNS:
            raise UnsupportedError(f"{sign!r} in the expression {self._text}")
        return Comparison(name, sign, self.take("value"))

    def _function(self, word: str) -> Condition:
        self.take("sign", "(")
        name = self.take("name")
        if word == "begins_with":
            self.take("sign", ",")
            found: Condition = BeginsWith(name, self.take("value"))
        elif word in ("attribute_exists", "attribute_not_exists"):
            found = Presence(name, word == "attribute_exists")
        else:
            raise UnsupportedError(f"{word} in the expression {self._text}")
        self.take("sign", ")")
        return found

    def _set(self) -> Set:
        name = self.take("name")
        self.take("sign", "=")
        if not self._took("word", "if_not_exists"):
            return Set(name, self.take("value"))
        self.take("sign", "(")
        other = self.take("name")
        self.take("sign", ",")
        value = self.take("value")
        self.take("sign", ")")
        return Set(name, value, other)

    def _add(self) -> Add:
        return Add(self.take("name"), self.take("value"))

    def _remove(self) -> Remove:
        return Remove(self.take("name"))

    def _next(self) -> Token:
        return self._tokens[self._at]

    def _took(self, kind: str, text: str) -> bool:
        """Whether the next token is this one; then it is read."""
        if self._next() != (kind, text):
            return False
        self._at += 1
        return True
