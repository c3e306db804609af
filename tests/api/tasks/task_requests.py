"""Requests to the task API."""

from collections.abc import Callable

from tests.api.conftest import Reply

ECHO = "strandline.diagnostics.echo"


NEW = {"type": ECHO}


Call = Callable[..., Reply]
