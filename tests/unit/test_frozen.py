"""Tests the data classes that `frozen` makes: they behave as those of `dataclass(frozen=True, slots=True)`."""

import copy
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest

from chalicelib.frozen import frozen
from tools.project import ROOT


@frozen
class Reading:
    """A class with a default, a made default, and a field that is neither compared nor shown."""

    value: float
    unit: str = "mmol/L"
    notes: Mapping[str, str] = field(default_factory=dict)
    source: str = field(default="", compare=False, repr=False)

    @property
    def is_high(self) -> bool:
        return self.value > 10


@frozen
class Day:
    number: int


@frozen
class Other:
    number: int


@frozen
class Nothing:
    pass


def test_fields_are_taken_by_position_and_by_name_with_defaults() -> None:
    reading = Reading(5.5, unit="mg/dL")
    assert (reading.value, reading.unit, reading.notes, reading.source) == (5.5, "mg/dL", {}, "")
    assert Reading(11).is_high
    assert Reading(1).notes is not Reading(1).notes


def test_a_missing_and_an_unknown_field_are_refused() -> None:
    make: Callable[..., object] = Day
    for arguments in ({}, {"number": 1, "name": "Monday"}):
        with pytest.raises(TypeError):
            make(**arguments)


def test_instances_have_slots_only() -> None:
    day: Any = Day(1)
    assert not hasattr(day, "__dict__")
    with pytest.raises(AttributeError):
        day.name = "Monday"


def test_instances_are_equal_if_their_compared_fields_are() -> None:
    assert Reading(5.5, source="a") == Reading(5.5, source="b")
    assert Reading(5.5) != Reading(5.6)
    assert Reading(5.5) != Reading(5.5, notes={"meal": "before"})
    assert Nothing() == Nothing()


def test_instances_of_different_classes_are_never_equal() -> None:
    others: list[object] = [Other(1), (1,), 1]
    assert Day(1) not in others
    assert Other(1) in others


def test_equal_instances_have_one_hash() -> None:
    assert {Day(1), Day(1), Day(2), Nothing(), Nothing()} == {Day(2), Nothing(), Day(1)}


def test_an_instance_with_a_field_that_cannot_be_hashed_cannot_be_hashed() -> None:
    with pytest.raises(TypeError, match="unhashable type: 'dict'"):
        hash(Reading(5.5))


def test_the_representation_names_the_fields_that_are_shown() -> None:
    assert repr(Reading(5.5, source="a")) == "Reading(value=5.5, unit='mmol/L', notes={})"


def test_what_works_on_data_classes_works_on_these() -> None:
    assert replace(Reading(5.5), value=6) == Reading(6)
    assert asdict(Day(1)) == {"number": 1}
    match Day(3):
        case Day(number):
            assert number == 3
    for duplicate in (copy.copy(Day(1)), copy.deepcopy(Day(1)), pickle.loads(pickle.dumps(Day(1)))):  # noqa: S301  own
        assert duplicate == Day(1)


def test_the_hash_and_the_representation_are_those_of_the_standard_library() -> None:
    @dataclass(frozen=True, slots=True)
    class Standard:
        number: int
        text: str

    @frozen
    class Own:
        number: int
        text: str

    assert hash(Own(1, "a")) == hash(Standard(1, "a"))
    assert repr(Own(1, "a")).replace("Own", "Standard") == repr(Standard(1, "a"))


def test_the_application_defines_no_frozen_class_in_another_way() -> None:
    """Each would cost half a millisecond of every cold start."""
    files = [path for path in (ROOT / "chalicelib").rglob("*.py") if path.name != "frozen.py"]
    assert len(files) > 200
    assert [str(path) for path in files if re.search(r"@dataclass\(.*frozen=True", path.read_text())] == []
