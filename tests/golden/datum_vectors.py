"""Reads the recorded replies of the reference for single data; see tests/data/golden/datum/README.md."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.errors import FieldError
from chalicelib.model.data import Datum
from chalicelib.model.times import Moment

_FOLDER = Path(__file__).parent.parent / "data" / "golden" / "datum"

FILES = sorted(path.name for path in _FOLDER.glob("*.jsonl"))

_NOT_IN_BODY = ("_active", "_userId", "uploadId")


@dataclass(frozen=True, slots=True)
class Vector:
    """A posted array, and what the reference answered: errors, or data as they are stored and the times as sent.

    `sent_times` holds None where the reference could not write the time that it had accepted.
    """

    case: str
    items: list[Any]
    errors: list[FieldError]
    bodies: list[dict[str, Any]]
    sent_times: list[str | None]


def vectors(file: str) -> Iterator[Vector]:
    """The vectors of a file."""
    with (_FOLDER / file).open(encoding="utf-8") as lines:
        for line in lines:
            yield _vector(json.loads(line))


def counting_ids() -> Iterator[str]:
    """Ids that can be told from those that clients sent."""
    return (f"made-{number}" for number in itertools.count(1))


def as_compared(data: Sequence[Datum], expected: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bodies with numbers as doubles, and with made ids masked as the vector masks them."""
    masks = {
        datum.body["id"]: body["id"]
        for datum, body in zip(data, expected, strict=False)
        if datum.body["id"].startswith("made-") and body["id"].startswith("<ID:")
    }
    return [_comparable(datum.body, masks) for datum in data]


def _vector(line: dict[str, Any]) -> Vector:
    outputs = line["output"] or []
    bodies = []
    for output, stored in zip(outputs, line.get("stored") or [], strict=True):
        body = {} if "__jsonUnrepresentable" in output else dict(output)
        body |= {name: _stored(value) for name, value in stored.items()}
        bodies.append(_comparable({name: value for name, value in body.items() if name not in _NOT_IN_BODY}, {}))
    return Vector(
        line["case"],
        line["input"] if line.get("batch") else [line["input"]],
        [_error(error) for error in line["errors"] or []],
        bodies,
        [output.get("time") for output in outputs],
    )


def _error(error: dict[str, Any]) -> FieldError:
    pointer = error.get("source", {}).get("pointer")
    return FieldError(error["code"], error["title"], error["detail"], pointer, meta=error.get("meta"))


def _stored(value: Any) -> Any:
    """A stored value, out of MongoDB's extended JSON."""
    if isinstance(value, dict):
        if value.keys() == {"$date"}:
            return _date(value["$date"])
        return {name: _stored(member) for name, member in value.items()}
    return [_stored(element) for element in value] if isinstance(value, list) else value


def _date(date: Any) -> str:
    if isinstance(date, str):
        return date
    epoch_s, milliseconds = divmod(int(date["$numberLong"]), 1000)
    return Moment(epoch_s, milliseconds * 1_000_000, 0).stored


def _comparable(value: Any, masks: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _comparable(member, masks) for name, member in value.items()}
    if isinstance(value, list):
        return [_comparable(element, masks) for element in value]
    if isinstance(value, str):
        return masks.get(value, value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
