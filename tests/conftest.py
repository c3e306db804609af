"""For all tests: hypothesis does not look at the clock, which says more about the machine than about the code."""

from hypothesis import settings

settings.register_profile("strandline", deadline=None)
settings.load_profile("strandline")
