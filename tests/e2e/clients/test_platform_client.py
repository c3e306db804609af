"""Tests metrics, blobs and invitations as `tidepool-platform-client` itself sends them."""

import base64
import hashlib
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.e2e.client import Client, User
from tests.e2e.clients import javascript

if TYPE_CHECKING:
    from chalicelib.services import Services
    from tests.e2e.conftest import Platform

COUNTED_WITHIN_S = 60


@pytest.fixture(scope="module")
def node() -> javascript.JavaScript:
    """The npm package, installed."""
    return javascript.installed()


def test_an_event_that_the_npm_client_tracks_is_counted(
    platform: "Platform", node: javascript.JavaScript, server: Client
) -> None:
    name = f"Viewed Data {secrets.token_hex(4)}"
    today = datetime.now(UTC).date()

    node.platform_client(
        User(platform.base_url),
        ("trackMetric", name, {"screen": "daily", "tags": ["a", "b"]}),
        ("trackMetric", name, None),
    )

    path = f"/v1/metrics/events?from={today}&to={today + timedelta(days=1)}&prefix={quote('uploader - ' + name)}"
    deadline = time.monotonic() + COUNTED_WITHIN_S
    while sum(entry["count"] for entry in server.request("GET", path).json()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [entry["eventName"] for entry in server.request("GET", path).json()] == [f"uploader - {name}"]


@pytest.mark.parametrize("announces_digest", [True, False])
def test_a_blob_that_the_npm_client_uploads_can_be_read(
    platform: "Platform", node: javascript.JavaScript, announces_digest: bool
) -> None:
    user = User(platform.base_url)
    text = "the raw pages of a pump, " * 100
    md5 = base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
    # The Uploader's digest is the literal text "null" (clients 5).
    digest = f"MD5={md5}" if announces_digest else "null"

    [blob] = node.platform_client(user, ("uploadBlobForUser", user.id, text, "text/plain", digest))

    assert (blob["status"], blob["size"], blob["digestMD5"]) == ("available", len(text), md5)
    content = user.request("GET", f"/v1/blobs/{blob['id']}/content")
    assert (content.status, content.body.decode()) == (200, text)


def test_the_npm_client_invites_accepts_shares_and_removes(
    platform: "Platform", node: javascript.JavaScript, services: "Services"
) -> None:
    sharer, invitee = User(platform.base_url), User(platform.base_url)
    accounts = services.accounts.accounts
    account = accounts.find(invitee.id)
    assert account is not None
    accounts.replace(account, replace(account, email_proven=True, version=account.version + 1))
    permissions: dict[str, Any] = {"view": {}, "note": {}}
    other = f"{secrets.token_hex(8)}@example.org"

    [invitation, _, _, sent] = node.platform_client(
        sharer,
        ("inviteUser", invitee.email, permissions, sharer.id),
        ("inviteUser", other, permissions, sharer.id),
        ("removeInvite", other, sharer.id),
        ("invitesSent", sharer.id),
    )
    key = invitation["key"]
    assert [entry["key"] for entry in sent] == [key]

    [resent] = node.platform_client(sharer, ("resendInvite", key))
    assert resent["key"] == key
    [[received], _, left, viewable] = node.platform_client(
        invitee,
        ("invitesReceived", invitee.id),
        ("acceptInvite", key, invitee.id, sharer.id),
        ("invitesReceived", invitee.id),
        ("getViewableUsers", invitee.id),
    )
    assert (received["key"], received["context"]["permissions"], left) == (key, permissions, [])
    assert viewable[sharer.id] == permissions

    [sent, _, shared] = node.platform_client(
        sharer,
        ("invitesSent", sharer.id),
        ("setAccessPermissions", invitee.id, {}),
        ("getAssociatedUsersDetails", sharer.id),
    )
    assert (sent, shared) == ([], [])


def test_an_invitation_that_the_npm_client_declines_grants_nothing(
    platform: "Platform", node: javascript.JavaScript
) -> None:
    sharer, invitee = User(platform.base_url), User(platform.base_url)
    [invitation] = node.platform_client(sharer, ("inviteUser", invitee.email, {"view": {}}, sharer.id))
    node.platform_client(invitee, ("dismissInvite", invitation["key"], invitee.id, sharer.id))
    [sent] = node.platform_client(sharer, ("invitesSent", sharer.id))
    assert [entry["status"] for entry in sent] == ["declined"]
