"""Anna, whose blobs the tests send and read."""

import pytest

from tests.api.blobs.blob_requests import ANNA
from tests.fakes.services import FakeServices


@pytest.fixture
def anna(fakes: FakeServices) -> str:
    """Anna's token."""
    return fakes.sign_in(ANNA)
