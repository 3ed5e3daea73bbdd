"""Fixtures: `curl` with and without an account, and a picture to transform."""

from pathlib import Path

import pytest
from PIL import Image

from tests.api.legacy.curl_requests import BLUE, RED
from tests.support.client import Client
from tests.support.curl import Curl
from tests.support.site import Site


@pytest.fixture
def curl(client: Client) -> Curl:
    """A new account's curl."""
    return Curl(client.site, client.token)


@pytest.fixture
def anonymous_curl(site: Site) -> Curl:
    """Somebody without an account."""
    return Curl(site, None)


@pytest.fixture
def corners(tmp_path: Path) -> Path:
    """A picture by whose corners one sees how it lies: PNG, 60 x 40; red top left, blue top right."""
    picture = Image.new("RGB", (60, 40), (0, 128, 0))
    picture.paste(RED, (0, 0, 20, 20))
    picture.paste(BLUE, (40, 0, 60, 20))
    path = tmp_path / "corners.png"
    picture.save(path)
    return path
