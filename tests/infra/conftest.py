"""Fixtures for the services' script."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.services_folder import services_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with services_folder() as folder:
        yield folder
