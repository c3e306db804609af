"""Profiles of the Nightscout API: stored, found and deleted."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.nightscout.device import Device

PROFILE = "/api/v1/profile.json"
STORE = {"Default": {"dia": 6, "timezone": "Etc/GMT", "basal": [{"time": "00:00", "value": 1.0, "timeAsSeconds": 0}]}}


def profile(start: str, **members: Any) -> dict[str, Any]:
    """A profile that starts on a day."""
    return {"defaultProfile": "Default", "startDate": f"{start}T00:00:00.000Z", "store": STORE, **members}


def store(device: Device, *profiles: dict[str, Any]) -> list[dict[str, Any]]:
    """The profiles as stored."""
    reply = device.send("POST", PROFILE, list(profiles))
    assert reply.status == 200, reply.body
    stored: list[dict[str, Any]] = reply.json()
    return stored


def starts(device: Device, path: str = PROFILE) -> list[str]:
    """The days on which the profiles of a list start."""
    return [found["startDate"][:10] for found in device.send("GET", path).json()]


@pytest.mark.parametrize("compacts", [False, True])
def test_profiles_are_kept_whole_and_listed_by_their_start_at_any_age(device: Device, compacts: bool) -> None:
    stored = store(device, profile("2024-03-01"), profile("2025-12-30", units="mmol"), profile("2020-01-01"))
    if compacts:
        device.compact()
    assert starts(device) == ["2025-12-30", "2024-03-01", "2020-01-01"]
    assert starts(device, f"{PROFILE}?count=1&find[startDate][$lte]=2024-01-01") == ["2025-12-30"]
    assert starts(device, "/api/v1/profiles.json") == ["2025-12-30"]
    assert starts(device, "/api/v1/profiles?find[startDate][$lte]=2024-12-31&count=1") == ["2024-03-01"]
    assert device.send("GET", "/api/v1/profile/current").json() == stored[1]
    assert stored[1] == profile("2025-12-30", units="mmol") | {
        "_id": stored[1]["_id"],
        "created_at": "2026-01-01T00:00:00.000Z",
    }


def test_without_any_there_is_none(device: Device) -> None:
    assert device.send("GET", "/api/v1/profile/current").json() is None
    assert starts(device) == starts(device, "/api/v1/profiles") == []


def test_an_equal_profile_is_the_same_one(device: Device) -> None:
    first = store(device, profile("2024-03-01"))
    device.fakes.now_ms += 60_000
    assert [again["_id"] for again in store(device, profile("2024-03-01"))] == [first[0]["_id"]]
    assert store(device, profile("2024-03-01", units="mmol"))[0]["_id"] != first[0]["_id"]
    assert len(starts(device)) == 2


def test_a_put_replaces_the_profile_with_its_id_and_clients_see_the_change(device: Device) -> None:
    (first,) = store(device, profile("2024-03-01", units="mg/dl"))
    seen = device.send("GET", PROFILE)
    assert "last-modified" not in seen.headers
    changed = {name: value for name, value in first.items() if name != "units"} | {"enteredBy": "me"}
    assert device.send("PUT", PROFILE, changed).json() == changed
    again = device.send("GET", PROFILE, If_None_Match=seen.headers["etag"])
    assert (again.status, again.json()) == (200, [changed])
    own = profile("2024-04-01", _id="aabbccddeeff001122334455")
    for notes in ("a", "b"):
        assert device.send("PUT", PROFILE, own | {"notes": notes}).json()["_id"] == own["_id"]
    assert len(starts(device)) == 2


def test_one_is_deleted_by_its_id(device: Device) -> None:
    stored = store(device, profile("2024-03-01"), profile("2024-03-02", _id="aabbccddeeff001122334455"))
    for found in stored:
        for _ in range(2):
            reply = device.send("DELETE", f"/api/v1/profile/{found['_id']}")
            assert (reply.status, reply.json()) == (200, {})
    assert starts(device) == []


@pytest.mark.parametrize("sent", ["short", "AABBCCDDEEFF00112233445G", 1, {}])
def test_an_id_of_another_form_is_refused(device: Device, sent: Any) -> None:
    reply = device.send("POST", PROFILE, profile("2024-03-01", _id=sent))
    assert (reply.status, reply.json()["message"]) == (400, "Invalid _id format")
    assert device.send("DELETE", "/api/v1/profile/short").json() == {
        "status": 400,
        "message": "Invalid _id format",
        "description": "Must be 24-character hex string. Got: short",
    }
    assert starts(device) == []


@pytest.mark.parametrize("body", [[], [profile("2024-03-01")], "text"])
def test_a_put_of_anything_but_one_profile_is_400(device: Device, body: Any) -> None:
    assert device.send("PUT", PROFILE, body).status == 400


def test_a_credential_to_read_does_not_write(api: ApiClient, device: Device, phone: dict[str, Any]) -> None:
    (stored,) = store(device, profile("2024-03-01"))
    for path in (PROFILE, "/api/v1/profile/current", "/api/v1/profiles"):
        assert api.request("GET", path, api_secret=phone["token"]).status == 200
        assert api.request("GET", path).status == 401
    for method in ("POST", "PUT"):
        assert api.request(method, PROFILE, profile("2024-05-01"), api_secret=phone["token"]).status == 401
    assert api.request("DELETE", f"/api/v1/profile/{stored['_id']}", api_secret=phone["token"]).status == 401
    assert len(starts(device)) == 1
