"""A page in a real browser chooses width and format, and a cache in front gives each client its own."""

import pytest

pytestmark = pytest.mark.services  # `make services` brings the browser and nginx too
