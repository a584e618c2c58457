"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long one example takes is the machine's affair: what else runs there would decide. `timeout` bounds whole tests.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
