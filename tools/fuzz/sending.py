"""Sends hostile requests as one person, and checks each reply."""

import http.client
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tools.fuzz.description import faults_of_answer
from tools.fuzz.failures import MEANT, Summary, store_failure
from tools.fuzz.hostile import HostileRequest, hostile_requests
from tools.fuzz.people import GRANTEE, OWNER, Role, World

ENDS_ACCOUNTS = r"^(sessions\.(logout|delete)|users\.(update|delete)|logins\.|grants\.set)"
"""Operations that would end the accounts, logins and grants of a run."""
TIMEOUT_S = 60
NO_ANSWER, SERVER_ERROR, NOT_DESCRIBED = "No answer", "Server error", "Response violates schema"
METHOD_NOT_ALLOWED = 405
"""The answer to a method that the description does not have."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The end of a run: after so many, or after a time."""

    count: int | None = None
    seconds: float | None = None

    def until(self) -> Iterator[int]:
        """Numbers from 0 until the limit is reached."""
        began_s, number = time.monotonic(), 0
        while (self.count is None or number < self.count) and (
            self.seconds is None or time.monotonic() - began_s < self.seconds
        ):
            yield number
            number += 1


def send_hostile(base_url: str, role: Role, world: World, seed: str, limit: Limit) -> Summary:
    """Send hostile requests as a person until the limit, and store those that get a wrong reply."""
    random = Random(seed)  # noqa: S311  inputs of a test, no secret
    sender = Sender(base_url, role)
    keeps_account = role.name in (OWNER, GRANTEE)
    requests = hostile_requests(
        world, role, random, lambda name: keeps_account and re.match(ENDS_ACCOUNTS, name) is not None
    )
    files: dict[Path, None] = {}
    count = server_errors = 0
    for number, request in zip(limit.until(), requests, strict=False):
        count = number + 1
        status, faults = sender.faults(request)
        server_errors += status >= 500 and status not in MEANT
        if faults:
            files[store_failure(request, faults, role.name, world)] = None
    sender.close()
    return Summary(role.name, count, server_errors, tuple(files))


class Sender:
    """One connection of a person."""

    def __init__(self, base_url: str, role: Role) -> None:
        self._role = role
        parts = urlsplit(base_url)
        of_scheme = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = of_scheme(str(parts.hostname), parts.port, timeout=TIMEOUT_S)

    def faults(self, request: HostileRequest) -> tuple[int, list[str]]:
        """The status of the reply, 0 if there was none, and the kinds of its faults."""
        try:
            status, headers, body = self._answer(request)
        except (OSError, http.client.HTTPException):
            return 0, [NO_ANSWER]
        if status in MEANT:
            return status, []
        if status >= 500:
            return status, [SERVER_ERROR]
        if not request.is_described or status == METHOD_NOT_ALLOWED:
            return status, []
        return status, [NOT_DESCRIBED] if faults_of_answer(request.method, request.path, status, headers, body) else []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _answer(self, request: HostileRequest) -> tuple[int, dict[str, str], bytes]:
        """The reply. After a broken connection, which the server may close at any time, the request is sent again."""
        for is_last in (False, True):
            try:
                return self._send(request)
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if is_last:
                    raise
        raise AssertionError

    def _send(self, request: HostileRequest) -> tuple[int, dict[str, str], bytes]:
        headers = {"Accept": "*/*", **self._role.headers, **request.headers}
        encoded = {name: value.encode("latin-1") for name, value in headers.items()}
        self._connection.request(request.method, request.path, request.body or None, encoded)
        response = self._connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return response.status, received, response.read()
