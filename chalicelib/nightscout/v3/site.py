"""The site as apps of v3 see it. Source: nightscout-api 9."""

from typing import Any

from chalicelib.access.nightscout_credential import Scope
from chalicelib.nightscout.status import VERSION
from chalicelib.nightscout.v3.access import permissions

API_VERSION = "3.0.3-alpha"
STORAGE = {"storage": "mongodb", "version": "6.0.5"}
"""Storage as apps that were written for Nightscout expect it; AndroidAPS fails without."""


def site_version(now_ms: int) -> dict[str, Any]:
    """The versions, and the time."""
    return {"version": VERSION, "apiVersion": API_VERSION, "srvDate": now_ms, "storage": STORAGE}


def site_permissions(now_ms: int, scope: Scope) -> dict[str, Any]:
    """The versions, and what a credential of this scope may do."""
    return site_version(now_ms) | {"apiPermissions": permissions(scope)}
