"""Who may add and delete data, in which order that is found out, and what a body may be. Source: data-api 5 and 8."""

from typing import Any

import pytest

from chalicelib.access.call import SERVICE, Caller
from chalicelib.access.policy import UPLOADERS
from chalicelib.errors import (
    DataSetClosedError,
    DataSetNotFoundError,
    InvalidFieldsError,
    InvalidSelectorsError,
    MalformedJsonError,
    StrandlineError,
    UnauthorizedError,
)
from chalicelib.log.entry import SelectorKind, Selectors
from chalicelib.uploads import add as uploads
from chalicelib.uploads.ports import UploadPorts
from chalicelib.uploads.selectors import parse_selectors
from tests.fakes.calls import call_by
from tests.fakes.data_scene import ANNA, CUSTODIAN, STRANGER, UPLOADER, VIEWER, DataScene, cbg, food

UNKNOWN = "0" * 32


@pytest.fixture
def scene() -> DataScene:
    return DataScene()


@pytest.mark.parametrize("caller", [ANNA, UPLOADER, SERVICE])
def test_owner_uploaders_and_servers_may(scene: DataScene, caller: Caller) -> None:
    data_set = scene.open("none")
    scene.add(data_set, cbg(1, 1, "1"), cbg(2, 2, "2"), caller=caller)
    scene.delete_data(data_set, {"origin": {"id": "1"}}, caller=caller)
    assert scene.visible() == [2]


@pytest.mark.parametrize("caller", [VIEWER, CUSTODIAN, STRANGER])
def test_nobody_else_may(scene: DataScene, caller: Caller) -> None:
    data_set = scene.open("none")
    with pytest.raises(UnauthorizedError):
        scene.add(data_set, cbg(), caller=caller)
    with pytest.raises(UnauthorizedError):
        scene.delete_data(data_set, {"id": UNKNOWN}, caller=caller)
    assert scene.entry_numbers == []


class TestOrderOfRefusals:
    """Not found, not allowed, closed, then the body, which until then is not read."""

    def refusal(self, scene: DataScene, data_set_id: str, caller: Caller) -> type[StrandlineError]:
        def read_body() -> Any:
            raise MalformedJsonError

        with pytest.raises(StrandlineError) as caught:
            uploads.add_data(
                call_by(caller, UPLOADERS, scene.grants, 0, scene.new_id),
                data_set_id,
                read_body,
                UploadPorts(scene.data, scene.fakes.rejections),
            )
        return type(caught.value)

    def test_checks_are_made_in_order(self, scene: DataScene) -> None:
        opened, closed = scene.open("none"), scene.open("none", "normal")
        scene.close(closed)
        assert self.refusal(scene, UNKNOWN, STRANGER) is DataSetNotFoundError
        assert self.refusal(scene, closed, STRANGER) is UnauthorizedError
        assert self.refusal(scene, closed, ANNA) is DataSetClosedError
        assert self.refusal(scene, opened, ANNA) is MalformedJsonError

    def test_an_erased_data_set_is_not_found(self, scene: DataScene) -> None:
        opened, closed = scene.open("none"), scene.open("none", "normal")
        scene.close(closed)
        scene.erase()
        for data_set, items in ((opened, [cbg()]), (opened, []), (closed, [cbg()])):
            with pytest.raises(DataSetNotFoundError):
                scene.add(data_set, *items)


