"""Tests that the bill of materials lists all that is in the zip, with versions and licenses."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest

from tools.environments import locked_versions
from tools.packaging.application import LOCAL_STAGE, make_package
from tools.project import ROOT
from tools.release.sbom import Library, bill_of_materials, libraries_of, license_texts

OURS = {"app.py", "chalicelib", "__pycache__"}
OF_DISTRIBUTIONS = {
    "_argon2_cffi_bindings": "argon2-cffi-bindings",
    "_cffi_backend": "cffi",
    "argon2": "argon2-cffi",
    "aws_lambda_powertools": "aws-lambda-powertools",
    "dateutil": "python-dateutil",
    "typing_extensions": "typing-extensions",
}
"""The distributions whose modules have other names."""
VERSION = "0.2.0"


@pytest.fixture(scope="module")
def code() -> bytes:
    """The zip of the local stage."""
    return make_package(LOCAL_STAGE).code


@pytest.fixture(scope="module")
def libraries(code: bytes) -> list[Library]:
    return libraries_of(ZipFile(io.BytesIO(code)))


@pytest.fixture(scope="module")
def bill(code: bytes, libraries: list[Library]) -> dict[str, Any]:
    return bill_of_materials(VERSION, code, libraries)


def test_each_module_of_the_zip_belongs_to_a_library_of_the_bill(code: bytes, bill: dict[str, Any]) -> None:
    tops = {name.partition("/")[0] for name in ZipFile(io.BytesIO(code)).namelist()}
    modules = {top.partition(".")[0] for top in tops - OURS if not top.endswith(".dist-info")}
    named = {component["name"] for component in bill["components"]}
    assert {OF_DISTRIBUTIONS.get(module, module) for module in modules} <= named


def test_the_bill_has_the_versions_of_the_lock(bill: dict[str, Any]) -> None:
    locked = locked_versions((ROOT / "requirements.txt").read_text())
    versions = {component["name"]: component["version"] for component in bill["components"]}
    of_development = locked_versions((ROOT / "requirements-dev.txt").read_text())
    assert versions == locked | {"chalice": of_development["chalice"]}


def test_each_library_has_a_license_and_its_text(libraries: list[Library]) -> None:
    assert [library.name for library in libraries if not library.licenses] == []
    assert [library.name for library in libraries if not library.license_texts] == []
    texts = license_texts(libraries)
    for library in libraries:
        assert f"\n{library.name} {library.version}: " in texts
    by_name = {library.name: library.licenses for library in libraries}
    assert by_name["urllib3"] == [{"expression": "MIT"}]
    assert by_name["chalice"] == [{"license": {"id": "Apache-2.0"}}]
    assert by_name["python-dateutil"] == [
        {"license": {"name": "BSD License"}},
        {"license": {"name": "Apache Software License"}},
    ]


def test_what_is_compiled_into_wheels_is_listed(bill: dict[str, Any]) -> None:
    compiled = {component["name"]: component.get("components", []) for component in bill["components"]}
    assert "openssl" in {part["name"] for part in compiled["cryptography"]}
    assert len(compiled["orjson"]) > 5


def test_the_bill_has_the_form_of_cyclonedx(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert bill["metadata"]["component"]["version"] == VERSION
    references = [bill["metadata"]["component"]["bom-ref"]]
    for component in bill["components"]:
        references += [component["bom-ref"], *(part["bom-ref"] for part in component.get("components", ()))]
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
    assert len(references) == len(set(references))
    linked = {row["ref"] for row in bill["dependencies"]} | {
        ref for row in bill["dependencies"] for ref in row["dependsOn"]
    }
    assert linked <= set(references)
    needs = {row["ref"].partition("@")[0]: row["dependsOn"] for row in bill["dependencies"]}
    assert any(ref.startswith("pkg:pypi/cffi@") for ref in needs["pkg:pypi/cryptography"])


def test_the_same_zip_has_the_same_bill(code: bytes, libraries: list[Library], bill: dict[str, Any]) -> None:
    assert json.dumps(bill_of_materials(VERSION, code, libraries)) == json.dumps(bill)
    assert bill_of_materials("0.3.0", code, libraries)["serialNumber"] != bill["serialNumber"]
