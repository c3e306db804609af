"""Accounts as the Uploader and the npm client use them: signing in and out, sharing, custodial accounts."""

import base64
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.accounts.password_sign_in import ATTEMPTS_WINDOW_S, MAX_FAILURES_PER_ACCOUNT
from tests.e2e.client import PASSWORD, Client, Reply, User, sample
from tests.e2e.clients import javascript
from tools.project import ROOT

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

TOKEN = "x-tidepool-session-token"
SHARED_FOR_S = 5
ENDS_WITHIN_S = 5
GUESSED_WITHIN_S = 60


def login(base_url: str, email: str, password: str = PASSWORD) -> Reply:
    """The reply to user name and password."""
    encoded = base64.b64encode(f"{email}:{password}".encode()).decode()
    return Client(base_url).request("POST", "/auth/login", headers={"Authorization": f"Basic {encoded}"})


def seen(reader: Client, owner: User) -> Any:
    """The ids of the records of somebody that a client reads, in order; the status when it may not."""
    reply = reader.request("GET", f"/data/{owner.id}")
    return [record["id"] for record in reply.json()] if reply.status == 200 else reply.status


@pytest.fixture
def anna(platform: "Platform") -> User:
    """Somebody with an account."""
    return User(platform.base_url)


@pytest.fixture
def ben(platform: "Platform") -> User:
    """Somebody else."""
    return User(platform.base_url)


@pytest.fixture
def node() -> javascript.JavaScript:
    """JavaScript clients."""
    return javascript.installed()


def test_the_uploader_signs_in_starts_refreshes_and_signs_out(anna: User) -> None:
    """Clients 5: `/info`, the basic login, its refresh each ten minutes, and what has to succeed before an upload."""
    nobody = Client(anna.base_url)
    assert nobody.request("GET", "/info").json()["versions"]["uploaderMinimum"]
    profile = {"fullName": "Anna", "patient": {"birthday": "1990-01-01", "diagnosisDate": "2001-01-01"}}
    assert anna.request("PUT", f"/metadata/{anna.id}/profile", profile).json() == profile

    reply = login(anna.base_url, anna.email.upper())
    assert (reply.status, reply.json()["userid"]) == (200, anna.id)
    first = reply.headers[TOKEN]
    reply = Client(anna.base_url, first).request("GET", "/auth/login")
    assert (reply.status, reply.json()["userid"]) == (200, anna.id)
    uploader = Client(anna.base_url, reply.headers[TOKEN])
    assert uploader.token not in (first, anna.token)

    user = uploader.request("GET", "/auth/user").json()
    assert {"emailVerified", "emails", "roles", "termsAccepted", "userid", "username"} == user.keys()
    starting = {
        f"/metadata/{anna.id}/profile": (200, profile),
        f"/metadata/users/{anna.id}/users": (200, []),
        f"/v1/clinicians/{anna.id}/clinics?limit=1000&offset=0": (200, []),
    }
    for path, expected in starting.items():
        reply = uploader.request("GET", path)
        assert (reply.status, reply.json()) == expected
    assert uploader.request("GET", f"/metadata/{anna.id}/settings").status == 404

    assert uploader.request("POST", "/auth/logout", {}).status == 200
    ended = [Client(anna.base_url, token).request("GET", "/auth/user").status for token in (uploader.token, first)]
    assert ended == [401, 401]
    assert anna.request("GET", "/auth/user").status == 200  # another login of hers


