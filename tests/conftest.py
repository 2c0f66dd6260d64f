"""For all tests."""

from hypothesis import settings

# The first call into torch takes seconds on a busy machine; pytest's own timeout stops what hangs.
settings.register_profile("facesmith", deadline=None)
settings.load_profile("facesmith")
