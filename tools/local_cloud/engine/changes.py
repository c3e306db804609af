"""Which requests to the gateway make a save due: any that is not known to be a read."""

from collections.abc import Callable

from tools.local_cloud.engine.front import Application, Receive, Scope, Send

READING = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet")


def noting_changes(application: Application, note_change: Callable[[], None]) -> Application:
    """The same application, which calls `note_change` after each request that may have changed something."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        await application(scope, receive, send)
        if may_change_state(scope):
            note_change()

    return noting


def may_change_state(scope: Scope) -> bool:
    """Whether a request is anything but a read, by its method and its `X-Amz-Target` (DynamoDB_20120810.GetItem)."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
        return False
    target = next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"").decode("latin-1")
    return not target.rpartition(".")[2].startswith(READING)
