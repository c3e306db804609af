"""Tests that each exception of botocore is a defect or may pass, and what becomes of it."""

import importlib
import pkgutil
from collections.abc import Iterator

import botocore
import pytest
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError
from botocore.parsers import ResponseParserError

from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.aws.sdk_errors import DEFECTS, MAY_PASS, may_pass
from chalicelib.errors import UnavailableError

NOT_INSTALLED = ("botocore.crt.auth", "botocore.docs.translator")
"""Modules that need packages which nothing here uses; they define no exceptions."""


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """A class and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


@pytest.fixture(scope="module")
def kinds() -> dict[str, type[BaseException]]:
    """The exceptions that a call of botocore raises, without those for replies of AWS, by name."""
    for module in pkgutil.walk_packages(botocore.__path__, "botocore."):
        if module.name not in NOT_INSTALLED:
            importlib.import_module(module.name)
    roots: tuple[type[BaseException], ...] = (BotoCoreError, ResponseParserError)
    return {
        kind.__name__: kind
        for root in roots
        for kind in subclasses(root)
        if not issubclass(kind, ClientError) and kind.__module__.startswith("botocore.")
    }


def test_every_exception_is_classified_once(kinds: dict[str, type[BaseException]]) -> None:
    assert sorted(kinds) == sorted([*MAY_PASS, *DEFECTS])


def test_what_may_pass_is_unavailable_and_the_rest_is_a_defect(kinds: dict[str, type[BaseException]]) -> None:
    for name, kind in kinds.items():
        error = kind.__new__(kind)
        Exception.__init__(error, "a-value-of-somebody")
        with pytest.raises((UnavailableError, RuntimeError)) as raised, engine_errors():
            raise error
        assert raised.type is (UnavailableError if name in MAY_PASS else RuntimeError), name
        assert raised.value.__cause__ is error
        assert "a-value-of-somebody" not in str(raised.value)


def test_a_reply_that_ends_too_early_may_pass() -> None:
    with pytest.raises(UnavailableError), engine_errors():
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)


def test_an_unknown_exception_counts_as_the_one_above_it() -> None:
    class NewError(IncompleteReadError):
        pass

    class OtherError(BotoCoreError):
        pass

    assert may_pass(NewError(actual_bytes=1, expected_bytes=2))
    assert not may_pass(OtherError())
