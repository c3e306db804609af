"""Tests that the trees in the docstrings of errors name each error below its base."""

import inspect
import re
from types import ModuleType

import pytest

from chalicelib import errors
from chalicelib.errors import InvalidRequestError, StrandlineError
from chalicelib.sign_in import errors as sign_in_errors

WIDTH = 4
"""The columns by which each level of a tree is indented."""


def _drawn(module: ModuleType) -> dict[str, str]:
    """The base of each error, by name, as the docstring draws them."""
    bases: dict[str, str] = {}
    path: list[str] = []
    for line in (module.__doc__ or "").splitlines():
        if match := re.match(r"([ │├└─]*)(\w+Error)\b", line):
            path[len(match[1]) // WIDTH :] = [match[2]]
            bases[match[2]] = path[-2] if len(path) > 1 else ""
    return bases


def _defined(module: ModuleType, root: type[Exception]) -> dict[str, str]:
    """The base of each error that a module defines below a root, by name."""
    classes = [found for _, found in inspect.getmembers(module, inspect.isclass) if found.__module__ == module.__name__]
    below = {
        found.__name__: found.__bases__[0].__name__ for found in classes if issubclass(found, root) and found != root
    }
    return {root.__name__: "", **below}


@pytest.mark.parametrize(
    ("module", "root"),
    [(errors, StrandlineError), (sign_in_errors, InvalidRequestError)],
    ids=["errors", "sign_in.errors"],
)
def test_a_tree_names_each_error_below_its_base(module: ModuleType, root: type[Exception]) -> None:
    assert _drawn(module) == _defined(module, root)
