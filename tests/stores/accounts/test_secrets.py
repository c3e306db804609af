"""Secrets from Secrets Manager."""

from collections.abc import Iterator

import pytest

from chalicelib.config import Settings
from chalicelib.engine import secrets_manager
from chalicelib.engine.secrets_manager import MAX_AGE_S, cached_secret
from tests.stores.conftest import SERVER_SECRET


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _fresh_client() -> Iterator[None]:
    secrets_manager.forget_clients()
    yield
    secrets_manager.forget_clients()


def rotate(settings: Settings, value: str) -> None:
    """Give the stage another secret."""
    secrets_manager.client(settings.region).put_secret_value(SecretId=settings.server_secret_name, SecretString=value)


def test_a_secret_is_read_once_in_a_while(stage: Settings) -> None:
    clock = Clock()
    secret = cached_secret(stage, stage.server_secret_name, clock)
    assert secret() == SERVER_SECRET
    rotate(stage, "rotated")
    clock.now_s = MAX_AGE_S - 1
    assert secret() == SERVER_SECRET
    clock.now_s = MAX_AGE_S
    assert secret() == "rotated"


def test_a_missing_secret_is_a_fault_of_the_deployment(stage: Settings) -> None:
    with pytest.raises(RuntimeError, match="ResourceNotFoundException"):
        cached_secret(stage, "strandline/other/server-secret")()
