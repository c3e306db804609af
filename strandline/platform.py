"""The platform: `app.py` and `chalicelib`, which are part of the wheel but not installed as packages of their own.

A top-level `chalicelib` in site-packages would collide with that of any other Chalice application. So the wheel keeps
the platform in a folder of its own, which only a process that runs the platform puts on its path.
"""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def platform_folder() -> Path:
    """The folder that has `app.py` and `chalicelib`: `strandline/_platform` in the wheel, or the checkout's root.

    Raises:
        RuntimeError: the installation is incomplete.
    """
    for folder in (_PACKAGE / "_platform", _PACKAGE.parent):
        if (folder / "app.py").is_file() and (folder / "chalicelib").is_dir():
            return folder
    raise RuntimeError(f"{_PACKAGE} has no platform: install strandline again")


def use_platform() -> None:
    """Let this process import `app` and `chalicelib`."""
    folder = str(platform_folder())
    if folder not in sys.path:
        sys.path.insert(0, folder)
