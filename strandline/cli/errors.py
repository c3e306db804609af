"""The errors of the command. Their messages are for the person at the keyboard."""


class CommandError(Exception):
    """The command cannot continue. Only the message is shown."""


class RefusedError(CommandError):
    """The server refused a request, and repeating it does not help; `status` and `body` are its reply."""

    def __init__(self, request: str, status: int, body: bytes) -> None:
        super().__init__(f"{request} failed with status {status}: {body.decode(errors='replace').strip()[:500]}")
        self.status, self.body = status, body
