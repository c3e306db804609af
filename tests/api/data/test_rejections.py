"""Rejected uploads: recorded without values, listed for those whom they concern."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
DAY_MS = 24 * 3_600_000


@pytest.fixture
def data_set_id(api: ApiClient, fakes: FakeServices) -> str:
    """A data set of the owner's app."""
    body = {"client": {"name": "org.example.app", "version": "1.2.3"}, "dataSetType": "continuous"}
    created = api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=fakes.sign_in(OWNER))
    return str(created.json()["data"]["uploadId"])


def upload(api: ApiClient, fakes: FakeServices, data_set_id: str, body: Any) -> int:
    """The status of an upload by the owner."""
    return api.request("POST", f"/v1/data_sets/{data_set_id}/data", body, token=fakes.sign_in(OWNER)).status


def listed(api: ApiClient, fakes: FakeServices, **caller: Any) -> Any:
    """The rejections as the owner, or another caller, sees them."""
    token = fakes.sign_in(caller.pop("as_", OWNER), **caller)
    return api.request("GET", f"/v1/users/{OWNER}/refusals", token=token).json()


def test_a_rejected_upload_is_recorded_with_time_client_and_pointer_but_no_value(
    api: ApiClient, fakes: FakeServices, data_set_id: str
) -> None:
    good = {"type": "cbg", "time": "2026-01-01T00:00:00Z", "units": "mg/dL", "value": 120}
    assert upload(api, fakes, data_set_id, [good, good | {"value": 4321, "units": "stones"}]) == 400
    (rejection,) = listed(api, fakes)
    assert rejection == {
        "id": rejection["id"],
        "time": "2026-01-01T00:00:00Z",
        "dataSetId": data_set_id,
        "client": {"name": "org.example.app", "version": "1.2.3"},
        "action": "add",
        "errorCount": 1,
        "errors": [{"code": "value-not-allowed", "source": {"pointer": "/1/units"}}],
    }


def test_only_the_first_twenty_errors_are_recorded(api: ApiClient, fakes: FakeServices, data_set_id: str) -> None:
    assert upload(api, fakes, data_set_id, [{"type": "cbg"}] * 30) == 400
    (rejection,) = listed(api, fakes)
    assert (rejection["errorCount"], len(rejection["errors"])) == (90, 20)


def test_malformed_json_and_bad_selectors_are_recorded(api: ApiClient, fakes: FakeServices, data_set_id: str) -> None:
    assert upload(api, fakes, data_set_id, b"[{") == 400
    fakes.now_ms += 1
    token = fakes.sign_in(OWNER)
    assert api.request("DELETE", f"/v1/data_sets/{data_set_id}/data", [{}], token=token).status == 400
    kept = [(rejection["action"], rejection["errors"]) for rejection in listed(api, fakes)]
    assert kept == [("delete", [{"code": "bad-request"}]), ("add", [{"code": "json-malformed"}])]


def test_a_caller_who_may_not_write_leaves_no_rejection(api: ApiClient, fakes: FakeServices, data_set_id: str) -> None:
    stranger = fakes.sign_in("bbbbbbbbbb")
    assert api.request("POST", f"/v1/data_sets/{data_set_id}/data", [{}], token=stranger).status == 403
    assert listed(api, fakes) == []


@pytest.mark.parametrize(("granted", "status"), [(set(), 403), ({"view", "upload"}, 403), ({"custodian"}, 200)])
def test_rejections_are_for_the_owner_custodians_and_servers(
    api: ApiClient, fakes: FakeServices, granted: set[str], status: int
) -> None:
    token = fakes.sign_in("bbbbbbbbbb")
    fakes.grant(OWNER, "bbbbbbbbbb", granted)
    assert api.request("GET", f"/v1/users/{OWNER}/refusals", token=token).status == status
    assert listed(api, fakes, as_="server", is_server=True) == []


def test_rejections_are_listed_for_two_weeks(api: ApiClient, fakes: FakeServices, data_set_id: str) -> None:
    assert upload(api, fakes, data_set_id, [{}]) == 400
    fakes.now_ms += 14 * DAY_MS
    assert len(listed(api, fakes)) == 1
    fakes.now_ms += 1
    assert listed(api, fakes) == []
