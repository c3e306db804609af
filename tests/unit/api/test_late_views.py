"""Modules of views that the first request imports."""

import subprocess
import sys
from importlib import import_module

import pytest

from chalicelib.api.operations.nightscout import NIGHTSCOUT_OPERATIONS
from chalicelib.api.operations.nightscout_v3 import NIGHTSCOUT_V3_OPERATIONS
from chalicelib.api.routes.nightscout import documents
from tools.project import ROOT


@pytest.mark.parametrize("module", documents.OPERATIONS_OF)
def test_a_module_has_a_view_for_each_of_its_operations_and_for_no_other(module: str) -> None:
    views = import_module(f"{documents.__package__}.{module}").views
    assert list(views.by_operation) == list(documents.OPERATIONS_OF[module])


def test_an_operation_belongs_to_one_module() -> None:
    listed = [operation for of_module in documents.OPERATIONS_OF.values() for operation in of_module]
    assert len(listed) == len(set(listed))
    assert set(listed) < {*NIGHTSCOUT_OPERATIONS, *NIGHTSCOUT_V3_OPERATIONS}
    assert set(listed) > set(NIGHTSCOUT_V3_OPERATIONS)


def test_the_start_imports_none_of_them() -> None:
    names = [f"{documents.__package__}.{module}" for module in documents.OPERATIONS_OF]
    code = f"import sys, app; print([name for name in {names!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "[]\n"
