"""No test is timed: a deadline would fail on a busy machine, and speed is the benchmarks' business."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
