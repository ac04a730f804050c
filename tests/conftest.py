"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault; what must be fast is timed by tests of its own.
settings.register_profile("autocapture", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("autocapture")
