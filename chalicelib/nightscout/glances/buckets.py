"""The newest readings in buckets of five minutes, and the change from one to the next. Source: nightscout-api 8.

The first of four buckets is around the newest reading. Readings of several sensors in one bucket have a mean. A reading
before the buckets says nothing about the change.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.durations import MINUTE_MS
from chalicelib.model.json_values import plain_number
from chalicelib.nightscout.glances.readings import in_mmol_l

COUNT = 4
BUCKET_MS = 5 * MINUTE_MS
MAX_ERROR_MG_DL = 39
"""Readings up to this value are codes of a sensor: they are shown, and do not count."""
MAX_MINUTES = 9
"""A change over more minutes is interpolated to five."""
_DELTA_MINUTES = 5
_COPIED = ("_id", "device", "direction", "filtered", "unfiltered", "noise", "rssi")
_PLACE = frozenset({"index", "fromMills", "toMills", "isEmpty"})

Bucket = dict[str, Any]


def filled_buckets(readings: Sequence[Mapping[str, Any]]) -> list[Bucket]:
    """The buckets, the newest one first; none without readings.

    Args:
        readings: entries, newest first.
    """
    if not readings:
        return []
    newest_ms = readings[0]["date"] - BUCKET_MS // 2
    froms = [newest_ms - index * BUCKET_MS for index in range(COUNT)]
    held: list[list[dict[str, Any]]] = [[] for _ in froms]
    for reading in readings:
        index = next((i for i, from_ms in enumerate(froms) if from_ms <= reading["date"] <= from_ms + BUCKET_MS), None)
        if index is None:
            break
        held[index].append(_shown(reading))
    return [
        {**_figures(sgvs), "index": index, "fromMills": from_ms, "toMills": from_ms + BUCKET_MS, "sgvs": sgvs}
        for index, (from_ms, sgvs) in enumerate(zip(froms, held, strict=True))
    ]


def newest_change(buckets: Sequence[Bucket]) -> tuple[Bucket | None, dict[str, Any] | None]:
    """The newest bucket with readings, and the change to it from the one before; None where there is none."""
    filled = [bucket for bucket in buckets if "isEmpty" not in bucket]
    if not filled:
        return None, None
    now = filled[0]
    previous = next((bucket for bucket in filled[1:] if "mean" in bucket), None)
    change = None if previous is None or "mean" not in now else _change(now, previous)
    return _without_place(now), change


def change_in_mmol_l(now: Bucket, change: Mapping[str, Any]) -> float:
    """A change in mmol/L, as the difference of what is shown."""
    return _rounded((in_mmol_l(now["mean"]) - in_mmol_l(change["mean5MinsAgo"])) * 10) / 10


def _shown(reading: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: reading[name] for name in _COPIED if name in reading},
        "mgdl": reading["sgv"],
        "mills": reading["date"],
        "type": "sgv",
        "scaled": reading["sgv"],
    }


def _figures(sgvs: Sequence[Mapping[str, Any]]) -> Bucket:
    """The mean and the newest value of a bucket, and the readings that are errors."""
    if not sgvs:
        return {"isEmpty": True}
    values = [sgv for sgv in sgvs if sgv["mgdl"] > MAX_ERROR_MG_DL]
    figures: Bucket = {}
    if values:
        newest = max(values, key=lambda sgv: sgv["mills"])
        mean = sum(sgv["mgdl"] for sgv in values) / len(values)
        figures = {"mean": plain_number(mean), "last": newest["mgdl"], "mills": newest["mills"]}
    if errors := [sgv for sgv in sgvs if sgv["mgdl"] < MAX_ERROR_MG_DL]:
        figures["errors"] = errors
    return figures


def _change(now: Bucket, previous: Bucket) -> dict[str, Any]:
    absolute = now["mean"] - previous["mean"]
    minutes = (now["mills"] - previous["mills"]) / MINUTE_MS
    is_interpolated = minutes > MAX_MINUTES
    before = now["mean"] - (absolute / minutes * _DELTA_MINUTES if is_interpolated else absolute)
    change = _rounded(now["mean"] - before)
    return {
        "absolute": plain_number(absolute),
        "elapsedMins": plain_number(minutes),
        "interpolated": is_interpolated,
        "mean5MinsAgo": plain_number(before),
        "times": {"recent": now["mills"], "previous": previous["mills"]},
        "mgdl": change,
        "scaled": change,
        "display": f"{change:+d}",
        "previous": _without_place(previous),
    }


def _without_place(bucket: Bucket) -> Bucket:
    return {name: value for name, value in bucket.items() if name not in _PLACE}


def _rounded(value: float) -> int:
    """The nearest whole number, the greater one of two, as in JavaScript."""
    return math.floor(value + 0.5)
