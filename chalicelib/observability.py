"""The one logger. What it writes holds no health value, no token and no e-mail address.

Requests are logged by operation name, never by path, since paths carry ids of users and servers may send tokens in
them; errors are logged by their type and the places they passed, never by their message, which may quote a value.
Each line says which function wrote it, and the request id by which Lambda and API Gateway know that run of it.
"""

import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from chalicelib.config import Settings

METRICS_NAMESPACE = "Strandline"

T = TypeVar("T")

logger = Logger(service="strandline", level="INFO", log_uncaught_exceptions=False)


class FunctionFailedError(Exception):
    """Stands for an error that ended a function; the log has its type and places."""


def begin(context: Any) -> None:
    """Lets the lines that follow say which run of which function they are of; `context` is None without Lambda."""
    if context is not None:
        logger.append_keys(function_name=context.function_name, function_request_id=context.aws_request_id)


def observed(handler: Callable[..., T]) -> Callable[..., T]:
    """The handler of an event, whose lines say which run they belong to; errors are told without their message.

    An error still fails the function, so that the event comes again; but Lambda writes the message of what a function
    raises to the log, and it may quote a value.
    """

    @functools.wraps(handler)
    def handle(*arguments: Any) -> T:
        # Chalice hands over its own event, which has the context, or event and context.
        begin(getattr(arguments[-1], "context", arguments[-1]))
        try:
            return handler(*arguments)
        except Exception as error:  # noqa: BLE001  Lambda would catch it all the same, and tell too much
            logger.error("defect", error=type(error).__name__, at=places(error))  # noqa: TRY400  no message, see above
            raise FunctionFailedError(type(error).__name__) from None

    return handle


def places(error: BaseException) -> list[str]:
    """Where an error came from, innermost last, as `file:line function`, without source text and message."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def count(name: str, value: int = 1) -> None:
    """Adds to a metric of the stage, by a line of the log that CloudWatch reads as such."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # late: most requests count nothing

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=METRICS_NAMESPACE) as metric:
        metric.add_dimension(name="stage", value=Settings.from_env().stage)
