"""Tests the fold by the examples of dedup.md, and by cases that random histories rarely reach."""

import pytest

from tests.fakes.data_scene import DataScene, cbg, food


@pytest.fixture
def scene() -> DataScene:
    return DataScene()


class TestDeleteOrigin:
    """dedup 5.1."""

    def test_the_example_of_the_reference(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, cbg(11.9, 1, "1"), cbg(12, 2, "2"))
        assert scene.visible() == [11.9, 12]
        scene.add(data_set, cbg(11.8, 1, "1"))
        assert scene.visible() == [11.8, 12]
        scene.delete_data(data_set, {"origin": {"id": "2"}})
        assert scene.visible() == [11.8]
        scene.add(data_set, cbg(12.1, 2, "2"), cbg(9, 3))
        assert scene.visible() == [11.8, 12.1, 9]
        scene.add(data_set, cbg(9, 3))
        assert scene.visible() == [11.8, 12.1, 9, 9]

    def test_equal_origins_of_one_request_are_both_kept_and_replaced_together(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, cbg(1, 1, "1"), cbg(2, 2, "1"))
        assert scene.visible() == [1, 2]
        scene.add(data_set, cbg(3, 3, "1"))
        assert scene.visible() == [3]

    def test_a_wizard_and_its_bolus_may_have_the_same_origin(self, scene: DataScene) -> None:
        """xDrip+ sends them so, and sends them again (clients 0, fact 7)."""
        data_set = scene.open("dataset.delete.origin")
        time, origin = "2026-01-01T12:00:00Z", {"id": "treatment"}
        bolus = {"type": "bolus", "subType": "normal", "normal": 2.5, "time": time, "origin": origin}
        for _ in range(2):
            scene.add(data_set, {"type": "wizard", "units": "mg/dL", "time": time, "origin": origin, "bolus": bolus})
        bolus_record, wizard = scene.read()[:2]
        assert (bolus_record["type"], wizard["type"]) == ("bolus", "wizard")
        assert wizard["bolus"] == bolus_record["id"]
        assert len(scene.visible()) == 2

    def test_other_types_and_times_are_replaced_too(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, cbg(1, 1, "1"))
        scene.add(data_set, food("bread", "1", None))
        assert scene.visible("type") == ["food"]

    def test_records_without_an_origin_are_not_replaced(self, scene: DataScene) -> None:
        """Not even by entries that are not joined with theirs, since a deletion stands between."""
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, cbg(1, 1), cbg(2, 2, "2"))
        scene.delete_data(data_set, {"origin": {"id": "2"}})
        scene.add(data_set, cbg(3, 3), cbg(4, 4, "4"))
        assert scene.visible() == [1, 3, 4]

    def test_other_data_sets_are_not_touched(self, scene: DataScene) -> None:
        first, second = scene.open("dataset.delete.origin"), scene.open("dataset.delete.origin")
        scene.add(first, cbg(1, 1, "1"))
        scene.add(second, cbg(2, 2, "1"))
        scene.delete_data(second, {"origin": {"id": "1"}})
        assert scene.visible() == [1]

    def test_a_selector_in_an_open_normal_data_set_does_nothing(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin", "normal")
        scene.add(data_set, cbg(1, 1, "1"), cbg(2, 2, "2"))
        scene.delete_data(data_set, {"origin": {"id": "1"}})
        scene.close(data_set)
        assert scene.visible() == [1, 2]


class TestOlder:
    """dedup 5.2."""

    @pytest.mark.parametrize(
        ("stored", "new", "is_replaced"),
        [
            ("10:00", None, False),
            (None, None, False),
            (None, "10:00", True),
            ("10:00", "10:01", True),
            ("10:00", "10:00", False),
            ("10:01", "10:00", False),
        ],
    )
    def test_a_meal_replaces_an_older_one(
        self, scene: DataScene, stored: str | None, new: str | None, is_replaced: bool
    ) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        scene.add(data_set, food("stored", "1", stored))
        scene.add(data_set, food("new", "1", new))
        assert scene.visible("name") == (["new"] if is_replaced else ["stored"])

    @pytest.mark.parametrize(("new", "is_replaced"), [("09:59", False), ("10:00", False), ("10:01", True)])
    def test_a_bolus_replaces_an_older_one(self, scene: DataScene, new: str, is_replaced: bool) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        for units, time in ((1, "10:00"), (2, new)):
            origin = {"id": "1", "time": f"2026-01-01T{time}:00Z"}
            bolus = {"type": "bolus", "subType": "normal", "normal": units, "time": "2026-01-01T12:00:00Z"}
            scene.add(data_set, bolus | {"origin": origin})
        assert scene.visible("normal") == ([2] if is_replaced else [1])

    def test_other_types_replace_whatever_their_time(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        scene.add(data_set, cbg(1, 1, "1") | {"origin": {"id": "1", "time": "2026-01-01T10:00:00Z"}})
        scene.add(data_set, cbg(2, 2, "1"))
        assert scene.visible() == [2]

    def test_deleted_records_are_not_looked_up(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        scene.add(data_set, food("stored", "1", "10:00"))
        scene.delete_data(data_set, {"origin": {"id": "1"}})
        scene.add(data_set, food("new", "1", "09:00"))
        assert scene.visible("name") == ["new"]

    def test_an_open_normal_data_set_has_no_records_to_look_up(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin.older", "normal")
        scene.add(data_set, food("stored", "1", "10:00"))
        scene.add(data_set, food("new", "1", "09:00"))
        scene.close(data_set)
        assert scene.visible("name") == ["new"]

    def test_fractions_beyond_milliseconds_count(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        for name, fraction in (("first", "1230000"), ("second", "1230001"), ("third", "1229999")):
            origin = {"id": "1", "time": f"2026-01-01T10:00:00.{fraction}Z"}
            scene.add(data_set, food(name, "1", None) | {"origin": origin})
        assert scene.visible("name") == ["second"]

    @pytest.mark.parametrize("times", [("08:00", "10:00"), ("10:00", "08:00")])
    def test_one_is_compared_with_all_stored_ones_of_its_origin(self, scene: DataScene, times: tuple[str, str]) -> None:
        data_set = scene.open("dataset.delete.origin.older")
        scene.add(data_set, *(food(f"of {time}", "1", time) for time in times))
        scene.add(data_set, food("of 09:00", "1", "09:00"))
        assert sorted(scene.visible("name")) == ["of 08:00", "of 10:00"]
        scene.add(data_set, food("of 11:00", "1", "11:00"))
        assert scene.visible("name") == ["of 11:00"]


class TestDropHash:
    """dedup 5.3."""

    def test_the_first_request_wins_and_inside_it_the_last(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.drop.hash")
        scene.add(data_set, cbg(5, 1, timezoneOffset=1), cbg(5, 1, timezoneOffset=2))
        scene.add(data_set, cbg(5, 1, timezoneOffset=3))
        assert scene.visible("timezoneOffset") == [2]

    def test_a_deleted_hash_may_come_again(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.drop.hash")
        scene.add(data_set, cbg(5, 1, timezoneOffset=1))
        (record, _) = scene.read()
        scene.delete_data(data_set, {"deduplicator": {"hash": record["_deduplicator"]["hash"]}})
        assert scene.visible() == []
        scene.add(data_set, cbg(5, 1, timezoneOffset=2))
        assert scene.visible("timezoneOffset") == [2]

    def test_requests_to_an_open_normal_data_set_do_not_know_each_other(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.drop.hash", "normal")
        scene.add(data_set, cbg(5, 1, timezoneOffset=1), cbg(5, 1, timezoneOffset=2))
        scene.add(data_set, cbg(5, 1, timezoneOffset=3))
        scene.close(data_set)
        assert scene.visible("timezoneOffset") == [2, 3]


class TestDeactivateHash:
    """dedup 5.4. Readings are named by their value, data sets by their number."""

    def upload(self, scene: DataScene, *values: float, device_id: str = "meter") -> str:
        data_set = scene.open("device.deactivate.hash", "normal", deviceId=device_id)
        scene.add(data_set, *(cbg(value, 1, deviceId=device_id) for value in values))
        return data_set

    def seen(self, scene: DataScene, *data_sets: str) -> set[str]:
        return {
            f"{data_sets.index(record['uploadId']) + 1}:{record['value']:g}"
            for record in scene.read()
            if record["type"] != "upload"
        }

    def test_the_example_of_the_reference(self, scene: DataScene) -> None:
        a, b, c = 1, 2, 3
        first = self.upload(scene, a, b)
        scene.close(first)
        assert self.seen(scene, first) == {"1:1", "1:2"}
        second = self.upload(scene, b, c)
        scene.close(second)
        assert self.seen(scene, first, second) == {"1:1", "2:2", "2:3"}
        third = self.upload(scene, b)
        scene.close(third)
        assert self.seen(scene, first, second, third) == {"1:1", "3:2", "2:3"}
        scene.delete(second)
        assert self.seen(scene, first, second, third) == {"1:1", "3:2"}
        scene.delete(third)
        assert self.seen(scene, first, second, third) == {"1:1", "1:2"}

    def test_the_order_of_closing_counts(self, scene: DataScene) -> None:
        first, second = self.upload(scene, 1), self.upload(scene, 1)
        scene.close(second)
        scene.close(first)
        assert self.seen(scene, first, second) == {"1:1"}

    def test_duplicates_inside_a_data_set_stay(self, scene: DataScene) -> None:
        data_set = self.upload(scene, 1, 1)
        scene.close(data_set)
        assert scene.visible() == [1, 1]

    def test_deleting_an_open_one_changes_no_other(self, scene: DataScene) -> None:
        first, second = self.upload(scene, 1), self.upload(scene, 1)
        scene.close(first)
        scene.delete(second)
        assert self.seen(scene, first) == {"1:1"}

    def test_another_device_hides_nothing(self, scene: DataScene) -> None:
        first, second = self.upload(scene, 1), self.upload(scene, 1, device_id="other meter")
        scene.close(first)
        scene.close(second)
        assert len(scene.visible()) == 2

    def test_a_data_set_hides_records_of_its_own_device_only(self, scene: DataScene) -> None:
        first = self.upload(scene, 1)
        second = scene.open("device.deactivate.hash", "normal", deviceId="other meter")
        scene.add(second, cbg(1, 1, deviceId="meter"))
        scene.close(first)
        scene.close(second)
        assert len(scene.visible()) == 2

    def test_without_a_device_nothing_is_hidden(self, scene: DataScene) -> None:
        first = self.upload(scene, 1)
        second = scene.open("device.deactivate.hash", "normal")
        scene.add(second, cbg(1, 1, deviceId="meter"))
        scene.close(first)
        scene.close(second)
        assert len(scene.visible()) == 2
        scene.delete(second)
        assert len(scene.visible()) == 1

    def test_an_open_continuous_one_counts_as_closed_before_all_others(self, scene: DataScene) -> None:
        """The reference says not to combine them, and would hide the records of the one that closes."""
        continuous = scene.open("device.deactivate.hash", deviceId="meter")
        scene.add(continuous, cbg(1, 1, deviceId="meter"), cbg(2, 1, deviceId="meter"))
        normal = self.upload(scene, 2)
        scene.close(normal)
        assert self.seen(scene, continuous, normal) == {"1:1", "2:2"}
        scene.close(continuous)
        assert self.seen(scene, continuous, normal) == {"1:1", "1:2"}

    def test_open_continuous_ones_hide_nothing(self, scene: DataScene) -> None:
        first, second = (scene.open("device.deactivate.hash", deviceId="meter") for _ in range(2))
        for data_set in (first, second):
            scene.add(data_set, cbg(1, 1, deviceId="meter"))
        assert self.seen(scene, first, second) == {"1:1", "2:1"}
        scene.close(first)
        assert self.seen(scene, first, second) == {"1:1"}


class TestTruncate:
    """dedup 5.5."""

    def upload(self, scene: DataScene, *values: float, device_id: str = "pump") -> str:
        data_set = scene.open("device.truncate.dataset", "normal", deviceId=device_id)
        scene.add(data_set, *(cbg(value, 1, deviceId=device_id) for value in values))
        return data_set

    def test_the_example_of_the_reference(self, scene: DataScene) -> None:
        first = self.upload(scene, *range(1, 11))
        scene.close(first)
        second = self.upload(scene, *range(1, 10))
        assert len(scene.visible()) == 10
        closed = scene.close(second)
        assert len(scene.visible()) == 9
        assert [data_set["id"] for data_set in scene.listed()] == [second]
        assert [data_set["id"] for data_set in scene.listed(deleted="true")] == [second, first]
        assert scene.get(first)["deletedTime"] == closed["modifiedTime"]

    def test_deleting_the_later_one_does_not_bring_the_earlier_back(self, scene: DataScene) -> None:
        first, second = self.upload(scene, 1), self.upload(scene, 2)
        scene.close(first)
        scene.close(second)
        scene.delete(second)
        assert scene.visible() == []

    def test_later_data_of_an_open_data_set_stays(self, scene: DataScene) -> None:
        continuous = scene.open("none")
        scene.add(continuous, cbg(1, 1, deviceId="pump"), cbg(2, 2, deviceId="sensor"))
        scene.close(self.upload(scene, 3))
        assert sorted(scene.visible()) == [2, 3]
        scene.add(continuous, cbg(4, 4, deviceId="pump"))
        assert sorted(scene.visible()) == [2, 3, 4]
        assert "deletedTime" not in scene.get(continuous)

    def test_other_devices_are_not_touched(self, scene: DataScene) -> None:
        scene.close(self.upload(scene, 1, device_id="other pump"))
        scene.close(self.upload(scene, 2))
        assert sorted(scene.visible()) == [1, 2]

    def test_without_a_device_nothing_is_truncated(self, scene: DataScene) -> None:
        scene.close(self.upload(scene, 1))
        nameless = scene.open("device.truncate.dataset", "normal")
        scene.close(nameless)
        assert scene.visible() == [1]


class TestStates:
    """dedup 3 and 5.6, data-api 7 life cycle."""

    @pytest.mark.parametrize("deduplicator", ["none", "dataset.delete.origin", "dataset.drop.hash"])
    def test_a_normal_data_set_is_visible_once_closed(self, scene: DataScene, deduplicator: str) -> None:
        data_set = scene.open(deduplicator, "normal")
        scene.add(data_set, cbg(1))
        assert scene.read() == []
        assert scene.listed() == []
        scene.close(data_set)
        record, upload = scene.read()
        assert (record["value"], record["revision"]) == (1, 1)
        assert (upload["_state"], upload["_dataState"]) == ("closed", "open")

    def test_none_keeps_duplicates(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        for _ in range(2):
            scene.add(data_set, cbg(1, 1, "1"))
        assert scene.visible() == [1, 1]

    @pytest.mark.parametrize("kind", ["id", "origin"])
    def test_none_deletes_by_selector_before_and_after_closing(self, scene: DataScene, kind: str) -> None:
        data_set = scene.open("none", "normal")
        ids = {name: name * 32 for name in "ab"}
        scene.add(data_set, cbg(1, 1, "a", id=ids["a"]), cbg(2, 2, "b", id=ids["b"]))
        scene.delete_data(data_set, {"id": ids["a"]} if kind == "id" else {"origin": {"id": "a"}})
        scene.close(data_set)
        assert scene.visible() == [2]

    def test_a_deleted_open_data_set_takes_data(self, scene: DataScene) -> None:
        data_set = scene.open("dataset.delete.origin")
        scene.add(data_set, cbg(1, 1, "1"))
        scene.delete(data_set)
        assert scene.visible() == []
        scene.add(data_set, cbg(2, 2, "2"))
        assert scene.visible() == [2]
        scene.delete(data_set)
        assert scene.visible() == []

    def test_nothing_is_visible_after_erasing(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1))
        scene.erase()
        assert scene.read() == []
        assert scene.listed(deleted="true") == []
        again = scene.open("none")
        scene.add(again, cbg(2))
        assert scene.visible() == [2]
