"""Mail by SES, version 2 of its API."""

from functools import cache
from typing import Any

from chalicelib.engine.aws.clients import new_client
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.mail import SENDER_NAME

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 10
MAX_ATTEMPTS = 3


@cache
def client(region: str) -> Any:
    """A client of SES."""
    return new_client(
        "sesv2", region, max_attempts=MAX_ATTEMPTS, connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S
    )


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    client.cache_clear()


class SesMail:
    """The port `Mail` on SES, from an address whose identity or domain is verified there."""

    def __init__(self, region: str, sender: str) -> None:
        self._region = region
        self._sender = sender

    def send(self, recipient: str, subject: str, text: str, html: str) -> None:
        """See `Mail.send`. One call."""
        body = {"Text": _content(text), "Html": _content(html)}
        with engine_errors():
            client(self._region).send_email(
                FromEmailAddress=f"{SENDER_NAME} <{self._sender}>",
                Destination={"ToAddresses": [recipient]},
                Content={"Simple": {"Subject": _content(subject), "Body": body}},
            )


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
