"""Queue the rendering of presets before anybody asks for their addresses."""

from collections.abc import Sequence

from libs.backends import Backends
from libs.jobs import build
from libs.jobs.build import JobOptions
from libs.jobs.submit import submit
from libs.storage import presets
from libs.storage.database.tables import BaseUser, Image


async def check_presets(owner: int, names: Sequence[str]) -> None:
    """Check that the account has all these presets.

    Raises:
        PresetNotFound: It has not.
    """
    for name in names:
        await presets.owned_by(owner, name)


async def render_ahead(
    image: Image, owner: BaseUser, names: Sequence[str], options: JobOptions, backends: Backends
) -> None:
    """Queue a bulk job that renders presets of a stored image; without presets do nothing.

    Raises:
        PresetNotFound: The account has one of them not; nothing is queued.
    """
    await check_presets(owner.id, names)
    await queue_rendering(image, owner, names, backends, request_id=options.request_id)


async def queue_rendering(
    image: Image, owner: BaseUser, names: Sequence[str], backends: Backends, *, request_id: str | None
) -> None:
    """Queue the job of `render_ahead` for presets that the account has; without presets do nothing."""
    job = build.rendering_job(image, owner.username, names, request_id)
    if job is not None:
        await submit(job, backends)