def test_the_npm_client_signs_up_remembers_and_keeps_what_people_set(node: javascript.JavaScript, anna: User) -> None:
    newcomer = {"username": f"new-{anna.email}", "emails": [f"new-{anna.email}"], "password": PASSWORD}
    settings, preferences = {"units": {"bg": "mg/dL"}}, {"dismissedDexcomConnectBannerTime": "2026-01-01"}
    (signed_up, current, logged_in, remembered, accepted, updated, *rest, _, nobody) = node.platform_client(
        anna,
        ("signup", newcomer | {"roles": ["patient"]}),
        ("getCurrentUser",),
        ("login", {"username": anna.email, "password": PASSWORD}, {"remember": True}),
        ("initialize",),
        ("acceptTerms", {"terms": "2026-01-01T00:00:00+00:00"}),
        ("updateCurrentUser", {"username": f"other-{anna.email}", "emails": [f"other-{anna.email}"]}),
        ("addOrUpdateProfile", anna.id, {"fullName": "Anna"}),
        ("findProfile", anna.id),
        ("addOrUpdateSettings", anna.id, settings),
        ("findSettings", anna.id),
        ("addOrUpdatePreferences", anna.id, preferences),
        ("findPreferences", anna.id),
        ("logout",),
        ("initialize",),
    )
    assert signed_up["userid"] == current["userid"] != anna.id
    assert logged_in["userid"] == remembered["userid"] == anna.id
    assert remembered["token"] != anna.token
    assert accepted["userid"] == anna.id  # it sends a field that no service of Tidepool's knows
    assert updated["username"] == f"other-{anna.email}"
    assert rest == [{"fullName": "Anna"}] * 2 + [settings] * 2 + [preferences] * 2
    assert nobody is None
    assert Client(anna.base_url, remembered["token"]).request("GET", "/auth/user").status == 401
    assert login(anna.base_url, anna.email).status == 401
    assert login(anna.base_url, f"other-{anna.email}").status == 200


def test_the_npm_client_manages_an_account_for_a_child(node: javascript.JavaScript, anna: User) -> None:
    own: dict[str, Any] = {"root": {}}
    managed: dict[str, Any] = {"custodian": {}, "view": {}, "upload": {}}
    (created,) = node.platform_client(anna, ("createCustodialAccount", {"fullName": "Child", "about": "x"}))
    child_id = created["userid"]
    description = sample("uploader/01_create_data_set.json")
    users, groups, viewable, profile, data_set = node.platform_client(
        anna,
        ("getAssociatedUsersDetails", anna.id),
        ("getUploadGroups", anna.id),
        ("getViewableUsers", anna.id),
        ("addOrUpdateProfile", child_id, {"about": "y"}),
        ("createDatasetForUser", child_id, description),
    )
    assert created["profile"] == {"fullName": "Child", "about": "x"}
    (child,) = users
    assert (child["userid"], child["roles"]) == (child_id, ["custodial_account", "patient"])
    assert (child["trustorPermissions"], child["profile"]["fullName"]) == (managed, "Child")
    assert "username" not in child
    assert groups == viewable == {anna.id: own, child_id: managed}
    assert profile == {"fullName": "Child", "about": "y"}
    assert data_set["data"]["uploadId"]
    assert User(anna.base_url).request("GET", f"/metadata/{child_id}/profile").status == 401

    # The child has grown up: a server sets address and password, and nobody manages the account any more.
    assert anna.request("PUT", f"/auth/user/{child_id}", {"updates": {"password": PASSWORD}}).status == 401
    assert anna.request("DELETE", f"/auth/user/{child_id}").status == 204
    assert anna.request("GET", f"/metadata/users/{anna.id}/users").json() == []
    assert anna.request("GET", f"/access/groups/{anna.id}").json() == {anna.id: own}


def test_a_grant_takes_effect_and_ends_at_once(anna: User, ben: User) -> None:
    grant, description = f"/access/{anna.id}/{ben.id}", sample("loop/01_create_data_set.json")
    cbg = [{"type": "cbg", "units": "mg/dL", "value": 100, "time": "2026-01-01T00:00:00Z"}]
    anna.add(f"/v1/data_sets/{anna.open_data_set(description)}/data", cbg)
    anna.request("PUT", f"/metadata/{anna.id}/profile", {"fullName": "Anna", "patient": {"birthday": "1990-01-01"}})
    everything = seen(anna, anna)
    assert len(everything) == 2
    assert (seen(ben, anna), ben.request("GET", grant).status) == (403, 404)

    assert anna.request("POST", grant, {"view": {}}).json() == {"view": {}}
    assert seen(ben, anna) == everything
    assert seen(anna, ben) == 403
    opening = f"/v1/users/{anna.id}/data_sets"
    assert ben.request("POST", opening, description).status == 403
    (shared,) = ben.request("GET", f"/metadata/users/{ben.id}/users").json()
    assert (shared["userid"], shared["trustorPermissions"]) == (anna.id, {"view": {}})
    assert shared["profile"] == {"fullName": "Anna", "patient": {"birthday": "1990-01-01"}}
    (shared,) = anna.request("GET", f"/metadata/users/{anna.id}/users").json()
    assert (shared["userid"], shared["trusteePermissions"]) == (ben.id, {"view": {}})

    anna.request("POST", grant, {"view": {}, "upload": {}})
    reply = ben.request("POST", opening, description)
    assert reply.status == 201, reply.body
    path = f"/v1/data_sets/{reply.json()['data']['uploadId']}/data"
    ben.add(path, cbg)
    assert seen(ben, anna) == seen(anna, anna)
    assert len(seen(anna, anna)) == 4

    reply = anna.request("POST", grant, {})
    assert (reply.status, reply.json()) == (200, None)
    assert (seen(ben, anna), ben.request("GET", grant).status) == (403, 404)
    assert ben.request("POST", path, cbg).status == 403
    assert ben.request("GET", f"/metadata/users/{ben.id}/users").json() == []
    assert ben.request("GET", f"/metadata/{anna.id}/profile").status == 401


