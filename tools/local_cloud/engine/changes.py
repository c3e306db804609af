"""Decides which requests to the gateway require a save: all that are not known to be reads."""

from collections.abc import Callable

from tools.local_cloud.engine.front import Application, Receive, Scope, Send

READING = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")


def noting_changes(application: Application, note_change: Callable[[], None]) -> Application:
    """Wrap the application so that it calls `note_change` after each request that may have changed something."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        await application(scope, receive, send)
        if may_change_state(scope):
            note_change()

    return noting


def may_change_state(scope: Scope) -> bool:
    """Whether a request may be a write, by its method and its `X-Amz-Target` (DynamoDB_20120810.GetItem)."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
        return False
    target = next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"").decode("latin-1")
    return not target.rpartition(".")[2].startswith(READING)
