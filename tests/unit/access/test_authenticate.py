"""Authentication: which of the credentials that were sent says who is calling."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

import pytest

from chalicelib.access.call import (
    NOBODY,
    SERVICE,
    Caller,
    Credentials,
    RestrictedToken,
    Session,
    authenticate,
    token_hash,
)
from chalicelib.errors import MalformedCredentialError

T = TypeVar("T")

NOW_MS = 1_767_225_600_000
ANNA, BEN = (
    Session(token_hash(name), f"id of {name}", is_server=False, created_time_ms=NOW_MS, expires_time_ms=NOW_MS + 1)
    for name in ("anna", "ben")
)
SERVER = replace(ANNA, token_hash=token_hash("server"), user_id="a server", is_server=True)
LINK = RestrictedToken("link", "id of carol", ("/data",), NOW_MS + 1, NOW_MS)


class Stored(Generic[T]):
    """The stored credentials, by hash or by id."""

    def __init__(self, found: Mapping[str, T]) -> None:
        self._found = found

    def find(self, key: str) -> T | None:
        """The credential that is stored under a key."""
        return self._found.get(key)


def caller(sent: Credentials, now_ms: int = NOW_MS) -> Caller:
    """The caller with these credentials."""
    sessions = Stored({session.token_hash: session for session in (ANNA, BEN, SERVER)})
    return authenticate(sent, sessions, lambda: "secret", now_ms, Stored({LINK.id: LINK}))


def test_the_first_valid_credential_counts() -> None:
    sent = Credentials(restricted_token="link", path="/data/x")
    assert caller(sent).user_id == "id of carol"
    sent = replace(sent, session_token="ben")
    assert caller(sent).user_id == "id of ben"
    assert caller(replace(sent, bearer_token="unknown")).user_id == "id of ben"
    sent = replace(sent, bearer_token="anna")
    assert caller(sent).user_id == "id of anna"
    assert caller(replace(sent, service_secret="secret")) == SERVICE


def test_a_server_is_one_by_its_session_token_only() -> None:
    assert caller(Credentials(session_token="server")) == Caller("a server", is_server=True)
    assert caller(Credentials(bearer_token="server")) == Caller("a server")


@pytest.mark.parametrize("secret", ["", "Secret", "secret ", "secre", "sécret"])
def test_a_wrong_secret_is_refused_whatever_else_is_sent(secret: str) -> None:
    with pytest.raises(MalformedCredentialError):
        caller(Credentials(service_secret=secret, session_token="anna"))


def test_a_credential_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(MalformedCredentialError):
        caller(Credentials(malformed=True, service_secret="secret"))


@pytest.mark.parametrize(
    "sent",
    [
        Credentials(),
        Credentials(bearer_token="", session_token="", restricted_token=""),
        Credentials(bearer_token="unknown"),
        Credentials(session_token=ANNA.token_hash),
        Credentials(session_token="link"),
        Credentials(restricted_token="anna", path="/data"),
        Credentials(restricted_token="link", path="/datas"),
    ],
)
def test_what_is_no_credential_is_nobody(sent: Credentials) -> None:
    assert caller(sent) == NOBODY


@pytest.mark.parametrize(
    "sent",
    [
        Credentials(bearer_token="anna"),
        Credentials(session_token="anna"),
        Credentials(restricted_token="link", path="/data"),
    ],
)
def test_a_credential_is_good_until_its_end(sent: Credentials) -> None:
    assert caller(sent) != NOBODY
    assert caller(sent, NOW_MS + 1) == NOBODY
