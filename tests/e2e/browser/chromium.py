"""The Chromium of this machine, and the switches that it is started with."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    # Nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def chromium_path() -> str:
    """The path of Chromium. Without one the test is skipped; in CI it fails, so that nothing goes unseen there."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs Chromium on the path")
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found
