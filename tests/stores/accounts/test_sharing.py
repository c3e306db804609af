"""The suite of the ports `Grants` and `Profiles`, on each engine."""

import pytest

from chalicelib.accounts.grant import Grant
from chalicelib.accounts.ports import (
    MetadataCollection,
)
from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.engine import Engine
from chalicelib.errors import InvalidRequestError
from tests.stores.accounts.account_stores import NOW_MS, Stores, stores_on


@pytest.fixture
def stores(engine: Engine) -> Stores:
    """Empty stores."""
    return stores_on(engine)


class TestGrants:
    """Grants from both sides."""

    def test_a_grant_is_found_from_both_sides(self, stores: Stores) -> None:
        grant = Grant("sharer", "grantee", {"view": {}, "bogus": {"x": [1, 2.5, None]}, "follow": "yes"})
        stores.grants.put(grant)
        assert stores.grants.find("sharer", "grantee") == grant
        assert stores.grants.given_by("sharer") == [grant]
        assert stores.grants.given_to("grantee") == [grant]
        assert stores.grants.permissions("sharer", "grantee") == {"view", "bogus", "follow"}

    def test_a_grant_has_a_direction(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        assert stores.grants.find("grantee", "sharer") is None
        assert stores.grants.permissions("grantee", "sharer") == frozenset()
        assert stores.grants.given_by("grantee") == stores.grants.given_to("sharer") == []

    def test_a_new_grant_takes_the_place_of_the_old_one(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        stores.grants.put(Grant("sharer", "grantee", {"upload": {}}))
        assert stores.grants.permissions("sharer", "grantee") == {"upload"}
        assert stores.grants.given_to("grantee") == [Grant("sharer", "grantee", {"upload": {}})]

    def test_an_empty_grant_removes_the_old_one(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {}}))
        for _ in range(2):
            stores.grants.put(Grant("sharer", "grantee", {}))
        assert stores.grants.find("sharer", "grantee") is None
        assert stores.grants.given_by("sharer") == stores.grants.given_to("grantee") == []

    def test_lists_are_by_the_other_side(self, stores: Stores) -> None:
        for grantee_id in ("c", "a", "b"):
            stores.grants.put(Grant("sharer", grantee_id, {"view": {}}))
        stores.grants.put(Grant("other", "a", {"note": {}}))
        assert [grant.grantee_id for grant in stores.grants.given_by("sharer")] == ["a", "b", "c"]
        assert [grant.sharer_id for grant in stores.grants.given_to("a")] == ["other", "sharer"]

    def test_expired_permissions_are_not_returned(self, stores: Stores) -> None:
        ends = {"expiresTime": "2026-01-01T00:00:01Z"}
        stores.grants.put(Grant("sharer", "grantee", {"view": ends, "note": {}}))
        stores.grants.put(Grant("sharer", "other", {"view": ends}))
        assert stores.grants.permissions("sharer", "grantee") == {"view", "note"}
        stores.clock.now_ms += 1000
        assert stores.grants.permissions("sharer", "grantee") == {"note"}
        assert stores.grants.given_by("sharer") == [Grant("sharer", "grantee", {"note": {}})]
        assert stores.grants.given_to("other") == []

    def test_a_view_with_a_window_is_not_a_permission_for_all_data(self, stores: Stores) -> None:
        stores.grants.put(Grant("sharer", "grantee", {"view": {"windowHours": 24}, "note": {}}))
        assert stores.grants.permissions("sharer", "grantee") == {"note"}
        stores.clock.now_ms += 5
        assert stores.grants.view_from_ms("sharer", "grantee") == NOW_MS + 5 - 24 * 3_600_000
        assert stores.grants.view_from_ms("grantee", "sharer") is None
        stores.grants.put(Grant("sharer", "grantee", {"view": {}, "upload": {}}))
        assert stores.grants.view_from_ms("sharer", "grantee") is None

    @pytest.mark.parametrize("strange", ["", "x" * 3000])
    def test_nothing_is_granted_to_an_id_that_cannot_be_stored(self, stores: Stores, strange: str) -> None:
        assert stores.grants.permissions(strange, "grantee") == frozenset()
        assert stores.grants.permissions("sharer", strange) == frozenset()
        assert stores.grants.given_by(strange) == stores.grants.given_to(strange) == []


class TestProfiles:
    """Metadata by user and collection."""

    FIRST = MetadataCollection({"fullName": "Änna", "patient": {"mrn": "1", "list": [1, 2.5, None, True]}}, 1)
    SECOND = MetadataCollection({"fullName": "Anna"}, 2)

    def test_a_collection_is_found_as_it_was_stored(self, stores: Stores) -> None:
        stores.profiles.replace("a", "profile", None, self.FIRST)
        assert stores.profiles.find("a", "profile") == self.FIRST
        assert stores.profiles.find("a", "settings") is None
        assert stores.profiles.find("b", "profile") is None

    def test_a_change_of_another_version_is_refused(self, stores: Stores) -> None:
        stores.profiles.replace("a", "profile", None, self.FIRST)
        with pytest.raises(WriteConflictError):
            stores.profiles.replace("a", "profile", None, self.SECOND)
        stores.profiles.replace("a", "profile", self.FIRST, self.SECOND)
        with pytest.raises(WriteConflictError):
            stores.profiles.replace("a", "profile", self.FIRST, self.SECOND)
        assert stores.profiles.find("a", "profile") == self.SECOND

    def test_many_are_found_at_once(self, stores: Stores) -> None:
        for number in range(60):
            stores.profiles.replace(f"u{number}", "profile", None, MetadataCollection({"number": number}, 1))
        stores.profiles.replace("u1", "settings", None, MetadataCollection({}, 1))
        stores.profiles.replace("u1", "private", None, self.FIRST)
        found = stores.profiles.find_many([f"u{number}" for number in range(70)], ["profile", "settings"])
        assert len(found) == 60
        assert found["u1"] == {"profile": {"number": 1}, "settings": {}}
        assert found["u59"] == {"profile": {"number": 59}}

    def test_all_of_a_user_go_together(self, stores: Stores) -> None:
        for user_id, name in (("a", "profile"), ("a", "any name"), ("b", "profile")):
            stores.profiles.replace(user_id, name, None, self.FIRST)
        for _ in range(2):
            stores.profiles.delete_all("a")
        found = stores.profiles.find_many(["a", "b"], ["profile", "any name"])
        assert found == {"b": {"profile": self.FIRST.values}}

    @pytest.mark.parametrize(
        ("user_id", "name"), [("x" * 600, "profile"), ("", "profile"), ("a", "x" * 600), ("a", "")]
    )
    def test_nothing_is_stored_under_an_impossible_name(self, stores: Stores, user_id: str, name: str) -> None:
        assert stores.profiles.find(user_id, name) is None
        with pytest.raises(InvalidRequestError):
            stores.profiles.replace(user_id, name, None, self.FIRST)
