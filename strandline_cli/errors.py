"""What can go wrong, in words for the person at the keyboard."""


class CommandError(Exception):
    """The command cannot go on; the message is all that is shown."""


class RefusedError(CommandError):
    """The server refused a request for good; `status` and `body` are its answer."""

    def __init__(self, request: str, status: int, body: bytes) -> None:
        super().__init__(f"{request} was answered with {status}: {body.decode(errors='replace').strip()[:500]}")
        self.status, self.body = status, body