class TestBodies:
    @pytest.mark.parametrize("body", [[], None, [None]])
    def test_nothing_is_stored_of_nothing(self, scene: DataScene, body: Any) -> None:
        data_set = scene.open("none")
        scene.add_body(data_set, body)
        assert scene.entry_numbers == []

    @pytest.mark.parametrize("body", [{}, {"type": "cbg"}, "cbg", 5, True])
    def test_data_is_an_array(self, scene: DataScene, body: Any) -> None:
        with pytest.raises(MalformedJsonError):
            scene.add_body(scene.open("none"), body)

    def test_one_bad_datum_keeps_all_out_and_every_fault_is_named(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        with pytest.raises(InvalidFieldsError) as caught:
            scene.add(data_set, cbg(1), cbg(99), cbg(-1))
        assert [error.pointer for error in caught.value.errors] == ["/1/value", "/2/value"]
        assert scene.entry_numbers == []

    def test_a_device_is_required_where_data_is_known_by_it(self, scene: DataScene) -> None:
        data_set = scene.open("device.deactivate.hash", "normal", deviceId="pump")
        with pytest.raises(InvalidFieldsError) as caught:
            scene.add_body(data_set, [None, cbg(1, deviceId="pump"), cbg(2)])
        (error,) = caught.value.errors
        assert (error.code, error.pointer, error.meta) == ("value-not-exists", "/2/deviceId", {"type": "cbg"})

    def test_an_embedded_bolus_needs_its_own(self, scene: DataScene) -> None:
        data_set = scene.open("device.deactivate.hash", "normal", deviceId="pump")
        time = "2026-01-01T12:00:00Z"
        bolus = {"type": "bolus", "subType": "normal", "normal": 1, "time": time}
        wizard = {"type": "wizard", "units": "mg/dL", "time": time, "deviceId": "pump", "bolus": bolus}
        with pytest.raises(InvalidFieldsError) as caught:
            scene.add(data_set, food("bread", "1", None, deviceId="pump"), wizard)
        (error,) = caught.value.errors
        assert error.pointer == "/1/bolus/deviceId"


class TestSelectors:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ([{"id": "a" * 32}], Selectors(SelectorKind.ID, frozenset({"a" * 32}))),
            ([{"id": "a" * 32, "time": "2026-01-01T00:00:00Z"}], Selectors(SelectorKind.ID, frozenset({"a" * 32}))),
            ([{"origin": {"id": "x"}}, {"origin": {"id": "y"}}], Selectors(SelectorKind.ORIGIN, frozenset("xy"))),
            (
                [{"origin": {"id": "x", "time": "2026-01-01T00:00:00Z"}}],
                Selectors(SelectorKind.ORIGIN, frozenset("x")),
            ),
            ([{"deduplicator": {"hash": "h"}}], Selectors(SelectorKind.HASH, frozenset("h"))),
            ([{"id": None, "origin": {"id": "x"}, "time": None}], Selectors(SelectorKind.ORIGIN, frozenset("x"))),
        ],
    )
    def test_each_form_of_selector_is_parsed(self, body: Any, expected: Selectors) -> None:
        assert parse_selectors(body) == expected

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            {},
            {"id": "a" * 32},
            ["a" * 32],
            [{}],
            [None],
            [{"id": "XYZ"}],
            [{"id": "a" * 31}],
            [{"id": 5}],
            [{"id": "a" * 32, "origin": {"id": "x"}}],
            [{"id": "a" * 32, "time": "yesterday"}],
            [{"id": "a" * 32, "time": 5}],
            [{"time": "2026-01-01T00:00:00Z"}],
            [{"origin": {"id": "x"}, "time": "2026-01-01T00:00:00Z"}],
            [{"origin": {}}],
            [{"origin": "x"}],
            [{"origin": {"id": ""}}],
            [{"origin": {"id": "x" * 101}}],
            [{"origin": {"id": "x", "time": "yesterday"}}],
            [{"deduplicator": {"hash": ""}}],
            [{"deduplicator": {"hash": "x" * 1001}}],
            [{"id": "a" * 32}, {"origin": {"id": "x"}}],
        ],
    )
    def test_anything_else_is_refused(self, body: Any) -> None:
        with pytest.raises(InvalidSelectorsError):
            parse_selectors(body)

    def test_what_is_refused_deletes_nothing(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1, 1, "1"))
        with pytest.raises(InvalidSelectorsError):
            scene.delete_data(data_set, {"origin": {"id": "1"}}, {})
        assert scene.visible() == [1]

    def test_what_selects_nothing_is_no_error(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1, 1, "1"))
        scene.delete_data(data_set, {"id": UNKNOWN})
        assert scene.visible() == [1]

    def test_a_closed_data_set_keeps_its_data(self, scene: DataScene) -> None:
        data_set = scene.open("none", "normal")
        scene.add(data_set, cbg(1, 1, "1"))
        scene.close(data_set)
        with pytest.raises(DataSetClosedError):
            scene.delete_data(data_set, {"origin": {"id": "1"}})
        assert scene.visible() == [1]
