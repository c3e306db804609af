"""Data as each version wrote them, for the tests of upgrades: `tests/data/versions`."""
