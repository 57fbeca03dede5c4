"""What holds for all tests: no time that anything takes decides one.

Hypothesis ends an example that takes longer than 200 ms, and a test whose examples are drawn slowly. On a
busy machine, or where a collection of garbage falls into an example, that says nothing of the code.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("paperpath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("paperpath")
