"""Device statuses of what a loop decides, with the state of its pump and phone. Source: nightscout-api 14.

A decision of the loop becomes a status, with the newest state of pump and phone before it. Times inside `loop` and
`pump` are in whole seconds, as Loop sends them, because followers read no others there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib import json_text
from chalicelib.durations import MINUTE_MS
from chalicelib.log.records import bodies_of
from chalicelib.model.times import parse_time
from chalicelib.nightscout.device_status.status import COLLECTION
from chalicelib.nightscout.document import document_key, new_id
from chalicelib.nightscout.ports import DeviceStatus
from chalicelib.nightscout.rendering.record import Record, app_of, mg_dl, minutes, time_ms_of
from chalicelib.nightscout.times import iso_time

DECISION, PUMP, PHONE = LOOP_TYPES = ("dosingDecision", "pumpStatus", "controllerStatus")
REASON = "loop"
"""The reason of decisions that the loop made by itself. Others are for a bolus that a person asked for."""
MAX_AGE_MS = 15 * MINUTE_MS
"""The greatest age of the state of pump and phone that a status shows."""


def statuses_of_loop(texts: Mapping[str, Sequence[bytes]]) -> Iterator[DeviceStatus]:
    """The statuses of one day, newest first, as an iterator that makes them one by one.

    Args:
        texts: the records of each of `LOOP_TYPES`, in the order of time.
    """
    pump, phone = _States(texts[PUMP]), _States(texts[PHONE])
    for text in reversed(texts[DECISION]):
        (decision,) = bodies_of([text])
        if decision.get("reason") == REASON:
            time_ms = time_ms_of(decision)
            yield _status(decision, pump.before(time_ms), phone.before(time_ms))


class _States:
    """The states of a pump or phone on one day. Each question has to be about an earlier time than the one before."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = list(texts)
        self._last: Record | None = None

    def before(self, time_ms: int) -> Record | None:
        """The newest state that is not later than a time, unless it is too old."""
        while self._last is not None or self._texts:
            if self._last is None:
                (self._last,) = bodies_of([self._texts.pop()])
            age_ms = time_ms - time_ms_of(self._last)
            if age_ms >= 0:
                return self._last if age_ms <= MAX_AGE_MS else None
            self._last = None
        return None


def _status(decision: Record, pump: Record | None, phone: Record | None) -> DeviceStatus:
    time_ms = max(0, time_ms_of(decision))
    body: dict[str, Any] = {
        "_id": new_id(time_ms, document_key(COLLECTION, "record", str(decision["id"]))),
        "identifier": decision["id"],
        "device": decision.get("deviceId") or app_of(decision),
        "app": app_of(decision),
        "created_at": iso_time(time_ms),
        "utcOffset": decision.get("timezoneOffset", 0),
        "isReadOnly": True,
        "loop": _loop(decision),
    }
    if pump is not None:
        body["pump"] = _pump(pump)
    if phone is not None and (percent := _percent(phone)) is not None:
        body["uploader"] = {"battery": percent, "timestamp": _seconds(phone)}
    return DeviceStatus(body["_id"], time_ms, "", json_text.encode(body))


def _loop(decision: Record) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": app_of(decision).rpartition(".")[2],
        "version": str(decision.get("origin", {}).get("version", "")),
        "timestamp": _seconds(decision),
    }
    for name, field in (("iob", "insulinOnBoard"), ("cob", "carbsOnBoard")):
        if (on_board := decision.get(field)) is not None:
            members[name] = {name: on_board["amount"], "timestamp": _seconds(on_board, decision)}
    if forecast := decision.get("bgForecast"):
        units = decision.get("units", {}).get("bg")
        values = [mg_dl(point["value"], units) for point in forecast]
        members["predicted"] = {"startDate": _seconds(forecast[0], decision), "values": values}
    basal, bolus = decision.get("recommendedBasal"), decision.get("recommendedBolus")
    if bolus is not None:
        members["recommendedBolus"] = _units(bolus)
    if errors := decision.get("errors"):
        members["failureReason"] = errors[0]["id"]
    elif basal is not None or bolus is not None:
        members["enacted"] = {"timestamp": _seconds(decision), "received": True, "bolusVolume": _units(bolus or {})}
        if basal is not None:
            duration = {"duration": minutes(basal["duration"])} if "duration" in basal else {}
            members["enacted"] |= {"rate": basal["rate"], **duration}
    return members


def _pump(state: Record) -> dict[str, Any]:
    members: dict[str, Any] = {"clock": _seconds(state)}
    if "reservoir" in state:
        members["reservoir"] = state["reservoir"]["remaining"]
    if (percent := _percent(state)) is not None:
        members["battery"] = {"percent": percent}
    if "basalDelivery" in state:
        members["suspended"] = state["basalDelivery"]["state"] == "suspended"
    if "bolusDelivery" in state:
        members["bolusing"] = state["bolusDelivery"]["state"] == "delivering"
    return members


def _units(bolus: Mapping[str, Any]) -> float:
    """The insulin of a recommended bolus, which is an amount, or has parts."""
    units: float = bolus.get("amount", bolus.get("normal", 0) + bolus.get("extended", 0))
    return round(units, 6)


def _percent(state: Record) -> int | None:
    """The charge of a battery in percent; None if it is not known."""
    remaining = state.get("battery", {}).get("remaining")
    return None if remaining is None else round(remaining * 100)


def _seconds(*timed: Record) -> str:
    """The time of the first of these that has one."""
    text = next(str(record["time"]) for record in timed if "time" in record)
    moment = parse_time(text)
    return f"{iso_time(0 if moment is None else max(0, moment.epoch_ms)).partition('.')[0]}Z"
