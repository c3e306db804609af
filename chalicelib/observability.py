"""The one logger. What it writes holds no health value, no token and no e-mail address.

Requests are logged by operation name, never by path, since paths carry ids of users and servers may send tokens in
them; errors are logged by their type and the places they passed, never by their message, which may quote a value.
"""

import traceback

from aws_lambda_powertools import Logger

logger = Logger(service="strandline", level="INFO", log_uncaught_exceptions=False)


def places(error: BaseException) -> list[str]:
    """Where an error came from, innermost last, as `file:line function`, without source text and message."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
