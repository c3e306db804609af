"""The source that the compiler of tables writes."""

from __future__ import annotations

import doctest

from chalicelib.model.compiled import codegen


def test_codegen_writes_the_sample_in_its_docstring() -> None:
    result = doctest.testmod(codegen)
    assert (result.failed, result.attempted) == (0, 5)
