"""Open the image model that the settings name."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from libs.settings import Settings

if TYPE_CHECKING:
    from libs.edits.openai_images import OpenAIImages


@asynccontextmanager
async def open_image_model(settings: Settings) -> AsyncGenerator["OpenAIImages | None"]:
    """Yield a client of the model; None where edits are switched off."""
    if not settings.edits:
        yield None
        return
    from libs.edits.dialects import DIALECTS
    from libs.edits.openai_images import OpenAIImages  # takes a second and 40 MB to import

    async with OpenAIImages(
        api_key=settings.openai_api_key,
        base_url=settings.openai_base_url,
        model=settings.openai_model,
        timeout_s=settings.openai_timeout_s,
        max_edge=settings.openai_max_edge,
        dialect=DIALECTS[settings.edits_dialect],
    ) as model:
        yield model