def test_a_grant_expires_at_its_time(anna: User, ben: User) -> None:
    anna.open_data_set(sample("loop/01_create_data_set.json"))
    ends_s = int(time.time()) + SHARED_FOR_S
    expires = {"expiresTime": datetime.fromtimestamp(ends_s, UTC).isoformat().replace("+00:00", "Z")}
    anna.request("POST", f"/access/{anna.id}/{ben.id}", {"view": expires})
    assert seen(ben, anna) == seen(anna, anna)
    while seen(ben, anna) != 403:
        assert time.time() < ends_s + ENDS_WITHIN_S
        time.sleep(0.2)
    assert time.time() >= ends_s
    assert ben.request("GET", f"/access/groups/{ben.id}").json() == {ben.id: {"root": {}}}


def test_a_new_password_ends_all_other_logins(anna: User) -> None:
    other = Client(anna.base_url, login(anna.base_url, anna.email).headers[TOKEN])
    assert other.request("GET", "/auth/user").status == 200
    assert anna.request("PUT", "/auth/user", {"updates": {"password": "a-better-password"}}).status == 200
    assert (other.request("GET", "/auth/user").status, anna.request("GET", "/auth/user").status) == (401, 200)
    assert login(anna.base_url, anna.email).status == 401
    assert login(anna.base_url, anna.email, "a-better-password").status == 200


def test_a_password_guessing_run_is_stopped(anna: User, ben: User) -> None:
    """`tests/api/accounts/test_sign_in_limits.py` proves, with a clock, that the block ends after 15 minutes."""
    while ATTEMPTS_WINDOW_S - time.time() % ATTEMPTS_WINDOW_S < GUESSED_WITHIN_S:  # attempts count within one window
        time.sleep(0.2)
    statuses = [login(anna.base_url, anna.email, f"guess-{n}").status for n in range(MAX_FAILURES_PER_ACCOUNT + 2)]
    assert statuses == [401] * MAX_FAILURES_PER_ACCOUNT + [429] * 2
    reply = login(anna.base_url, anna.email)
    assert (reply.status, reply.json()["code"]) == (429, 429)
    assert 0 < int(reply.headers["retry-after"]) <= ATTEMPTS_WINDOW_S
    assert anna.request("GET", "/auth/user").status == 200  # existing sessions stay valid
    assert login(ben.base_url, ben.email).status == 200


def test_an_account_that_was_made_from_the_command_line_signs_in(platform: "Platform") -> None:
    if platform.data_dir is None:
        pytest.skip("needs the data folder of a platform of the run's own")
    email = f"made-{secrets.token_hex(6)}@example.org"
    tool = (
        ["strandline.cli", "user", "add", email, "--password-stdin"]
        if platform.gateway_url is None
        else ["tools.user", "local", email]
    )
    command = [sys.executable, "-m", *tool, "--data-dir", str(platform.data_dir)]
    made = subprocess.run(command, cwd=ROOT, input="correct-horse\n", capture_output=True, text=True, check=True)
    reply = login(platform.base_url, email, "correct-horse")
    assert reply.status == 200
    assert made.stdout.splitlines()[-1] == f"user: {reply.json()['userid']}"
