"""Settings of sign-up: closed on a deployed stage until its owner opens it."""

import pytest

from chalicelib.config import Settings


@pytest.mark.parametrize(
    ("environ", "sign_up"),
    [
        ({}, "open"),
        ({"STRANDLINE_STAGE": "local"}, "open"),
        ({"STRANDLINE_STAGE": "local", "STRANDLINE_SIGN_UP": "closed"}, "closed"),
        ({"STRANDLINE_STAGE": "prod"}, "closed"),
        ({"STRANDLINE_STAGE": "prod", "STRANDLINE_SIGN_UP": ""}, "closed"),
        ({"STRANDLINE_STAGE": "prod", "STRANDLINE_SIGN_UP": "invitation"}, "invitation"),
    ],
)
def test_sign_up_is_read_from_the_environment(environ: dict[str, str], sign_up: str) -> None:
    assert Settings.from_env(environ).sign_up == sign_up


@pytest.mark.parametrize(("value", "verifies"), [("", False), ("false", False), ("true", True)])
def test_verification_of_addresses_is_read_from_the_environment(value: str, verifies: bool) -> None:
    assert Settings.from_env({"STRANDLINE_VERIFIES_EMAILS": value}).verifies_emails is verifies
