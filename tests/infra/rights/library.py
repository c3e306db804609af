"""What functions and classes that are not the project's return, as far as it holds what they were given."""

from collections.abc import Sequence

from tests.infra.rights.values import NOTHING, Items, Several, Value, elements, join, of

SAME = frozenset(
    {
        "cast",
        "chain",
        "dict",
        "filter",
        "frozenset",
        "islice",
        "iter",
        "list",
        "partial",
        "reversed",
        "set",
        "sorted",
        "tuple",
    }
)
"""Their results hold what their arguments hold."""


def returned(name: str, given: Sequence[Value]) -> Value:
    """What a call by position returns."""
    if name in SAME:
        return join(given)
    if name in ("next", "min", "max"):
        return elements(join(given))
    if name == "enumerate":
        return of(Several(of(Items((NOTHING, elements(given[0]))))))
    if name in ("zip", "product"):
        return of(Several(of(Items(tuple(elements(each) for each in given)))))
    return NOTHING
