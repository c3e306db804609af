"""Replies of the accounts API when a store does not answer, when the code has a defect, and when changes conflict."""

import base64
from typing import Any

import pytest

from chalicelib.access.call import Session
from chalicelib.accounts.manage import MAX_ATTEMPTS
from chalicelib.api.operations.accounts import ACCOUNT_OPERATIONS
from chalicelib.api.operations.metadata import METADATA_OPERATIONS
from chalicelib.api.operations.operation import ErrorFormat
from chalicelib.conflicts import WriteConflictError
from chalicelib.errors import UnavailableError
from tests.api.conftest import ApiClient
from tests.fakes.services import SERVER_SECRET, FakeServices

OWNER = "aaaaaaaaaa"
SIGN_UP = {"username": "a@example.org", "emails": ["a@example.org"], "password": "password"}
LOGIN = {"authorization": "Basic " + base64.b64encode(b"a@example.org:password").decode()}
WITH_TOKEN = tuple(
    (operation, path)
    for operation in (*ACCOUNT_OPERATIONS, *METADATA_OPERATIONS)
    for path in operation.paths
    if not operation.policy.anyone
)


def raising(error: Exception) -> Any:
    """A method of a store that fails."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def delete_account(fakes: FakeServices) -> None:
    """Delete the account that signed up."""
    account = fakes.accounts.find_by_email("a@example.org")
    assert account is not None
    fakes.accounts.delete(account, fakes.now_ms)


@pytest.mark.parametrize("store", ["restricted_tokens", "sessions", "sessions, last"])
def test_a_deletion_ends_all_credentials_before_it_is_answered(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    api.request("POST", "/auth/user", SIGN_UP)
    reply = api.request("POST", "/auth/login", **LOGIN)
    token, user_id = reply.headers["x-tidepool-session-token"], reply.json()["userid"]
    other = api.request("POST", "/auth/login", **LOGIN).headers["x-tidepool-session-token"]
    link = api.request("POST", f"/v1/users/{user_id}/restricted_tokens", {}, token=other).json()["id"]
    of_server = api.request(
        "POST", f"/v1/users/{user_id}/restricted_tokens", {}, X_Tidepool_Service_Secret=SERVER_SECRET
    ).json()["id"]
    end_all = fakes.sessions.end_all

    def end_all_but_the_last(user_id: str, keep: Session | None = None) -> None:
        if keep is None:
            raise UnavailableError(retry_after_s=7)
        end_all(user_id, keep)

    with monkeypatch.context() as patched:
        fail = raising(UnavailableError(retry_after_s=7))
        match store:
            case "restricted_tokens":
                patched.setattr(fakes.restricted_tokens, "delete", fail)
            case "sessions":
                patched.setattr(fakes.sessions, "end_all", fail)
            case _:
                patched.setattr(fakes.sessions, "end_all", end_all_but_the_last)
        reply = api.request("DELETE", f"/auth/user/{user_id}", {"password": "password"}, token=token)
        assert (reply.status, reply.headers["retry-after"]) == (503, "7")
    assert fakes.accounts.find(user_id) is None
    reply = api.request("DELETE", f"/auth/user/{user_id}", {"password": "password"}, token=token)
    assert (reply.status, reply.body) == (204, b"")
    for session in (token, other):
        assert api.request("GET", f"/data/{user_id}", token=session).status == 401
    for restricted in (link, of_server):
        assert api.request("GET", f"/data/{user_id}?restricted_token={restricted}").status == 401
    assert fakes.restricted_tokens.of_user(user_id) == []


@pytest.mark.parametrize(("operation", "path"), WITH_TOKEN, ids=[f"{row.method} {path}" for row, path in WITH_TOKEN])
class TestSessionsFail:
    """Every route that needs a token, while its store fails."""

    def test_a_store_that_does_not_answer_is_unavailable(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, operation: Any, path: str
    ) -> None:
        monkeypatch.setattr(fakes.sessions, "find", raising(UnavailableError(retry_after_s=7)))
        reply = api.request(operation.method, path.replace("{", "").replace("}", ""), token="any")
        assert reply.status == 503
        assert reply.headers["retry-after"] == "7"
        if operation.error_format is ErrorFormat.NODE:
            assert reply.body == b""
        else:
            assert reply.json() == {"code": 503, "reason": "Unavailable for the moment"}

    def test_a_defect_is_an_internal_error(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch, operation: Any, path: str
    ) -> None:
        monkeypatch.setattr(fakes.sessions, "find", raising(KeyError("a secret")))
        reply = api.request(operation.method, path.replace("{", "").replace("}", ""), token="any")
        assert reply.status == 500
        assert b"secret" not in reply.body
        if operation.error_format is ErrorFormat.NODE or operation.name == "users.delete":
            assert reply.body == b""
        else:
            assert reply.json()["code"] == 500
            assert reply.json()["reason"].startswith("Error ")


@pytest.mark.parametrize(
    ("method", "path", "request_", "reason"),
    [
        ("POST", "/auth/user", {"body": SIGN_UP}, "Error creating the user"),
        ("POST", "/auth/login", LOGIN, "Error updating token"),
        (
            "POST",
            "/auth/serverlogin",
            {"X-Tidepool-Server-Name": "a", "X-Tidepool-Server-Secret": "the secret of the test stage"},
            "Error generating the token",
        ),
    ],
)
def test_a_defect_of_signing_in_is_an_internal_error(
    api: ApiClient,
    fakes: FakeServices,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    request_: dict[str, Any],
    reason: str,
) -> None:
    api.request("POST", "/auth/user", SIGN_UP | {"username": "b@example.org", "emails": ["a@example.org"]})
    if path == "/auth/user":
        delete_account(fakes)
    monkeypatch.setattr(fakes.sessions, "add", raising(KeyError("a secret")))
    reply = api.request(method, path, **request_)
    assert (reply.status, reply.json()) == (500, {"code": 500, "reason": reason})


def test_a_deletion_is_kept_if_the_data_cannot_be_erased_at_once(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.sign_in(OWNER)
    server = fakes.sign_in("server", is_server=True)
    monkeypatch.setattr(fakes.profiles, "delete_all", raising(UnavailableError()))
    assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 204
    assert fakes.accounts.find(OWNER) is None
    assert [deletion.user_id for deletion in fakes.accounts.deletions()] == [OWNER]


def test_an_account_that_is_deleted_during_its_sign_in_gets_no_session(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.request("POST", "/auth/user", SIGN_UP)
    monkeypatch.setattr(fakes.passwords, "needs_rehash", lambda _hash: delete_account(fakes))
    reply = api.request("POST", "/auth/login", **LOGIN)
    assert (reply.status, reply.json()) == (401, {"code": 401, "reason": "No user matched the given details"})


def test_a_login_that_ends_while_it_is_refreshed_gives_no_token(
    api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = fakes.sign_in(OWNER)
    monkeypatch.setattr(fakes.sessions, "add", lambda _session, parent_hash: parent_hash is None)
    reply = api.request("GET", "/auth/login", token=token)
    assert (reply.status, reply.body) == (401, b"")
    assert "x-tidepool-session-token" not in reply.headers


class TestConflictingChanges:
    """A change that meets another one is decided again by what is stored then."""

    CHANGES = pytest.mark.parametrize(
        ("store", "method", "path", "body"),
        [
            ("accounts", "PUT", f"/auth/user/{OWNER}", {"updates": {"username": "new@example.org"}}),
            ("profiles", "PUT", f"/metadata/{OWNER}/profile", {"fullName": "A"}),
            ("profiles", "GET", f"/metadata/{OWNER}/private/name", None),
        ],
    )

    @CHANGES
    def test_a_change_that_conflicts_is_repeated(
        self,
        api: ApiClient,
        fakes: FakeServices,
        monkeypatch: pytest.MonkeyPatch,
        store: str,
        method: str,
        path: str,
        body: Any,
    ) -> None:
        fakes.sign_in(OWNER)
        real, tries = getattr(fakes, store).replace, []

        def replace(*arguments: Any, **named: Any) -> None:
            tries.append(arguments)
            if len(tries) < MAX_ATTEMPTS:
                raise WriteConflictError
            real(*arguments, **named)

        monkeypatch.setattr(getattr(fakes, store), "replace", replace)
        assert api.request(method, path, body, token=fakes.sign_in("server", is_server=True)).status == 200
        assert len(tries) == MAX_ATTEMPTS

    @CHANGES
    def test_a_change_that_always_conflicts_is_unavailable(
        self,
        api: ApiClient,
        fakes: FakeServices,
        monkeypatch: pytest.MonkeyPatch,
        store: str,
        method: str,
        path: str,
        body: Any,
    ) -> None:
        fakes.sign_in(OWNER)
        monkeypatch.setattr(getattr(fakes, store), "replace", raising(WriteConflictError()))
        reply = api.request(method, path, body, token=fakes.sign_in("server", is_server=True))
        assert reply.status == 503
        assert "retry-after" in reply.headers

    def test_a_change_whose_session_ends_meanwhile_is_refused(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = fakes.sign_in(OWNER)
        before, real = fakes.accounts.find(OWNER), fakes.accounts.replace

        def replace(*arguments: Any, **named: Any) -> None:
            fakes.sessions.end_all(OWNER)
            real(*arguments, **named)

        monkeypatch.setattr(fakes.accounts, "replace", replace)
        body = {"updates": {"password": "another-password"}}
        assert api.request("PUT", "/auth/user", body, token=token).status == 401
        assert fakes.accounts.find(OWNER) == before

    def test_a_deletion_that_always_conflicts_deletes_nothing(
        self, api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fakes.sign_in(OWNER)
        server = fakes.sign_in("server", is_server=True)
        with monkeypatch.context() as patched:
            patched.setattr(fakes.accounts, "delete", raising(WriteConflictError()))
            assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 503
        assert fakes.accounts.find(OWNER) is not None
        assert api.request("DELETE", f"/auth/user/{OWNER}", token=server).status == 204
