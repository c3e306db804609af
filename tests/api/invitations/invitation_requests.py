"""Requests about invitations, in as few words as possible."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.api.conftest import ApiClient, Reply
    from tests.fakes.services import FakeServices

SHARER = "aaaaaaaaaa"
INVITEE = "bbbbbbbbbb"
STRANGER = "cccccccccc"
ADDRESS = f"{INVITEE}@example.org"
INVITATION: dict[str, Any] = {"email": ADDRESS, "permissions": {"view": {}, "note": {}}}
SENT = f"/confirm/invite/{SHARER}"
RECEIVED = f"/confirm/invitations/{INVITEE}"
ACCEPT = f"/confirm/accept/invite/{INVITEE}/{SHARER}"
DISMISS = f"/confirm/dismiss/invite/{INVITEE}/{SHARER}"

NOT_AUTHORIZED = {"code": 401, "reason": "Not authorized for requested operation"}
FORBIDDEN = {"code": 403, "reason": "Forbidden to perform requested operation"}
NOTHING = {"code": 404, "reason": "Nothing found"}
NO_INVITE = {"code": 404, "reason": "No matching invite was found"}
EXISTS = {"code": 409, "reason": "There is already an existing invite"}
MEMBER = {"code": 409, "reason": "The user is already an existing member"}


def send(api: "ApiClient", fakes: "FakeServices", **details: Any) -> "Reply":
    """The reply to the sharer's request to invite."""
    return api.request("POST", f"/confirm/send/invite/{SHARER}", INVITATION | details, token=fakes.sign_in(SHARER))


def sent_key(api: "ApiClient", fakes: "FakeServices", **details: Any) -> str:
    """The key of a new invitation."""
    reply = send(api, fakes, **details)
    assert reply.status == 200, reply
    return str(reply.json()["key"])


def prove_address(fakes: "FakeServices", user_id: str = INVITEE) -> str:
    """A token of a user whose address is proven."""
    token = fakes.sign_in(user_id)
    account = fakes.accounts.find(user_id)
    assert account is not None
    fakes.accounts.replace(account, replace(account, email_proven=True, version=account.version + 1))
    return token


def answer(api: "ApiClient", path: str, key: str, token: str) -> tuple[int, Any]:
    """Status and body of accepting or declining; the body of a success as text."""
    reply = api.request("PUT", path, {"key": key}, token=token)
    return reply.status, reply.json() if reply.status >= 400 else reply.body.decode()
