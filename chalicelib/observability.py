"""The one logger. What it writes holds no health value, no token and no e-mail address.

Requests are logged by operation name, never by path, since paths carry ids of users and servers may send tokens in
them; errors are logged by their type and the places they passed, never by their message, which may quote a value.
"""

import traceback

from aws_lambda_powertools import Logger

from chalicelib.config import Settings

METRICS_NAMESPACE = "Strandline"

logger = Logger(service="strandline", level="INFO", log_uncaught_exceptions=False)


def places(error: BaseException) -> list[str]:
    """Where an error came from, innermost last, as `file:line function`, without source text and message."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def count(name: str, value: int = 1) -> None:
    """Adds to a metric of the stage, by a line of the log that CloudWatch reads as such."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # late: most requests count nothing

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=METRICS_NAMESPACE) as metric:
        metric.add_dimension(name="stage", value=Settings.from_env().stage)
