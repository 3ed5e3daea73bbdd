"""A site that tells, and somebody to be told."""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Site
from tests.webhooks.webhook_receiver import Receiver, open_webhook_site


@pytest.fixture(scope="package", params=BOTH)
async def webhook_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Site, Receiver]]:
    """A shared site and receiver: use accounts and paths of your own."""
    async with open_webhook_site(request.param, tmp_path_factory.mktemp(f"told-{request.param}")) as both:
        yield both


@pytest.fixture
def receiver(webhook_site: tuple[Site, Receiver]) -> Receiver:
    return webhook_site[1]


@pytest.fixture
async def webhook_client(webhook_site: tuple[Site, Receiver]) -> AsyncIterator[Client]:
    """A new account on the site that tells."""
    async with signed_in(webhook_site[0]) as client:
        yield client
