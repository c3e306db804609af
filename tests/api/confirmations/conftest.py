"""A mailbox for the tests of confirmations."""

import pytest

from chalicelib import services as wiring
from tests.fakes.mail import MailBox
from tests.fakes.services import FakeServices


@pytest.fixture
def mail(fakes: FakeServices) -> MailBox:
    """The mail of the stage, which sends some."""
    box = MailBox(fakes)
    wiring.override(fakes.services)
    return box
