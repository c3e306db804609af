"""Tests when a package is rebuilt, and for which stages."""

import os
from pathlib import Path

import pytest

from tools.deploy import check_architecture
from tools.packaging import application
from tools.packaging.application import LOCAL_STAGE, Package, check_stage, make_package, source_digest
from tools.project import ToolError

FILES = (
    "app.py",
    "chalicelib/config.py",
    ".chalice/config.json",
    ".chalice/policy-api_handler.json",
    "requirements.txt",
    "infra/overlay.json",
    "infra/gateway.yaml",
    "infra/alarms.yaml",
    "infra/dashboard.yaml",
    "tools/packaging/application.py",
    "tools/packaging/overlay.py",
    "tools/packaging/template.py",
    "tools/packaging/bytecode.py",
    "tools/packaging/vendored.py",
)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(application, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_change_in_what_is_packaged_makes_another_digest(sources: Path, name: str) -> None:
    before = source_digest(LOCAL_STAGE)
    assert source_digest(LOCAL_STAGE) == before
    (sources / name).write_text("changed")
    assert source_digest(LOCAL_STAGE) != before


def test_a_new_and_a_renamed_file_make_another_digest(sources: Path) -> None:
    before = source_digest(LOCAL_STAGE)
    (sources / "chalicelib" / "new.py").touch()
    added = source_digest(LOCAL_STAGE)
    (sources / "chalicelib" / "new.py").rename(sources / "chalicelib" / "other.py")
    assert len({before, added, source_digest(LOCAL_STAGE)}) == 3


def test_what_is_not_packaged_makes_no_difference(sources: Path) -> None:
    before = source_digest(LOCAL_STAGE)
    not_packaged = (
        "README.md",
        "tests/test_app.py",
        "chalicelib/__pycache__/config.pyc",
        "chalicelib/engine/embedded/engine.py",
    )
    for name in not_packaged:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).touch()
    assert source_digest(LOCAL_STAGE) == before


def test_stages_have_packages_of_their_own(sources: Path) -> None:
    assert source_digest(LOCAL_STAGE) != source_digest("prod")


def test_packaging_sees_neither_the_users_account_nor_the_network() -> None:
    environ = {
        "PATH": "/bin",
        "AWS_PROFILE": "not-there",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_DEFAULT_REGION": "cn-north-1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    kept = application.isolated(environ)
    assert kept["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "http_proxy"} & set(kept)
    assert kept["AWS_ACCESS_KEY_ID"] == kept["AWS_SECRET_ACCESS_KEY"] == "not-a-key"
    assert (kept["AWS_EC2_METADATA_DISABLED"], kept["AWS_CONFIG_FILE"]) == ("true", os.devnull)


def test_a_package_is_built_whatever_the_users_aws_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown profile, a dead proxy and no credentials: `chalice package` would read, ask or wait for each."""
    before = make_package(LOCAL_STAGE)  # fetches what is missing, by the user's own proxy
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(application, "BUILD", tmp_path)
    assert make_package(LOCAL_STAGE) == before


@pytest.mark.parametrize("python", [(3, 12), (3, 13)])
def test_aws_has_these_pythons(python: tuple[int, int]) -> None:
    check_stage("prod", python)


def test_packaging_for_aws_with_an_older_python_is_refused() -> None:
    with pytest.raises(ToolError, match=r"needs Python 3\.12 or 3\.13, .* and this is 3\.11"):
        check_stage("prod", (3, 11))
    check_stage(LOCAL_STAGE, (3, 11))


@pytest.mark.parametrize("stage", ["", "Prod", "9", "a_b", "../x", "a" * 21])
def test_a_stage_has_a_name_that_fits_everywhere(stage: str) -> None:
    with pytest.raises(ToolError, match="is not a name for a stage"):
        check_stage(stage, (3, 13))


def test_each_architecture_has_packages_of_its_own() -> None:
    assert source_digest("prod", "arm64") != source_digest("prod", "x86_64") == source_digest("prod")
    assert source_digest(LOCAL_STAGE, "arm64") == source_digest(LOCAL_STAGE)


def test_an_earlier_package_of_another_architecture_is_refused_by_name() -> None:
    package = Package("prod", "0" * 32, b"", {"Parameters": {}})
    check_architecture(package, "x86_64")
    with pytest.raises(ToolError, match="is for x86_64: add ARCHITECTURE=x86_64"):
        check_architecture(package, "arm64")
