"""Render presets of an image before anybody asks for their addresses."""

from apps.worker.handlers.source import source_image
from apps.worker.worker_pool import Done, WorkerPool
from libs.contracts.commands import RenderRenditions
from libs.delivery import ahead
from libs.delivery.renditions import Renditions
from libs.storage import leases
from libs.storage.leases import Claim


async def render_renditions(
    command: RenderRenditions, claim: Claim, pool: WorkerPool, renditions: Renditions
) -> Done:
    """Render what the addresses of the presets ask for, one after another; what is stored is left alone."""
    image = await source_image(command)
    for wanted in await ahead.wanted_of(image, command.presets, pool.backends.settings):
        await ahead.stored(wanted, renditions)
    await leases.complete(claim)
    return Done(image)
