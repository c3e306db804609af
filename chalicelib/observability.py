"""The logger, and counters of CloudWatch. Log lines contain no health value, no token and no e-mail address.

Requests are logged by operation, never by path, because paths contain user ids and servers may send tokens in them.
Errors are logged by type and stack, never by message, because a message may quote a value. Each line names the function
and the request id by which Lambda and API Gateway identify the invocation.
"""

import functools
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from chalicelib.config import Settings

METRICS_NAMESPACE = "Strandline"

T = TypeVar("T")

logger = Logger(service="strandline", level="INFO", log_uncaught_exceptions=False)


class FunctionFailedError(Exception):
    """Replaces an error that ended a function; the log has its type and stack."""


def log_to(handlers: Sequence[logging.Handler]) -> None:
    """Write log lines to these handlers, as JSON, and no longer to standard output."""
    formatter = logger.registered_formatter
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.getLogger(logger.service).handlers = [*handlers]


def begin(context: Any) -> None:
    """Make the following log lines name the function and the invocation; `context` is None outside Lambda."""
    if context is not None:
        logger.append_keys(function_name=context.function_name, function_request_id=context.aws_request_id)


def observed(handler: Callable[..., T]) -> Callable[..., T]:
    """Wrap the handler of an event so that its log lines name the invocation and errors are logged without message.

    An error still fails the function, so that the event is delivered again. Lambda logs the message of any error that a
    function raises, and the message may quote a value; so another error is raised in its place.
    """

    @functools.wraps(handler)
    def handle(*arguments: Any) -> T:
        # Chalice passes its own event, which has the context, or the event and the context.
        begin(getattr(arguments[-1], "context", arguments[-1]))
        try:
            return handler(*arguments)
        except Exception as error:  # noqa: BLE001  Lambda would catch it too, and log its message
            logger.error("defect", error=type(error).__name__, at=stack_frames(error))  # noqa: TRY400  no message, see above
            raise FunctionFailedError(type(error).__name__) from None

    return handle


def stack_frames(error: BaseException) -> list[str]:
    """The stack of an error, innermost frame last, as `file:line function`: without source text and message."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def count(name: str, value: int = 1) -> None:
    """Add to a metric of the stage by a log line in CloudWatch's embedded metric format."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # imported late: most requests count nothing

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=METRICS_NAMESPACE) as metric:
        metric.add_dimension(name="stage", value=Settings.from_env().stage)
