"""Fixtures for all tests, and how hard Hypothesis looks."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres", "tests.support.broker"]

# No deadline: how long one example takes says nothing about right and wrong, and the machine is shared.
settings.register_profile("usual", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
# In CI the same histories each time, and nothing kept: what fails there fails again here with CI=true.
settings.register_profile("ci", parent=settings.get_profile("usual"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "usual")
