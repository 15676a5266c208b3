"""Hypothesis without deadlines: these tests run on small and busy computers."""

from hypothesis import HealthCheck, settings

settings.register_profile("facelatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("facelatch")
