"""Which provider the settings ask for."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from libs.edits.provider import Provider
from libs.settings import Settings


@asynccontextmanager
async def opened_provider(settings: Settings) -> AsyncGenerator[Provider | None]:
    """The provider, for the time of the block; None where edits are switched off."""
    if not settings.edits:
        yield None
        return
    from libs.edits.openai_images import OpenAIImages  # a second and 40 MB that only this feature costs

    async with OpenAIImages(
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        timeout_s=settings.openai_timeout_s,
        max_edge=settings.openai_max_edge,
    ) as provider:
        yield provider
