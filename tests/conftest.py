"""No test is timed, and each draws the same examples wherever and whenever it runs.

A deadline would fail on a busy machine, and an example found by chance would fail a change that has nothing
to do with it. `pytest --hypothesis-profile=search` draws others each time.
"""

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

settings.register_profile(
    "search", settings.get_profile("default"), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fixed", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("fixed")

# Hypothesis also draws numbers and words that stand in the modules loaded so far: which those are depends on
# the tests that ran before in the same process.
assert callable(providers._get_local_constants)
providers._get_local_constants = lambda: providers._local_constants
