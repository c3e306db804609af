"""The recorded exchanges are replayed on the fixtures of the API tests."""

from tests.api.conftest import api, fakes

__all__ = ["api", "fakes"]
