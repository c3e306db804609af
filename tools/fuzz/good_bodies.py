"""A good body for each operation that takes JSON, and the same body with another value in one place."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from chalicelib.api.openapi.document import document

AT = "2025-12-31T20:00:00.000Z"
AT_MS = 1_767_211_200_000
HEX_ID = "aabbccddeeff001122334455"
ADDRESS = "carl@example.org"
PASSWORD = "a-password"  # noqa: S105  of nobody

_ENTRIES = [
    {"type": "sgv", "_id": HEX_ID, "date": AT_MS, "dateString": AT, "sgv": 100, "direction": "Flat", "utcOffset": 60},
    {"type": "mbg", "date": AT_MS, "mbg": 100},
]
_TREATMENTS = [
    {"eventType": "Meal Bolus", "_id": HEX_ID, "created_at": AT, "insulin": 1, "carbs": 10, "absorptionTime": 180},
    {"eventType": "Combo Bolus", "mills": AT_MS, "enteredinsulin": 4, "splitNow": 25, "splitExt": 75, "duration": 60},
    {"eventType": "Temp Basal", "created_at": AT, "absolute": 1, "percent": 10, "duration": 30, "utcOffset": 60},
    {"eventType": "BG Check", "created_at": AT, "glucose": 100, "units": "mg/dl", "glucoseType": "Finger"},
    {"eventType": "Temporary Target", "created_at": AT, "targetBottom": 80, "targetTop": 120, "duration": 60},
    {
        "eventType": "Temporary Override",
        "created_at": AT,
        "insulinNeedsScaleFactor": 1.2,
        "correctionRange": [80, 120],
        "duration": 60,
    },
    {"eventType": "Exercise", "date": AT_MS, "duration": 30, "notes": "a walk", "enteredBy": "app"},
]
_HOURS = [{"time": "00:00", "value": 1, "timeAsSeconds": 0}]
_SETTINGS = {"dia": 5, "timezone": "Europe/Berlin", "basal": _HOURS, "carbratio": _HOURS, "sens": _HOURS}
_PROFILES = [{"defaultProfile": "Default", "startDate": AT, "mills": AT_MS, "store": {"Default": _SETTINGS}}]
_DEVICE_STATUS = {
    "device": "loop://phone",
    "created_at": AT,
    "utcOffset": 60,
    "uploaderBattery": 80,
    "uploader": {"battery": 80},
    "pump": {"reservoir": 100, "clock": AT, "battery": {"percent": 50}, "status": {"suspended": False}},
    "loop": {"iob": {"iob": 1, "timestamp": AT}, "cob": {"cob": 10}, "predicted": {"startDate": AT, "values": [100]}},
    "openaps": {"suggested": {"timestamp": AT, "bg": 100, "eventualBG": 100, "COB": 10}, "iob": {"iob": 1, "time": AT}},
}
_FOOD = {
    "type": "food",
    "name": "Bread",
    "carbs": 10,
    "portion": 100,
    "gi": 2,
    "created_at": AT,
    "foods": [{"carbs": 1}],
}
_ACTIVITY = {"_id": HEX_ID, "created_at": AT, "heartrate": 80, "steps": 100, "activitylevel": "walking", "mills": AT_MS}
_DOCUMENT = {
    "date": AT_MS,
    "utcOffset": 60,
    "app": "AAPS",
    "identifier": "an-identifier",
    "eventType": "Meal Bolus",
    "insulin": 1,
    "carbs": 10,
    "pumpId": 1,
}
_ACCOUNT = {"username": ADDRESS, "emails": [ADDRESS], "password": PASSWORD, "termsAccepted": AT}
_CHILD = {"username": ADDRESS, "emails": [ADDRESS]}
_KEY = {"key": "a-key"}
_NOTE = {"message": {"guid": "a-guid", "timestamp": AT, "messagetext": "a note"}}
_RECORDS = [
    {"type": "cbg", "time": AT, "units": "mg/dL", "value": 100, "origin": {"id": "a", "payload": {"a": [1]}}},
    {"type": "food", "time": AT, "name": "a meal", "nutrition": {"carbohydrate": {"net": 10, "units": "grams"}}},
]
_OLD_RECORD = {
    "type": "smbg",
    "time": AT,
    "units": "mg/dL",
    "value": 100,
    "deviceId": "a",
    "uploadId": "upid_0123456789ab",
}
_DATA_SET = {
    "dataSetType": "continuous",
    "client": {"name": "org.example.app", "version": "1.0.0", "private": {"a": [1]}},
    "deviceTags": ["cgm"],
    "time": AT,
    "timezoneOffset": 60,
    "annotations": [{"code": "a"}],
}
_SOURCE = {"providerType": "oauth", "providerName": "dexcom", "metadata": {"a": [1]}, "earliestDataTime": AT}
_TASK = {"type": "org.example.x", "name": "a", "priority": 1, "data": {"a": [1]}, "availableTime": AT}
_INVITATION = {
    "email": ADDRESS,
    "permissions": {"view": {"windowHours": 3, "expiresTime": "2026-02-01T00:00:00Z"}, "follow": {}},
    "nickname": "Carl",
    "alertsConfig": {"low": {"threshold": {"value": 70}}},
}

GOOD_BODIES: Mapping[str, Any] = {
    "grants.set": {"view": {"windowHours": 3, "expiresTime": "2026-02-01T00:00:00Z"}, "note": {"a": [1]}},
    "nightscout.entries.store": _ENTRIES,
    "nightscout.entries.preview": _ENTRIES,
    "nightscout.treatments.store": _TREATMENTS,
    "nightscout.treatments.replace": _TREATMENTS[0],
    "nightscout.profiles.store": _PROFILES,
    "nightscout.profiles.replace": _PROFILES[0],
    "nightscout.device_statuses.store": [_DEVICE_STATUS],
    "nightscout.food.store": [_FOOD],
    "nightscout.food.replace": _FOOD | {"_id": HEX_ID},
    "nightscout.activity.store": [_ACTIVITY],
    "nightscout.activity.replace": _ACTIVITY,
    "nightscout.v3.create": _DOCUMENT,
    "nightscout.v3.replace": _DOCUMENT,
    "nightscout.v3.change": _DOCUMENT,
    "nightscout_documents.restore": _TREATMENTS,
    "nightscout_credentials.create": {"name": "A phone", "scope": "read"},
    "users.create": _ACCOUNT,
    "users.update": {"updates": {"termsAccepted": AT, "roles": ["patient"], "emailVerified": True} | _ACCOUNT},
    "users.delete": {"password": PASSWORD},
    "users.create_custodial": _CHILD,
    "users.create_for_clinic": _CHILD,
    "password_resets.accept": _KEY | {"email": ADDRESS, "password": PASSWORD},
    "invitations.send": _INVITATION,
    "invitations.accept": _KEY,
    "invitations.dismiss": _KEY,
    "sign_up_confirmations.accept": {"password": PASSWORD, "birthday": "2000-01-01"},
    "sign_up_confirmations.dismiss": _KEY,
    "sign_up_confirmations.cancel": _KEY,
    "notes.send": _NOTE,
    "notes.reply": _NOTE,
    "notes.edit": _NOTE,
    "metadata.put": {"fullName": "Anna", "patient": {"birthday": "2000-01-01", "a": [1]}},
    "metadata.post": {"fullName": "Anna", "patient": {"birthday": "2000-01-01", "a": [1]}},
    "data.upload": [_OLD_RECORD],
    "data.add": _RECORDS,
    "data.delete": [{"origin": {"id": "b"}}, {"id": "0" * 32}, {"time": AT}],
    "data.erase": {"password": PASSWORD},
    "partners.add_twiist_data": _RECORDS,
    "data_sets.create": _DATA_SET,
    "data_sets.update": {"deviceId": "a", "time": AT, "timezone": "Europe/Berlin", "timezoneOffset": 60},
    "data_sources.create": _SOURCE,
    "data_sources.update": {"state": "connected", "earliestDataTime": AT, "lastImportTime": AT, "metadata": {"a": [1]}},
    "restricted_tokens.create": {"paths": ["/v1/a"], "expirationTime": AT},
    "restricted_tokens.update": {"paths": ["/v1/a"], "expirationTime": AT},
    "tasks.create": _TASK,
    "tasks.update": {"priority": 1, "data": {"a": [1]}, "availableTime": AT, "expirationTime": AT},
}
"""By operation. Each reaches the rules behind the form of its body, though not each names something that exists."""


def operations_with_bodies() -> dict[str, tuple[str, str]]:
    """Method and path of each described operation whose body is JSON, by its id; of several paths the first."""
    found: dict[str, tuple[str, str]] = {}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"].removesuffix(".2")
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                found.setdefault(name, (method.upper(), path))
    return found


def with_another_value(body: Any, value: Any) -> Iterator[Any]:
    """The bodies that have this value in the place of one that a good body has, at any depth, and of the whole. An
    array has one element then."""
    yield value
    for good in [[element] for element in body] if isinstance(body, list) else [body]:
        for place in _places(good):
            changed = deepcopy(good)
            container = changed
            for part in place[:-1]:
                container = container[part]
            container[place[-1]] = value
            yield changed


def _places(body: Any) -> Iterator[tuple[Any, ...]]:
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for part, value in parts:
        yield (part,)
        for below in _places(value):
            yield (part, *below)
