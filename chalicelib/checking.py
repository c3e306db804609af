"""Faults that the data model finds, as refusals of the domain."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from chalicelib.errors import InvalidFieldsError, MalformedJsonError
from chalicelib.model.errors import InvalidBodyError, NotAnObjectError

Arguments = ParamSpec("Arguments")
Checked = TypeVar("Checked")


def checked(check: Callable[Arguments, Checked], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Checked:
    """What a check of the data model returns.

    Raises:
        InvalidFieldsError: fields break rules; every one is named.
        MalformedJsonError: the body is not of the kind that was asked for.
    """
    try:
        return check(*args, **kwargs)
    except InvalidBodyError as error:
        raise InvalidFieldsError(error.errors) from error
    except NotAnObjectError as error:
        raise MalformedJsonError from error
