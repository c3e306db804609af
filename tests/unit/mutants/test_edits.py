"""Tests that the edits of `make mutants` fit the sources: none is lost when a rule is written in another way."""

import ast
from collections import Counter

import pytest

from tools.mutants.edit import Edit, outdated
from tools.mutants.edits import EDITS
from tools.project import ROOT

edits = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.area}: {edit.meaning}")


def test_the_old_text_of_each_edit_occurs_once_in_its_file() -> None:
    assert outdated(EDITS, ROOT) == []


@edits
def test_each_edit_leaves_python_and_names_tests(edit: Edit) -> None:
    source = (ROOT / edit.file).read_text()
    assert ast.dump(ast.parse(edit.applied_to(source))) != ast.dump(ast.parse(source))
    assert edit.tests
    assert all((ROOT / test).is_file() for test in edit.tests)


def test_each_area_has_edits_and_none_is_there_twice() -> None:
    assert Counter(edit.area for edit in EDITS).keys() == {"authorization", "fold", "compaction", "idempotency"}
    assert len(EDITS) >= 20
    assert len({(edit.file, edit.old, edit.new) for edit in EDITS}) == len(EDITS)
    assert len({edit.meaning for edit in EDITS}) == len(EDITS)
