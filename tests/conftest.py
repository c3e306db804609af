"""Configures all tests: hypothesis has no time limit, because times depend more on the machine than on the code."""

import os

from hypothesis import settings

settings.register_profile("strandline", deadline=None)
# The same examples in each run, for CI: `.ci/run` judges a change, and a run at will looks for new examples.
settings.register_profile("fixed", deadline=None, derandomize=True)
# For histories that run for an hour: pytest tests/property/test_compaction_machine.py --hypothesis-profile long
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "strandline"))
