"""Secrets: versions that are replaced once."""

import pytest

from chalicelib.engine.engine import Engine
from tests.engine.stage import FIRST_SECRET, SECRET_NAME


@pytest.mark.parametrize("limit_s", [None, 60])
def test_the_current_version_is_read(engine: Engine, limit_s: float | None) -> None:
    version = engine.secrets.get(SECRET_NAME, limit_s=limit_s)
    assert version.text == FIRST_SECRET
    assert engine.secrets.get(SECRET_NAME, limit_s=limit_s) == version


def test_a_version_is_replaced_once(engine: Engine) -> None:
    first = engine.secrets.get(SECRET_NAME)
    engine.secrets.replace(SECRET_NAME, first.id, "mine")
    engine.secrets.replace(SECRET_NAME, first.id, "another's")
    second = engine.secrets.get(SECRET_NAME)
    assert second.text == "mine"
    engine.secrets.replace(SECRET_NAME, second.id, "the next")
    assert engine.secrets.get(SECRET_NAME).text == "the next"


@pytest.mark.parametrize("limit_s", [None, 60])
def test_an_unknown_secret_is_a_defect(engine: Engine, limit_s: float | None) -> None:
    with pytest.raises(RuntimeError, match=r"ResourceNotFoundException|there is no secret"):
        engine.secrets.get("strandline/test/unknown", limit_s=limit_s)
