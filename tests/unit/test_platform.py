"""Tests the place of the platform, in a checkout and in an installed wheel."""

import sys
from pathlib import Path

import pytest

from strandline import platform
from tools.project import ROOT


def made_platform(folder: Path) -> Path:
    """A folder with the two things that make a platform."""
    (folder / "chalicelib").mkdir(parents=True)
    (folder / "app.py").touch()
    return folder


def test_the_platform_of_a_checkout_is_its_root() -> None:
    assert platform.platform_folder() == ROOT


def test_the_platform_of_a_wheel_lies_in_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "_PACKAGE", tmp_path / "strandline")
    made_platform(tmp_path)

    inside = made_platform(tmp_path / "strandline" / "_platform")

    assert platform.platform_folder() == inside


def test_an_incomplete_installation_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "_PACKAGE", tmp_path / "strandline")

    with pytest.raises(RuntimeError, match="install strandline again"):
        platform.platform_folder()


def test_the_platform_comes_before_everything_else_on_the_path_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_PACKAGE", tmp_path / "strandline")
    monkeypatch.setattr(sys, "path", ["/somewhere"])
    made_platform(tmp_path)

    platform.use_platform()
    platform.use_platform()

    assert sys.path == [str(tmp_path), "/somewhere"]
