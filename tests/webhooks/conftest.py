"""A site that tells, and somebody to be told."""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Site
from tests.webhooks.webhook_receiver import Receiver, told_site


@pytest.fixture(scope="package", params=BOTH)
async def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Site, Receiver]]:
    """A shared site and receiver: use accounts and paths of your own."""
    async with told_site(request.param, tmp_path_factory.mktemp(f"told-{request.param}")) as both:
        yield both


@pytest.fixture
def receiver(told: tuple[Site, Receiver]) -> Receiver:
    return told[1]


@pytest.fixture
async def teller(told: tuple[Site, Receiver]) -> AsyncIterator[Client]:
    """A new account on the site that tells."""
    async with signed_in(told[0]) as client:
        yield client
