"""A cached secret: how often it is read, and how long a replaced one stays in use."""

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.engine.secrets import MAX_AGE_S, cached_secret
from tests.engine.stage import FIRST_SECRET, SECRET_NAME


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_replaced_secret_is_used_for_five_minutes_more(engine: Engine) -> None:
    clock = Clock()
    secret = cached_secret(engine.secrets, SECRET_NAME, clock)
    assert secret() == FIRST_SECRET
    engine.secrets.replace(SECRET_NAME, engine.secrets.get(SECRET_NAME).id, "replaced")
    clock.now_s = MAX_AGE_S - 1
    assert secret() == FIRST_SECRET
    clock.now_s = MAX_AGE_S
    assert secret() == "replaced"


def test_a_cached_secret_that_does_not_exist_is_a_defect_of_the_deployment(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match=r"ResourceNotFoundException|there is no secret"):
        cached_secret(engine.secrets, "strandline/other/server-secret")()
