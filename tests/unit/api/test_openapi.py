"""The published description: valid, complete, current, and made of the operation table and the data model."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.access.policy import CUSTODIANS, OWNER_AND_SERVERS, SERVERS
from chalicelib.api.openapi.document import APIS, callers, document, document_bytes
from chalicelib.api.operations.table import OPERATIONS
from chalicelib.model.tables.registry import TYPES
from tests.unit.test_imports import imported
from tools import openapi

CBG = {"type": "cbg", "time": "2026-01-01T00:00:00Z", "units": "mmol/L", "value": 5.5, "deviceId": "Meter-1"}


def operations() -> dict[str, Any]:
    """The description of each operation by its id."""
    return {
        operation["operationId"]: operation
        for methods in document()["paths"].values()
        for operation in methods.values()
    }


def credentials(name: str) -> set[str]:
    """The security schemes any of which will do for an operation."""
    return {next(iter(way), "") for way in operations()[name]["security"]}


def faults(schema_name: str, value: object) -> list[str]:
    """The parts of a value that are not as a schema of the description has them."""
    root = {"$ref": f"#/components/schemas/{schema_name}", "components": document()["components"]}
    return [error.message for error in Draft202012Validator(root).iter_errors(value)]


def test_the_description_is_valid() -> None:
    described = orjson.loads(document_bytes())
    assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []


def test_the_description_has_every_operation_of_the_table_once() -> None:
    described = [operation.name for api in APIS for operation in api.operations]
    assert sorted(described) == sorted(operation.name for operation in OPERATIONS)


def test_the_description_has_every_path_of_the_table() -> None:
    described = {
        (method.upper(), server["url"].rstrip("/") + path)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        for server in operation.get("servers", document()["servers"])
    }
    assert described == {(operation.method, path) for operation in OPERATIONS for path in operation.paths}


def test_all_that_is_said_of_an_operation_has_its_place() -> None:
    for operation in operations().values():
        assert operation["summary"]
        assert operation["responses"].keys() >= {"500", "503"}
        assert ("400" in operation["responses"]) >= ("requestBody" in operation)


def test_the_copy_is_current() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.description_text()


def test_the_copy_says_the_same() -> None:
    assert orjson.loads(openapi.description_text()) == document()


def test_a_copy_that_is_not_current_fails_the_check_until_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    monkeypatch.setattr(openapi, "FILE", tmp_path / "openapi.json")
    assert openapi.main(["--check"]) == 1
    assert "make openapi" in capsys.readouterr().err
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0
    openapi.FILE.write_text(openapi.description_text().replace("Strandline", "Other"), encoding="utf-8")
    assert openapi.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("data.add", {"sessionToken", "bearer", "serviceSecret", "restrictedToken"}),
        ("data_sets.list", {"sessionToken", "bearer", "serviceSecret"}),
        ("data.upload", {"sessionToken", "bearer", "restrictedToken"}),
        ("data.read", {"sessionToken", "restrictedToken"}),
        ("tasks.list", {"sessionToken", "serviceSecret"}),
        ("users.get", {"sessionToken"}),
        ("grants.set", {"sessionToken"}),
        ("sessions.login", {"basic"}),
        ("metrics.record_for_user", {"", "sessionToken"}),
        ("oidc.user_info", {"bearer"}),
        ("time.get", set()),
    ],
)
def test_credentials_follow_from_who_may_call_and_how_failures_look(name: str, schemes: set[str]) -> None:
    assert credentials(name) == schemes


def test_a_person_reads_who_may_call() -> None:
    assert callers(SERVERS) == "servers"
    assert callers(OWNER_AND_SERVERS) == "the user and servers"
    assert callers(CUSTODIANS) == "the user, those whom the user granted custodian, and servers"


@pytest.mark.parametrize("type_name", TYPES)
def test_the_data_model_has_every_type(type_name: str) -> None:
    mapping = document()["components"]["schemas"]["Datum"]["discriminator"]["mapping"]
    assert mapping[type_name] == f"#/components/schemas/{type_name}"
    assert faults(type_name, {"type": "another"})


def test_data_of_the_model_are_as_described_and_others_are_not() -> None:
    assert faults("DatumArray", [CBG, None]) == []
    assert faults("DatumArray", [CBG | {"value": "high"}])
    assert faults("DatumArray", [CBG | {"type": "upload"}])
    assert faults("DatumArray", CBG)


def test_bodies_of_data_sets_are_those_of_the_model() -> None:
    assert faults("DataSetCreation", {"dataSetType": "continuous", "deviceTags": ["cgm"]}) == []
    assert faults("DataSetCreation", {"dataSetType": "endless"})
    assert faults("DataSetUpdate", {"dataState": "closed"})
    assert faults("DataSourceCreation", {"providerType": "oauth"})


def test_a_cold_start_does_not_pay_for_the_description() -> None:
    modules = {name for name in imported() if name.startswith("chalicelib.api.openapi")}
    assert modules == {"chalicelib.api.openapi", "chalicelib.api.openapi.routes"}
