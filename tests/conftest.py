"""Fixtures for all tests, and how hard Hypothesis looks."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres", "tests.support.broker"]

# No deadline: how long one example takes says nothing about right and wrong, and the machine is shared.
settings.register_profile("usual", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("usual"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
