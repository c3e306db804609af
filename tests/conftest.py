"""For all tests: hypothesis does not look at the clock, which says more about the machine than about the code."""

from hypothesis import settings

settings.register_profile("strandline", deadline=None)
# For histories that run for an hour: pytest tests/property/test_compaction_machine.py --hypothesis-profile long
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("strandline")
