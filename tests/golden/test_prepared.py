"""Scenes that are set once, and the copies of them that tests get."""

import pytest

from chalicelib.engine.definitions import ACCOUNTS, DATA
from chalicelib.engine.table import Item
from tests.api.conftest import ApiClient
from tests.fakes.prepared import prepared
from tests.fakes.services import START_MS, FakeServices

OWNER = "aaaaaaaaaa"
OBJECT = "export/of-the-scene"
times_set = 0


def set_scene(api: ApiClient, fakes: FakeServices) -> tuple[str, str]:
    """Open a data set and put an object; the token of the owner and the id of the data set."""
    global times_set
    times_set += 1
    token = fakes.sign_in(OWNER)
    fakes.now_ms += 1
    fakes.engine.objects.put(OBJECT, b"content", "text/plain")
    opened = api.request("POST", f"/v1/users/{OWNER}/data_sets", {}, token=token)
    return token, opened.json()["data"]["id"]


def stored(fakes: FakeServices) -> tuple[list[Item], list[Item], bytes | None]:
    """All that the scene stores."""
    return fakes.items(ACCOUNTS), fakes.items(DATA), fakes.engine.objects.get(OBJECT)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_the_scene_as_it_was_set_and_no_change_of_another_one(
    turn: int, api: ApiClient, fakes: FakeServices
) -> None:
    token, data_set_id = prepared(set_scene, fakes)
    assert times_set == 1
    as_set = stored(fakes)
    assert as_set[2] == b"content"
    assert fakes.now_ms == START_MS + 1
    assert api.request("GET", f"/v1/data_sets/{data_set_id}", token=token).status == 200

    assert api.request("POST", f"/v1/users/{OWNER}/data_sets", {}, token=token).status == 201
    assert api.request("POST", "/auth/logout", token=token).status == 200
    fakes.engine.objects.delete([OBJECT])
    fakes.now_ms += 1
    changed = stored(fakes)
    assert all(now != then for now, then in zip(changed, as_set, strict=True))

    another = FakeServices()
    prepared(set_scene, another)
    assert stored(another) == as_set
    assert stored(fakes) == changed


def test_ids_go_on_after_those_of_the_scene(fakes: FakeServices) -> None:
    _, data_set_id = prepared(set_scene, fakes)
    assert int(fakes.new_id(), 16) > int(data_set_id, 16)
