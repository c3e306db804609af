"""The site as Nightscout apps see it: its version, its settings, and its notices. Source: nightscout-api 8."""

from collections.abc import Mapping
from typing import Any

from chalicelib.nightscout.times import iso_time

NAME = "nightscout"
VERSION = "15.0.7"
"""The version whose behavior is recorded; xDrip+ looks for old ones by it."""
VERSIONS: tuple[Mapping[str, str], ...] = (
    {"version": "1.0.0", "url": "/api/v1"},
    {"version": "2.0.0", "url": "/api/v2"},
    {"version": "3.0.3-alpha", "url": "/api/v3"},
)
NO_NOTICES: Mapping[str, Any] = {"status": 200, "message": {"notifies": [], "notifyCount": 0}}
SETTINGS: Mapping[str, Any] = {
    "units": "mg/dl",
    "timeFormat": 24,
    "nightMode": False,
    "editMode": False,
    "showRawbg": "never",
    "customTitle": "Strandline",
    "theme": "default",
    "language": "en",
    "scaleY": "log",
    "showPlugins": "delta direction",
    "showForecast": "",
    "focusHours": 3,
    "heartbeat": 60,
    "baseURL": "",
    "authDefaultRoles": "denied",
    "thresholds": {"bgHigh": 260, "bgTargetTop": 180, "bgTargetBottom": 80, "bgLow": 55},
    "alarmTypes": ["simple"],
    "enable": ["careportal", "bgnow", "delta", "direction", "bolus", "profile"],
}
"""Settings that apps read; there are no plugins and no alarms behind them."""


def site_status(now_ms: int, authorized: Mapping[str, Any] | None) -> dict[str, Any]:
    """The status. `authorized` is the authorization of a credential that came in the query, with a JWT."""
    return {
        "status": "ok",
        "name": NAME,
        "version": VERSION,
        "serverTime": iso_time(now_ms),
        "serverTimeEpoch": now_ms,
        "apiEnabled": True,
        "careportalEnabled": True,
        "boluscalcEnabled": False,
        "settings": SETTINGS,
        "extendedSettings": {"devicestatus": {"advanced": True, "days": 1}},
        "authorized": authorized,
        "runtimeState": "loaded",
    }
