"""Requests to the blob API: callers, blobs of Anna, and the errors of replies."""

from typing import Any

from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import FakeServices

ANNA = "a1b2c3d4e5"
BEN = "0123456789"
NOBODY = "ffffffffff"
HELLO = b"hello world"
HELLO_MD5 = "XrY7u+Ae7tCTyyK7j1rNww=="
UNKNOWN = "f" * 32

GRANTS = ("view", "upload", "custodian", "note", "follow", "root")
CALLERS = ("nobody", "expired", "stranger", "owner", "server", *GRANTS)
"""Kinds of callers; the name of a permission means a user to whom the owner granted only that."""


def token_of(caller: str, fakes: FakeServices, owner_id: str, somebody_id: str) -> str | None:
    """The token of a caller of this kind."""
    somebody = fakes.sign_in(somebody_id)
    match caller:
        case "nobody":
            return None
        case "owner":
            return fakes.sign_in(owner_id)
        case "server":
            return fakes.sign_in("server", is_server=True)
        case "stranger":
            fakes.grant(somebody_id, owner_id, GRANTS)  # what they granted to the owner does not count
        case "expired":
            fakes.now_ms += 3_600_001
        case _:
            fakes.grant(owner_id, somebody_id, [caller])
    return somebody


def faults_of(reply: Reply) -> list[tuple[str, str]]:
    """Code and parameter of each fault that a refusal names."""
    body = reply.json()
    return [(error["code"], error["source"]["parameter"]) for error in body.get("errors", [body])]


def create(api: ApiClient, token: str | None, content: bytes = HELLO, query: str = "", **headers: str) -> Reply:
    """The reply to a blob of Anna's."""
    sent = {"Content_Type": "text/plain"} | headers
    return api.request("POST", f"/v1/users/{ANNA}/blobs{query}", content, token=token, **sent)


def open_upload(api: ApiClient, token: str, **headers: str) -> Reply:
    """The reply to a direct upload of Anna's."""
    sent = {"Digest": f"MD5={HELLO_MD5}", "X_Upload_Size": "11"} | headers
    return create(api, token, b"", "?upload=direct", **sent)


def listed(api: ApiClient, token: str, query: str = "") -> list[str]:
    """The ids of Anna's blobs."""
    reply = api.request("GET", f"/v1/users/{ANNA}/blobs{query}", token=token)
    assert reply.status == 200
    return [blob["id"] for blob in reply.json()]


def error(code: str, title: str, detail: str, **more: Any) -> dict[str, Any]:
    """An error's body."""
    return {"code": code, "title": title, "detail": detail, **more}


def header_missing(name: str) -> dict[str, Any]:
    return error("header-missing", "header is missing", f'header "{name}" is missing')


def header_invalid(name: str) -> dict[str, Any]:
    return error("header-invalid", "header is invalid", f'header "{name}" is invalid')


def not_found(detail: str) -> dict[str, Any]:
    return error("resource-not-found", "resource not found", detail)
