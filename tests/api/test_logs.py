"""The log of every operation, called by everyone with secrets in every place: none of them is in it.

Beside that, `tests/api/conftest.py` looks at each line that any test of the API leaves in the log.
"""

import base64
import io
import json
from typing import Any

import pytest

from chalicelib.api.operations.table import OPERATIONS
from tests.api.conftest import ApiClient
from tests.api.logs import faults
from tests.fakes.services import SERVER_SECRET, FakeServices

EMAIL = "canary.of.a.test@example.org"
PASSWORD = "canary-password"
HEALTH_VALUE = "123.456789"
TOKEN = "canary-token"
OWNER = "c0ffee0123"
SECRETS = (EMAIL, PASSWORD, HEALTH_VALUE, TOKEN, OWNER, SERVER_SECRET)
ROUTES = tuple((operation, path) for operation in OPERATIONS for path in operation.paths)

BODIES: tuple[Any, ...] = (
    None,
    f'{{"value":{HEALTH_VALUE},"password":"{PASSWORD}"'.encode(),
    {"username": EMAIL, "emails": [EMAIL], "password": PASSWORD, "updates": {"password": PASSWORD}},
    {EMAIL: {"view": HEALTH_VALUE}, "type": HEALTH_VALUE, "deviceId": EMAIL, "paths": [TOKEN]},
    [{"type": "cbg", "units": "mmol/L", "value": float(HEALTH_VALUE), "time": HEALTH_VALUE, "note": EMAIL}],
)


@pytest.fixture
def tokens(fakes: FakeServices) -> list[str | None]:
    """Of nobody, of a user, of a server; and one that stands for nothing."""
    fakes.sign_in(OWNER)
    return [None, TOKEN, fakes.sign_in(OWNER), fakes.sign_in("a-server", is_server=True)]


def _part_of_jwt(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


FORGED_JWT = ".".join(
    (
        _part_of_jwt({"alg": "HS256", "typ": "JWT"}),
        _part_of_jwt({"userId": OWNER, "credentialId": TOKEN, "exp": 1 << 40}),
        "signature",
    )
)
"""A JWT for the Nightscout API whose signature is wrong."""


def try_all(api: ApiClient, path: str, method: str, tokens: list[str | None]) -> int:
    """The number of requests that were sent to a route, with secrets in path, query, headers and body."""
    filled = "/".join(part if "{" not in part else OWNER if "serId" in part else TOKEN for part in path.split("/"))
    basic = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": EMAIL,
        "X-Tidepool-Server-Name": EMAIL,
        "API-Secret": TOKEN,
    }
    secret_headers = [{"Authorization": f"Basic {basic}"}, {"X-Tidepool-Server-Secret": SERVER_SECRET}]
    if path.startswith("/api/v3/"):  # which knows JWTs alone
        secret_headers = [{"Authorization": f"Bearer {FORGED_JWT}"}]
    sent = 0
    for token in tokens:
        for body, more in ((body, more) for body in BODIES for more in secret_headers):
            query = f"?email={EMAIL}&restricted_token={TOKEN}&value={HEALTH_VALUE}"
            api.request(method, filled + query, body, token=token, **headers, **more)
            sent += 1
    return sent


@pytest.mark.parametrize(("operation", "path"), ROUTES, ids=[f"{row.method} {path}" for row, path in ROUTES])
def test_no_secret_is_in_the_log(
    api: ApiClient, log: io.StringIO, tokens: list[str | None], operation: Any, path: str
) -> None:
    sent = try_all(api, path, operation.method, tokens)
    lines = log.getvalue().splitlines()
    assert sum(json.loads(line)["message"] == "request" for line in lines) == sent
    assert [secret for secret in SECRETS if secret in log.getvalue()] == []


@pytest.mark.parametrize(("operation", "path"), ROUTES, ids=[f"{row.method} {path}" for row, path in ROUTES])
def test_no_secret_is_in_the_log_of_a_defect(
    api: ApiClient,
    fakes: FakeServices,
    log: io.StringIO,
    tokens: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
    operation: Any,
    path: str,
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise KeyError(*SECRETS)

    data = (fakes.profiles, fakes.data_sets, fakes.blobs)
    for store in (fakes.accounts, fakes.sessions, fakes.nightscout_credentials, fakes.grants, *data):
        for name in (
            "find",
            "find_by_email",
            "permissions",
            "owner",
            "head",
            "create",
            "put",
            "of_user",
            "find_of_user",
        ):
            if hasattr(store, name):
                monkeypatch.setattr(store, name, fails)
    try_all(api, path, operation.method, tokens)
    assert [secret for secret in SECRETS if secret in log.getvalue()] == []
    if not operation.policy.anyone:
        assert "KeyError" in log.getvalue()


@pytest.mark.parametrize(
    "field",
    [
        {"path": "/auth/login"},
        {"trace": EMAIL},
        {"error": f"KeyError({HEALTH_VALUE})"},
        {"at": [f"accounts.py:1 find {EMAIL}"]},
        {"operation": f"users.get {OWNER}"},
        {"message": EMAIL},
        {"exception": ""},
    ],
)
def test_what_should_not_be_in_a_log_is_found(field: dict[str, Any]) -> None:
    ((name, value),) = field.items()
    fine = {"level": "INFO", "message": "request", "status": 200, "at": ["http.py:74 <lambda>"]}
    assert faults(json.dumps(fine)) == []
    assert faults(json.dumps(fine | field)) == [f"{name}: {value!r}"]
