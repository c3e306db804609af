"""The Chromium of this machine."""

import os
import shutil

import pytest

from tools.chromium import NAMES, SWITCHES

__all__ = ["SWITCHES", "chromium_path"]


def chromium_path() -> str:
    """The path of Chromium. Without one the test is skipped; in CI it fails, so that nothing goes unseen there."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("CI needs Chromium on the path")
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found
