"""Free JSON that is nested deeply or is large: refused where it comes in, and no list of another user breaks by it."""

from typing import Any

import pytest

from chalicelib.accounts.grant import MAX_BYTES, Grant
from chalicelib.accounts.ports import MetadataCollection
from chalicelib.accounts.share import MAX_UNASKED_SHARERS
from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

SHARER, GRANTEE = "aaaaaaaaaa", "bbbbbbbbbb"
PAIR = f"/access/{SHARER}/{GRANTEE}"
DEPTHS = (1, 62, 63, 64, 65, 98, 99, 100, 101, 200, 250, 254, 255, 300, 1000, 1020, 1024, 1025, 10_000)
LISTS = (f"/access/groups/{GRANTEE}", f"/metadata/users/{GRANTEE}/users")


def nested(depth: int, *, in_lists: bool = False) -> bytes:
    """A JSON text of this depth."""
    opening, closing = (b"[", b"]") if in_lists else (b'{"a":', b"}")
    return opening * depth + b"1" + closing * depth


def deep(depth: int) -> dict[str, Any]:
    """An object of this depth."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.fixture
def sharer(fakes: FakeServices) -> str:
    fakes.sign_in(GRANTEE)
    return fakes.sign_in(SHARER)


def lists_of_grantee(api: ApiClient, fakes: FakeServices) -> list[Any]:
    """The lists in which a grantee sees the sharers; both are answered."""
    replies = [api.request("GET", path, token=fakes.sign_in(GRANTEE)) for path in LISTS]
    assert [reply.status for reply in replies] == [200, 200]
    return [reply.json() for reply in replies]


@pytest.mark.parametrize("in_lists", [False, True])
@pytest.mark.parametrize("depth", DEPTHS)
def test_permissions_of_any_depth_leave_the_lists_of_the_grantee_whole(
    api: ApiClient, fakes: FakeServices, sharer: str, depth: int, in_lists: bool
) -> None:
    value = nested(depth, in_lists=in_lists)
    reply = api.request("POST", PAIR, b'{"view":%b,"note":{}}' % value, token=sharer)
    assert reply.status == (200 if depth <= 64 else 400)
    assert api.request("GET", f"/access/{SHARER}", token=sharer).status in (200, 404)
    groups, users = lists_of_grantee(api, fakes)
    assert (SHARER in groups, len(users)) == (depth <= 64, int(depth <= 64))


@pytest.mark.parametrize("name", ["profile", "settings", "preferences"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_metadata_of_any_depth_leave_the_lists_of_the_grantee_whole(
    api: ApiClient, fakes: FakeServices, sharer: str, name: str, depth: int
) -> None:
    permissions: dict[str, Any] = {"custodian": {}, "view": {}}
    assert api.request("POST", PAIR, permissions, token=sharer).status == 200
    body = b'{"fullName":"A","x":%b}' % nested(depth)
    reply = api.request("PUT", f"/metadata/{SHARER}/{name}", body, token=sharer)
    assert reply.status == (200 if depth < 64 else 400)
    path = b'{"a.b.c":%b}' % nested(depth)
    assert api.request("PUT", f"/metadata/{SHARER}/{name}", path, token=sharer).status in (200, 400)
    assert api.request("GET", f"/metadata/{SHARER}/{name}", token=sharer).status in (200, 404)
    _, (user,) = lists_of_grantee(api, fakes)
    assert (name in user) is (reply.status == 200)


@pytest.mark.parametrize("depth", DEPTHS)
def test_tasks_and_data_sets_of_any_depth_leave_their_lists_whole(
    api: ApiClient, server: str, sharer: str, depth: int
) -> None:
    value = nested(depth)
    reply = api.request("POST", "/v1/tasks", b'{"type":"org.example.x","data":%b}' % value, token=server)
    assert reply.status == (201 if depth <= 100 else 400)
    assert api.request("GET", "/v1/tasks", token=server).status == 200
    body = b'{"client":{"name":"org.example.x","version":"1.0.0","private":%b}}' % value
    reply = api.request("POST", f"/v1/users/{SHARER}/data_sets", body, token=sharer)
    assert reply.status == (201 if depth <= 100 else 400)
    for path in (f"/v1/users/{SHARER}/data_sets", f"/v1/users/{SHARER}/datasets", f"/data/{SHARER}"):
        assert api.request("GET", path, token=sharer).status == 200
    source = b'{"providerType":"oauth","providerName":"x","metadata":%b}' % value
    assert api.request("POST", f"/v1/users/{SHARER}/data_sources", source, token=server).status in (201, 400)
    assert api.request("GET", f"/v1/users/{SHARER}/data_sources", token=server).status == 200


def test_what_was_stored_deeper_is_left_out_of_lists_and_counted(
    api: ApiClient, fakes: FakeServices, sharer: str
) -> None:
    fakes.grants.put(Grant(SHARER, GRANTEE, {"view": deep(253), "custodian": {}}))
    fakes.profiles.replace(SHARER, "profile", None, MetadataCollection({"fullName": "A", "x": deep(253)}, 1))
    grantee = fakes.sign_in(GRANTEE)
    groups = api.request("GET", LISTS[0], token=grantee)
    users = api.request("GET", LISTS[1], token=grantee)
    assert (groups.status, users.status) == (200, 200)
    assert (groups.headers["x-strandline-left-out"], users.headers["x-strandline-left-out"]) == ("1", "2")
    assert groups.json()[SHARER] == {"custodian": {}, "view": {"a": {}}}
    (user,) = users.json()
    assert user["trustorPermissions"] == {"custodian": {}, "view": {}}
    assert user["profile"] == {"fullName": "A", "x": {}}
    assert api.request("POST", PAIR, {}, token=grantee).status == 200
    assert lists_of_grantee(api, fakes)[1] == []


def test_permissions_are_limited_in_size(api: ApiClient, sharer: str) -> None:
    assert api.request("POST", PAIR, {"view": {"x": "x" * MAX_BYTES}}, token=sharer).status == 413
    assert api.request("POST", PAIR, {"view": {"x": "x" * (MAX_BYTES - 100)}}, token=sharer).status == 200


def test_a_large_profile_of_one_who_shares_unasked_is_not_in_the_list(
    api: ApiClient, fakes: FakeServices, sharer: str
) -> None:
    assert api.request("POST", PAIR, {"view": {}}, token=sharer).status == 200
    body = {"fullName": "A", "x": "x" * 20_000}
    assert api.request("PUT", f"/metadata/{SHARER}/profile", body, token=sharer).status == 200
    assert "profile" not in lists_of_grantee(api, fakes)[1][0]
    back = api.request("POST", f"/access/{GRANTEE}/{SHARER}", {"note": {}}, token=fakes.sign_in(GRANTEE))
    assert back.status == 200
    assert lists_of_grantee(api, fakes)[1][0]["profile"] == body


def test_a_small_profile_of_one_who_shares_unasked_is_removed_by_the_one_who_sees_it(
    api: ApiClient, fakes: FakeServices, sharer: str
) -> None:
    body = {"fullName": "Something that nobody wants to read"}
    assert api.request("PUT", f"/metadata/{SHARER}/profile", body, token=sharer).status == 200
    assert api.request("POST", PAIR, {"view": {}, "custodian": {}}, token=sharer).status == 200
    groups, users = lists_of_grantee(api, fakes)
    assert (SHARER in groups, users[0]["profile"]) == (True, body)
    assert api.request("POST", PAIR, {}, token=fakes.sign_in(GRANTEE)).status == 200
    groups, users = lists_of_grantee(api, fakes)
    assert (SHARER in groups, users) == (False, [])
    assert api.request("GET", f"/metadata/{SHARER}/profile", token=fakes.sign_in(GRANTEE)).status == 401


class TestSharers:
    """The number of people who may share with one who shares nothing with them."""

    @pytest.fixture(autouse=True)
    def _full(self, fakes: FakeServices) -> None:
        for number in range(MAX_UNASKED_SHARERS):
            fakes.grant(f"{number:010x}", GRANTEE, ["view"])

    def test_one_more_is_refused(self, api: ApiClient, fakes: FakeServices, sharer: str) -> None:
        reply = api.request("POST", PAIR, {"view": {}}, token=sharer)
        message = "Too many users share with this one unasked"
        assert (reply.status, reply.json()) == (409, {"code": "Conflict", "message": message})
        assert SHARER not in lists_of_grantee(api, fakes)[0]

    def test_those_who_share_already_change_what_they_share(self, api: ApiClient, fakes: FakeServices) -> None:
        path = f"/access/{0:010x}/{GRANTEE}"
        token = fakes.sign_in(f"{0:010x}")
        assert api.request("POST", path, {"view": {}, "note": {}}, token=token).status == 200
        assert api.request("POST", path, {}, token=token).status == 200

    def test_there_is_room_again_after_the_grantee_gave_one_up(
        self, api: ApiClient, fakes: FakeServices, sharer: str
    ) -> None:
        given_up = api.request("POST", f"/access/{0:010x}/{GRANTEE}", {}, token=fakes.sign_in(GRANTEE))
        assert given_up.status == 200
        assert api.request("POST", PAIR, {"view": {}}, token=sharer).status == 200

    def test_one_with_whom_the_grantee_shares_is_not_limited(
        self, api: ApiClient, fakes: FakeServices, sharer: str
    ) -> None:
        fakes.grant(GRANTEE, SHARER, ["view"])
        assert api.request("POST", PAIR, {"view": {}}, token=sharer).status == 200

    def test_servers_are_not_limited(self, api: ApiClient, server: str) -> None:
        assert api.request("POST", PAIR, {"view": {}}, token=server).status == 200
