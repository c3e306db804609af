"""Configures all tests: hypothesis has no time limit, because times depend more on the machine than on the code."""

from hypothesis import settings

settings.register_profile("strandline", deadline=None)
# For histories that run for an hour: pytest tests/property/test_compaction_machine.py --hypothesis-profile long
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("strandline")
