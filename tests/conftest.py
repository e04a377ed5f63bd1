"""For all tests: property tests do not measure time, which a busy machine has too little of."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("proc2dbt", deadline=None)
settings.load_profile("proc2dbt")
