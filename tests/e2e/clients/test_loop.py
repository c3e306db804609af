"""Loop: a day of everything it sends, a dose that changes, one that is deleted."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import SAMPLES, User, sample

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

UPDATED_DOSE = "438746c94ed1eddbb90eca98b61d4c33:bolus/normal"
DATA_FILES = [
    entry["file"]
    for entry in json.loads((SAMPLES / "manifest.json").read_text())
    if entry["client"] == "loop" and entry["method"] == "POST" and entry["path"].endswith("/data")
]


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


@pytest.fixture(scope="module")
def data_set_id(user: User) -> str:
    """The data set with all that Loop sent in a day, up to the running dose and its final form."""
    path = f"/v1/users/{user.id}/data_sets"
    found = user.request("GET", f"{path}?client.name=org.tidepool.Loop&deleted=false")
    assert (found.status, found.json()) == (200, [])
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    found = user.request("GET", f"{path}?client.name=org.tidepool.Loop&deleted=false")
    assert [data_set["uploadId"] for data_set in found.json()] == [data_set_id]
    for file in DATA_FILES:
        user.add(f"/v1/data_sets/{data_set_id}/data", sample(file))
    return data_set_id


def _with_origin(records: list[dict[str, Any]], origin_id: str) -> list[dict[str, Any]]:
    return [record for record in records if record["origin"]["id"] == origin_id]


def test_every_record_is_stored_once_under_its_own_id(user: User, data_set_id: str) -> None:
    sent = {record["id"]: record for file in DATA_FILES for record in sample(file)}
    seen = {record["id"]: record for record in user.records()}
    assert len(user.records()) == len(seen)
    assert seen.keys() == sent.keys()
    assert {record["uploadId"] for record in seen.values()} == {data_set_id}
    for id_, record in sent.items():
        assert (seen[id_]["type"], seen[id_]["origin"]) == (record["type"], record["origin"])
        assert seen[id_].get("associations") == record.get("associations")
        assert seen[id_].get("payload") == record.get("payload")


def test_glucose_is_in_mmol_l_everywhere(user: User, data_set_id: str) -> None:
    seen = user.records("?type=cbg,smbg,dosingDecision,pumpSettings")
    assert {record["units"] for record in seen if record["type"] in ("cbg", "smbg")} == {"mmol/L"}
    assert {record["units"]["bg"] for record in seen if record["type"] == "dosingDecision"} == {"mmol/L"}
    forecasts = [point["value"] for record in seen for point in record.get("bgForecast", [])]
    assert forecasts
    assert max(forecasts) < 40


def test_the_final_dose_has_replaced_the_running_one(user: User, data_set_id: str) -> None:
    running = sample("loop/04_doses.json")[-1]
    assert (running["origin"]["id"], running["normal"]) == (UPDATED_DOSE, 2.2)
    (dose,) = _with_origin(user.records("?type=bolus"), UPDATED_DOSE)
    assert (dose["id"], dose["normal"], dose["expectedNormal"]) == (running["id"], 1.45, 2.2)
    assert "annotations" not in dose


def test_delete_with_a_body_deletes_only_the_records_that_it_names(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    doses = sample("loop/04_doses.json")
    user.add(f"/v1/data_sets/{data_set_id}/data", doses)
    selectors = sample("loop/16_delete_selectors.json")
    for _ in range(2):  # repeating it is not an error
        reply = user.request("DELETE", f"/v1/data_sets/{data_set_id}/data", selectors)
        assert (reply.status, reply.json()["data"]) == (200, [])
        left = user.records()
        assert _with_origin(left, UPDATED_DOSE) == []
        assert len(left) == len(doses) - 1
    reply = user.request("DELETE", f"/v1/data_sets/{data_set_id}/data", [{"id": doses[0]["id"]}])
    assert reply.status == 200
    assert len(user.records()) == len(doses) - 2


def test_a_deleted_dose_may_be_added_again(platform: "Platform") -> None:
    user = User(platform.base_url)
    data_set_id = user.open_data_set(sample("loop/01_create_data_set.json"))
    update = sample("loop/15_dose_update.json")
    user.add(f"/v1/data_sets/{data_set_id}/data", update)
    selectors = sample("loop/16_delete_selectors.json")
    assert user.request("DELETE", f"/v1/data_sets/{data_set_id}/data", selectors).status == 200
    assert user.records() == []
    user.add(f"/v1/data_sets/{data_set_id}/data", update)
    assert [record["id"] for record in user.records()] == [update[0]["id"]]
