"""Tests metrics, blobs, invitations, notes and exports as `tidepool-platform-client` itself sends them."""

import base64
import hashlib
import io
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import openpyxl
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


def test_the_npm_client_writes_answers_changes_and_lists_notes(
    platform: "Platform", node: javascript.JavaScript
) -> None:
    user = User(platform.base_url)
    message = {
        "groupid": user.id,
        "userid": user.id,
        "timestamp": "2026-01-01T11:00:00+01:00",
        "messagetext": "A snack",
    }
    [none, note_id] = node.platform_client(user, ("getNotesForUser", user.id, {}), ("startMessageThread", message))
    assert none == []
    day = {"start": "2026-01-01T00:00:00+01:00", "end": "2026-01-02T00:00:00.000Z"}
    [_, _, notes, everything, thread, other_day] = node.platform_client(
        user,
        ("replyToMessageThread", message | {"parentmessage": note_id, "messagetext": "Good"}),
        ("editMessage", {"id": note_id, "messagetext": "A large snack"}),
        ("getNotesForUser", user.id, day),
        ("getAllMessagesForUser", user.id, {}),
        ("getMessageThread", note_id),
        ("getNotesForUser", user.id, {"start": "2026-01-02T00:00:00.000Z"}),
    )
    assert [(note["id"], note["messagetext"], note["timestamp"]) for note in notes] == [
        (note_id, "A large snack", message["timestamp"])
    ]
    for listed in (everything, thread):
        assert {note["messagetext"] for note in listed} == {"A large snack", "Good"}
    assert other_day == []


def test_the_npm_client_makes_a_link_that_downloads_an_export(
    platform: "Platform", node: javascript.JavaScript
) -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set({"dataSetType": "continuous"})
    reading = {"type": "cbg", "time": "2026-01-01T10:00:00Z", "units": "mmol/L", "value": 10}
    user.add(f"/v1/data_sets/{data_set_id}/data", [reading])
    options = {"bgUnits": "mg/dL", "startDate": "2026-01-01T00:00:00.000Z", "endDate": "2026-01-02T00:00:00.000Z"}
    links = node.platform_client(
        user,
        ("getExportDataURL", user.id, user.id, options | {"format": "excel"}),
        ("getExportDataURL", user.id, user.id, options | {"format": "json"}),
    )
    excel, as_json = (Client(platform.base_url).request("GET", link.removeprefix(platform.base_url)) for link in links)
    row = openpyxl.load_workbook(io.BytesIO(excel.body))["CGM"][2]
    assert (excel.status, row[4].value, row[5].value) == (200, 180.1559, "mg/dL")
    [exported] = [record for record in as_json.json() if record["type"] == "cbg"]
    assert (exported["value"], exported["units"]) == (180.1559, "mg/dL")
